import { type Static, Type } from 'typebox';
import { fail } from '../../canonical/index.ts';

/** Names go into queries as they are, so nothing but a name may stand there. */
const apiName = (description: string) => Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,79}$', description });
const stage = Type.String({ minLength: 1, maxLength: 255 });

export const settingsSchema = Type.Object(
  {
    auth: Type.Union([Type.Literal('jwt'), Type.Literal('client_credentials')], {
      description: 'how it signs in; `token` is the private key (PEM) or the consumer secret',
    }),
    clientId: Type.String({ minLength: 1, description: 'consumer key of the connected app' }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'jwt: the integration user' })),
    audience: Type.Optional(
      Type.String({ minLength: 1, description: 'jwt: https://login.salesforce.com (default), or of a sandbox test.' }),
    ),
    apiVersion: Type.Optional(Type.String({ pattern: '^\\d{2,3}\\.0$', description: 'version of the API; 62.0' })),
    company: Type.Optional(Type.String({ minLength: 1, description: 'company of the orders that come from here' })),
    currency: Type.Optional(
      Type.String({ pattern: '^[A-Z]{3}$', description: 'of an org with one currency, whose records name none' }),
    ),
    timeZone: Type.Optional(Type.String({ minLength: 1, description: 'of close dates, which have none; UTC' })),
    accountField: Type.Optional(apiName('external id of Account that holds our account; Crossdock_Account__c')),
    skuField: Type.Optional(apiName('field of Product2 that holds the SKU; ProductCode')),
    cancelStages: Type.Optional(
      Type.Array(stage, { maxItems: 20, description: 'stages that call off what was won; none' }),
    ),
    orderObject: Type.Optional(apiName('object of the order states; Crossdock_Order__c')),
    lineObject: Type.Optional(apiName('object of their lines; Crossdock_Order_Line__c')),
    documentObject: Type.Optional(
      apiName('object of shipments, invoices and returns, such as Crossdock_Document__c; none: they are not told'),
    ),
    promiseField: Type.Optional(
      apiName(
        'date/time field of lines that shows when the last of it is promised, such as Promised__c; none: it is not told',
      ),
    ),
    accountParents: Type.Optional(
      Type.Boolean({ description: 'whether accounts are told with the one above them (ParentId); false' }),
    ),
    paymentTermsField: Type.Optional(
      apiName('field of Account with our code of its payment terms; none: they are not told'),
    ),
    overlapMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'how late a change may be committed; 600000' }),
    ),
    dailyShare: Type.Optional(
      Type.Number({
        minimum: 0.05,
        maximum: 0.95,
        description: "share of the org's daily calls from which on it slows down; 0.8",
      }),
    ),
  },
  { additionalProperties: false },
);

export interface Settings
  extends Required<
    Omit<
      Static<typeof settingsSchema>,
      'username' | 'company' | 'currency' | 'documentObject' | 'promiseField' | 'paymentTermsField'
    >
  > {
  username: string | null;
  company: string | null;
  currency: string | null;
  documentObject: string | null;
  promiseField: string | null;
  paymentTermsField: string | null;
  /** `/services/data/v62.0` */
  data: string;
}

/** @throws XD_ESTATE_INVALID naming the setting */
export function settingsOf(system: string, given: Readonly<Record<string, unknown>>, sells: boolean): Settings {
  const set = given as Static<typeof settingsSchema>;
  const wrong = (name: string, what: string): never =>
    fail('XD_ESTATE_INVALID', `systems.${system}.settings.${name}: ${what}`, {
      place: `systems.${system}.settings.${name}`,
    });
  if (set.auth === 'jwt' && set.username === undefined) wrong('username', 'is missing: an assertion names its user');
  if (sells && set.company === undefined) wrong('company', 'is missing: orders that come from here belong to one');
  const timeZone = set.timeZone ?? 'UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    wrong('timeZone', `${timeZone} is no time zone`);
  }
  const apiVersion = set.apiVersion ?? '62.0';
  return {
    auth: set.auth,
    clientId: set.clientId,
    username: set.username ?? null,
    audience: set.audience ?? 'https://login.salesforce.com',
    apiVersion,
    company: set.company ?? null,
    currency: set.currency ?? null,
    timeZone,
    accountField: set.accountField ?? 'Crossdock_Account__c',
    skuField: set.skuField ?? 'ProductCode',
    cancelStages: set.cancelStages ?? [],
    orderObject: set.orderObject ?? 'Crossdock_Order__c',
    lineObject: set.lineObject ?? 'Crossdock_Order_Line__c',
    documentObject: set.documentObject ?? null,
    promiseField: set.promiseField ?? null,
    accountParents: set.accountParents ?? false,
    paymentTermsField: set.paymentTermsField ?? null,
    overlapMs: set.overlapMs ?? 600_000,
    dailyShare: set.dailyShare ?? 0.8,
    data: `/services/data/v${apiVersion}`,
  };
}

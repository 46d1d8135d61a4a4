import { type Answer, type Call, describeSystem, type FeedRows, type SystemModel } from '../kit/conformance/index.ts';

const DATA = '/services/data/v62.0';
const ORDERS = 'Crossdock_Order__c';
const REFERENCE = 'Crossdock_Reference__c';
/** Given out by the model's sign-in; a secret like the consumer's own. */
const SESSION = '00D000000000001!conformance-session-5Kd8Yq2Wm';

type Rec = Record<string, unknown>;
interface Collection {
  records: Rec[];
}
interface Sub {
  url: string;
  referenceId: string;
  body: Collection;
}

/** As the public reference says it: no live org was asked. Ids of digits only end in AAA. */
const idOf = (prefix: string, n: number) => `${prefix}${String(n).padStart(12, '0')}AAA`;
const timeOf = (at: string) => at.replace('Z', '.000+0000');
const failure = (statusCode: string, message: string) => ({
  success: false,
  errors: [{ statusCode, message, fields: [] }],
});
const error = (status: number, errorCode: string, message: string): Answer => ({
  status,
  json: [{ message, errorCode }],
});

/** An org: won opportunities by query, order states by upsert on an external id. */
function org(rows: FeedRows): SystemModel {
  const held = new Map<string, Rec>();
  const refused = new Set<string>();

  return {
    roleOf({ method, path }) {
      if (path === '/services/oauth2/token') return 'sign_in';
      return method === 'GET' ? 'read' : 'write';
    },
    answer(call) {
      if (call.path === '/services/oauth2/token')
        return {
          json: { access_token: SESSION, instance_url: `http://${String(call.headers.host)}`, token_type: 'Bearer' },
        };
      if (call.headers.authorization !== `Bearer ${SESSION}`)
        return error(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
      if (call.method === 'GET') return queried(call);
      if (call.path === `${DATA}/composite`) return together(call.body as { compositeRequest: Sub[] });
      const [, object] = /\/composite\/sobjects\/(\w+)\/\w+$/.exec(call.path) ?? [];
      if (object === undefined) return undefined;
      return { json: (call.body as Collection).records.map((record) => upsert(object, record, refusalOf(record))) };
    },
    refuse: (reference) => void refused.add(reference),
  };

  function queried({ path, query }: Call): Answer | undefined {
    const soql = query.q ?? '';
    if (path === `${DATA}/queryAll`) return page(pageOf(rows, soql));
    if (path !== `${DATA}/query`) return undefined;
    // Texts are compared without case.
    const wanted = [...soql.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, text]) => text!.replace(/\\(.)/g, '$1'));
    const found = wanted.flatMap((key): Rec[] => {
      const one = held.get(`${ORDERS} ${key.toLowerCase()}`);
      return one === undefined ? [] : [{ [REFERENCE]: one[REFERENCE], Version__c: one.Version__c ?? null }];
    });
    return page(found);
  }

  function refusalOf(record: Rec): object | undefined {
    const key = String(record[REFERENCE]);
    return refused.has(key) || [...refused].some((one) => key.startsWith(`${one}/`))
      ? failure('FIELD_CUSTOM_VALIDATION_EXCEPTION', 'not this one')
      : undefined;
  }

  function upsert(object: string, record: Rec, no: object | undefined): object {
    if (no !== undefined) return no;
    const key = `${object} ${String(record[REFERENCE]).toLowerCase()}`;
    const before = held.get(key);
    held.set(key, { ...before, ...record });
    return { id: idOf('a00', held.size), success: true, errors: [], created: before === undefined };
  }

  function together({ compositeRequest }: { compositeRequest: Sub[] }): Answer {
    const bad = compositeRequest.find(({ body }) => body.records.some(refusalOf));
    const answerTo = ({ url, referenceId, body }: Sub) => {
      const object = /\/sobjects\/(\w+)\//.exec(url)![1]!;
      const told = body.records.map((record) =>
        bad === undefined
          ? upsert(object, record, undefined)
          : (refusalOf(record) ?? failure('ALL_OR_NONE_OPERATION_ROLLED_BACK', 'rolled back')),
      );
      return { body: told, httpHeaders: {}, httpStatusCode: 200, referenceId };
    };
    return { json: { compositeResponse: compositeRequest.map(answerTo) } };
  }
}

function page(records: readonly unknown[]): Answer {
  return {
    json: { totalSize: records.length, done: true, records },
    headers: { 'sforce-limit-info': 'api-usage=18/100000' },
  };
}

/** `… AND (SystemModstamp > t OR (SystemModstamp = t AND Id > 'x')) ORDER BY SystemModstamp, Id LIMIT n`, or from a time on. */
function pageOf(rows: FeedRows, soql: string): unknown[] {
  const [, feed = ''] = / FROM (Account|Opportunity) WHERE/.exec(soql) ?? [];
  const [, from] = /SystemModstamp >= (\S+)/.exec(soql) ?? [];
  const [, beyond, id] = /SystemModstamp = (\S+) AND Id > '(\w+)'/.exec(soql) ?? [];
  const limit = Number(/LIMIT (\d+)$/.exec(soql)?.[1] ?? 2_000);
  const placeOf = (raw: unknown): [at: string, id: string] => {
    const { SystemModstamp, Id } = raw as { SystemModstamp: string; Id: string };
    return [new Date(SystemModstamp.replace('+0000', 'Z')).toISOString(), Id];
  };
  const isBeyond = (raw: unknown): boolean => {
    const [at, own] = placeOf(raw);
    if (from !== undefined) return Date.parse(at) >= Date.parse(from);
    if (beyond === undefined) return true;
    const by = Date.parse(at) - Date.parse(beyond);
    return by > 0 || (by === 0 && own > id!);
  };
  const order = (raw: unknown) => placeOf(raw).join(' ');
  return (rows[feed === 'Account' ? 'accounts' : 'opportunities'] ?? [])
    .map(({ raw }) => raw)
    .filter(isBeyond)
    .sort((one, other) => (order(one) < order(other) ? -1 : 1))
    .slice(0, limit);
}

function opportunity(n: number, at: string, changes: Rec = {}): Rec {
  return {
    attributes: { type: 'Opportunity', url: `${DATA}/sobjects/Opportunity/${idOf('006', n)}` },
    Id: idOf('006', n),
    StageName: 'Closed Won',
    IsDeleted: false,
    CloseDate: '2019-05-01',
    LastStageChangeDate: '2019-05-01T07:00:00.000+0000',
    SystemModstamp: timeOf(at),
    CurrencyIsoCode: 'GBP',
    Account: { attributes: { type: 'Account' }, Crossdock_Account__c: '17850' },
    OpportunityLineItems: {
      totalSize: 1,
      done: true,
      records: [
        {
          attributes: { type: 'OpportunityLineItem' },
          Id: idOf('00k', n),
          Quantity: 6,
          UnitPrice: 2.55,
          Discount: null,
          Product2: { attributes: { type: 'Product2' }, ProductCode: '85123A' },
        },
      ],
    },
    ...changes,
  };
}

function account(n: number, at: string, changes: Rec = {}): Rec {
  return {
    attributes: { type: 'Account', url: `${DATA}/sobjects/Account/${idOf('001', n)}` },
    Id: idOf('001', n),
    Name: 'Ärzte & Co',
    Crossdock_Account__c: `17${n}0`,
    MasterRecordId: null,
    MasterRecord: null,
    IsDeleted: false,
    SystemModstamp: timeOf(at),
    ...changes,
  };
}

/** An org as the public reference describes it. */
export default describeSystem({
  context: {
    settings: { auth: 'client_credentials', clientId: 'crossdock', company: 'UK', cancelStages: ['Closed Lost'] },
  },
  secrets: [SESSION],
  system: org,
  feeds: {
    opportunities: {
      pageMax: 200,
      placeFields: ['Id', 'SystemModstamp'],
      record: (n, at) => opportunity(n, at),
      broken: (at, seq) => [
        opportunity(seq, at, { Account: null }),
        opportunity(seq, at, { OpportunityLineItems: null }),
        opportunity(seq, at, { CloseDate: '2019-02-30' }),
      ],
      deleted: (n, at) => opportunity(n, at, { IsDeleted: true, OpportunityLineItems: null }),
      // Merging accounts moves what hung on the one that is gone; the account itself is told by its own feed.
      merged: (n, _into, at) => opportunity(n, at, { Account: { Crossdock_Account__c: '13047' } }),
    },
    accounts: {
      pageMax: 200,
      placeFields: ['Id', 'SystemModstamp'],
      record: (n, at) => account(n, at),
      broken: (at, seq) => [account(seq, at, { Name: null }), account(seq, at, { Crossdock_Account__c: 17 })],
      deleted: (n, at) => account(n, at, { IsDeleted: true }),
      merged: (n, into, at) =>
        account(n, at, {
          IsDeleted: true,
          MasterRecordId: idOf('001', into),
          MasterRecord: { attributes: { type: 'Account' }, Crossdock_Account__c: `17${into}0` },
        }),
    },
  },
  orderStatus: (n) => ({
    key: `channel/77${n}10`,
    version: 3,
    base: 0,
    state: {
      channel: 'channel',
      externalNo: `77${n}10`,
      status: 'confirmed',
      account: '17850',
      currency: 'GBP',
      totalMinor: 1530,
      lines: [
        {
          ...{ lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530, cancelled: 0, backordered: 0 },
          ...{ refused: 0, shipped: 6, invoiced: 6, returned: 0 },
        },
      ],
    },
  }),
});

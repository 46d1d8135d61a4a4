/** What an estate says of a drop box. */
import { type Static, Type } from 'typebox';
import { recordMapSchema } from '../kit/index.ts';

const closed = { additionalProperties: false };
const literals = <const T extends string>(names: readonly T[], description?: string) =>
  Type.Unsafe<T>(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      description === undefined ? {} : { description },
    ),
  );
const name = Type.String({ minLength: 1, maxLength: 200 });
const describedName = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });
const encoding = literals(
  ['utf-8', 'latin1', 'utf-16le', 'utf-16be'],
  'where the file has no byte order mark; default utf-8, of XML what it says itself',
);

const formatSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('csv'),
      delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1, description: 'default ,' })),
      quote: Type.Optional(
        Type.String({ maxLength: 1, description: 'default "; empty: none, as where inches are written 5"' }),
      ),
      header: Type.Optional(Type.Array(name, { minItems: 1, description: 'of files that have none' })),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('fixed'),
      columns: Type.Array(
        Type.Object({ name, from: Type.Integer({ minimum: 1 }), length: Type.Integer({ minimum: 1 }) }, closed),
        { minItems: 1, description: 'in characters, the first is 1' },
      ),
      lineChars: Type.Optional(
        Type.Integer({ minimum: 1, description: 'what each line must have; default: at least to its last column' }),
      ),
      skipLines: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'before the first record' })),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('ndjson') }, closed),
  Type.Object(
    {
      kind: Type.Literal('xml'),
      record: Type.String({ minLength: 1, description: 'the element of a record, without prefix' }),
    },
    closed,
  ),
]);

const settleSchema = Type.Union([
  Type.Object({ by: Type.Literal('unchanged'), seconds: Type.Integer({ minimum: 1, maximum: 86_400 }) }, closed),
  Type.Object(
    { by: Type.Literal('marker'), suffix: Type.String({ minLength: 1, description: 'e.g. .done, beside the file' }) },
    closed,
  ),
  Type.Object(
    { by: Type.Literal('rename') },
    { ...closed, description: 'written under another name and renamed: taken at once' },
  ),
]);

export const inboundSchema = Type.Object(
  {
    feed: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,40}$' }),
    folder: name,
    match: Type.String({ minLength: 1, maxLength: 200, description: 'names, with * and ?; e.g. orders-*.csv' }),
    format: formatSchema,
    encoding: Type.Optional(encoding),
    settle: settleSchema,
    order: Type.Optional(literals(['name', 'time'], 'in which files are read; default name')),
    map: recordMapSchema,
    archive: Type.Optional(
      Type.Union([name, Type.Null()], {
        description: 'folder; null: files stay, and those read are remembered; default: archive below folder',
      }),
    ),
    reject: Type.Optional(name),
    newColumns: Type.Optional(literals(['tell', 'reject'], 'what the map does not read; default tell')),
    finalNewline: Type.Optional(
      Type.Boolean({ description: 'a last line without its end makes the file bad; default false' }),
    ),
    pageRecords: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000 })),
  },
  closed,
);
export type Inbound = Static<typeof inboundSchema>;
export type Format = Static<typeof formatSchema>;

export const outboundSchema = Type.Object(
  {
    folder: name,
    sent: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'folder of marks, which nobody else touches; default .sent below folder',
      }),
    ),
    format: literals(['json', 'csv', 'xml']),
    files: Type.Optional(literals(['each', 'batch'], 'one per delivery, or one per batch; default each')),
    prefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_.-]{0,40}$' })),
    columns: Type.Optional(
      Type.Array(Type.Object({ name, from: name }, closed), {
        minItems: 1,
        description: 'of csv: a row a line; from: a field of the payload, or lines.<field>',
      }),
    ),
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    root: Type.Optional(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,60}$', description: 'of xml: the element; default the kind' }),
    ),
  },
  closed,
);
export type Outbound = Static<typeof outboundSchema>;
const KINDS = [
  'sales_order',
  'order_change',
  'order_cancellation',
  'shipment_posting',
  'return_posting',
  'charge',
  'fulfilment',
  'fulfilment_cancel',
  'return_announcement',
] as const;

export const filesSettings = Type.Object(
  {
    privateKeyFile: Type.Optional(describedName('of SFTP: the file with our private key')),
    hostKey: Type.Optional(
      Type.String({ minLength: 20, maxLength: 2_000, description: "the server's public key, e.g. ssh-ed25519 AAAA…" }),
    ),
    knownHostsFile: Type.Optional(describedName("of SFTP: the servers that are known; default the machine's own")),
    inbound: Type.Optional(
      Type.Array(inboundSchema, { maxItems: 50, description: 'feeds: which files, and what they mean' }),
    ),
    outbound: Type.Optional(
      Type.Object(Object.fromEntries(KINDS.map((kind) => [kind, Type.Optional(outboundSchema)])), {
        ...closed,
        description: 'by kind of delivery, where its files go and what they look like',
      }),
    ),
  },
  closed,
);
export interface FilesSettings {
  privateKeyFile?: string;
  hostKey?: string;
  knownHostsFile?: string;
  inbound?: Inbound[];
  outbound?: Partial<Record<(typeof KINDS)[number], Outbound>>;
}

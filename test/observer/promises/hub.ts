/** The hub's tables, row by row. Plain selects: what they come to is worked out here, not by the database. */
import pg from 'pg';

const ROWS_PER_FETCH = 2_000;
const INT8 = 20;
const INT8_LIST = 1016;

/** All numbers of the hub fit into a safe integer; ids of transactions are read as text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return (text: string) => Number(text);
    if (oid === INT8_LIST) throw new Error('lists of bigint are not read here');
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

export async function connectHub(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, types });
  await client.connect();
  return client;
}

let cursors = 0;

/** Rows in pieces, so that a year of them is never held at once. Needs an open transaction: all cursors of one see one moment. */
export async function* rows<T>(client: pg.ClientBase, select: string): AsyncGenerator<T> {
  const name = `observer_${++cursors}`;
  await client.query(`declare ${name} no scroll cursor for ${select}`);
  for (;;) {
    const fetched = await client.query(`fetch ${ROWS_PER_FETCH} from ${name}`);
    yield* fetched.rows as T[];
    if (fetched.rows.length < ROWS_PER_FETCH) break;
  }
  await client.query(`close ${name}`);
}

export interface OrderHead {
  orderId: number;
  /** `shop/536365`: how every system but its channel knows it. */
  reference: string;
  channel: string;
  number: string;
  state: string;
  version: number;
  currency: string;
  totalMinor: number;
}

/** Names of what the tables hold by id, and the heads of orders. */
export interface Names {
  skus: Map<number, string>;
  locations: Map<number, string>;
  /** By id; `system` is null where a channel has none of its own. */
  channels: Map<number, { code: string; system: string | null; isShared: boolean; sellsByItself: boolean }>;
  destinations: Map<number, string>;
  orders: Map<number, OrderHead>;
  byReference: Map<string, OrderHead>;
}

export async function readNames(client: pg.ClientBase): Promise<Names> {
  const names: Names = {
    skus: new Map(),
    locations: new Map(),
    channels: new Map(),
    destinations: new Map(),
    orders: new Map(),
    byReference: new Map(),
  };
  for await (const row of rows<{ id: number; code: string }>(client, 'select sku_id as id, code from sku'))
    names.skus.set(row.id, row.code);
  for await (const row of rows<{ id: number; code: string }>(client, 'select location_id as id, code from location'))
    names.locations.set(row.id, row.code);
  for await (const row of rows<{ id: number; code: string }>(
    client,
    'select destination_id as id, code from destination',
  ))
    names.destinations.set(row.id, row.code);
  type ChannelRow = { id: number; code: string; settings: { system?: string; risk?: string; sells: string } };
  for await (const { id, code, settings } of rows<ChannelRow>(
    client,
    'select channel_id as id, code, settings from channel',
  ))
    names.channels.set(id, {
      code,
      system: settings.system ?? null,
      isShared: settings.risk === 'shared',
      sellsByItself: settings.sells === 'by_itself',
    });
  type OrderRow = Omit<OrderHead, 'reference' | 'channel'> & { channelId: number };
  for await (const { channelId, ...row } of rows<OrderRow>(
    client,
    `select order_id as "orderId", channel_id as "channelId", external_no as number, state, version, currency,
            total_minor as "totalMinor" from sales_order`,
  )) {
    const channel = names.channels.get(channelId)?.code ?? `channel ${channelId}`;
    const head = { ...row, channel, reference: `${channel}/${row.number}` };
    names.orders.set(row.orderId, head);
    names.byReference.set(head.reference, head);
  }
  return names;
}

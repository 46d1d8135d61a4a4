/** I6 and I7: what the hub had to tell, what became of it, and what is there at the other end. */
import { truth } from '../pages.ts';
import { rows } from './hub.ts';
import type { SystemName, World } from './world.ts';

/** Who must hear of which fact, by docs/reference/facts.md and docs/concepts/the-flow.md. */
const HEARS: Readonly<Record<string, { system: SystemName; kind: string }>> = {
  'order.accepted': { system: 'erp', kind: 'sales_order' },
  'order.hold_ended': { system: 'erp', kind: 'sales_order' },
  'order.lines_added': { system: 'erp', kind: 'order_change' },
  'order.lines_cancelled': { system: 'erp', kind: 'order_cancellation' },
  'shipment.confirmed': { system: 'erp', kind: 'shipment_posting' },
  'return.received': { system: 'erp', kind: 'return_posting' },
  'return.inspected': { system: 'erp', kind: 'return_posting' },
  'charge.recorded': { system: 'erp', kind: 'charge' },
  'fulfilment.requested': { system: 'wms', kind: 'fulfilment' },
  'order.cancel_asked': { system: 'wms', kind: 'fulfilment_cancel' },
  'return.authorised': { system: 'wms', kind: 'return_announcement' },
};
/** What a fact may bring beside that: of an order that was held, what was cancelled of it meanwhile. */
const BESIDE: Readonly<Record<string, string>> = { 'order.hold_ended': 'order_cancellation' };
/** Facts that change nothing of what an account or a channel is shown of its order. */
const SILENT = new Set([
  'fulfilment.requested',
  'order.cancel_asked',
  'order.change_confirmed',
  'order.changed',
  'order.exception_raised',
  'order.hold_ended',
  'return.authorised',
  'stock.picked',
]);
/** The letters of docs/reference/tables.md; a refused one waits for a person as a parked one does. */
const STANDS: Readonly<Record<string, string>> = {
  c: 'confirmed',
  n: 'pending',
  s: 'pending',
  d: 'in doubt',
  p: 'parked',
  r: 'parked',
  x: 'cancelled',
};

interface Delivery {
  position: number;
  destination: number;
  kind: string;
  reference: string;
  state: string;
  wasSent: boolean;
  hasEnded: boolean;
}
interface Fact {
  position: number;
  transaction: string;
  type: string;
  stream: string;
  version: number;
}
/** Whether the plan has read a fact. */
type IsRead = (fact: Pick<Fact, 'position' | 'transaction'>) => boolean;

export async function judgeOutbound(world: World): Promise<void> {
  const isRead = await readCursor(world);
  const told = await judgeFacts(world, isRead);
  await judgePublications(world, isRead);
  await judgeEndpoints(world, told);
}

async function readCursor({ client }: World): Promise<IsRead> {
  type Cursor = { epoch: number; transaction: string; position: number };
  const [cursor] = (
    await client.query<Cursor>(
      "select epoch, transaction_id::text as transaction, position from log_cursor where consumer = 'outbound' and shard = 0",
    )
  ).rows;
  if (cursor === undefined) return () => false;
  const epochs = await client.query<{ epoch: number; after: number }>(
    'select epoch, after_position as after from log_epoch',
  );
  // Transaction ids count within an epoch: what lies before it was read to its end, what lies after it was not begun.
  const from = epochs.rows.find((row) => row.epoch === cursor.epoch)?.after ?? 0;
  const until = epochs.rows.find((row) => row.epoch === cursor.epoch + 1)?.after ?? Number.POSITIVE_INFINITY;
  const last = BigInt(cursor.transaction);
  return ({ position, transaction }) => {
    if (position <= from || position > until) return position <= from;
    const own = BigInt(transaction);
    return own < last || (own === last && position <= cursor.position);
  };
}

type Told = Map<string, Map<string, Delivery>>;

/** Facts and deliveries side by side, in the order of the facts' positions. @returns deliveries by destination and kind */
async function judgeFacts(world: World, isRead: IsRead): Promise<Told> {
  const { client, names, promises } = world;
  const { I6 } = promises;
  const told: Told = new Map();
  const deliveries = rows<Delivery>(
    client,
    `select fact_position as position, destination_id as destination, kind, reference, state, sent_at is not null as "wasSent",
            ended_at is not null as "hasEnded" from delivery order by fact_position, delivery_id`,
  );
  let next = await deliveries.next();
  const take = (): Delivery => {
    const delivery = next.value as Delivery;
    I6.look('deliveries');
    judgeDelivery(world, told, delivery);
    return delivery;
  };
  const [kept] = (await client.query("select kept_since from partitioned_table where table_name = 'fact'")).rows;
  const stray = (delivery: Delivery): void => {
    // Deliveries outlive their facts, which are kept for a time only.
    if (kept?.kept_since == null)
      I6.wrong(`${delivery.kind} ${delivery.reference} tells of no fact that it could tell of`);
  };
  const facts = rows<Fact>(
    client,
    `select position, transaction_id::text as transaction, type, stream, stream_version as version from fact
      where type in (${Object.keys(HEARS).map((type) => `'${type}'`)}) order by position`,
  );
  for await (const fact of facts) {
    I6.look('facts with a destination');
    const { system, kind } = HEARS[fact.type]!;
    for (; !next.done && next.value.position < fact.position; next = await deliveries.next()) stray(take());
    let count = 0;
    for (; !next.done && next.value.position === fact.position; next = await deliveries.next()) {
      const delivery = take();
      if (delivery.kind === kind && names.destinations.get(delivery.destination) === system) count += 1;
      else if (delivery.kind !== BESIDE[fact.type]) stray(delivery);
    }
    const name = `${fact.type} of ${fact.stream} (version ${fact.version})`;
    if (count > 1) I6.wrong(`${name} has ${count} deliveries to ${system}`);
    if (count === 1 && !isRead(fact)) I6.wrong(`${name} has a delivery and lies beyond the cursor, too`);
    if (count === 0 && isRead(fact) && !(await isTold(world, fact, kind)))
      I6.wrong(`${name} is in no state for ${system}: read, and no delivery`);
  }
  for (; !next.done; next = await deliveries.next()) stray(take());
  return told;
}

function judgeDelivery({ names, promises: { I6 } }: World, told: Told, delivery: Delivery): void {
  const { kind, reference, state } = delivery;
  const name = `${kind} ${reference}`;
  const stands = STANDS[state];
  if (stands === undefined) I6.wrong(`${name} is in no state (${state})`);
  else I6.look(stands);
  if (delivery.hasEnded !== ['c', 'r', 'x'].includes(state))
    I6.wrong(`${name} is ${stands ?? state} and has ${delivery.hasEnded ? '' : 'not '}ended`);
  if ((state === 'c' || state === 's') && !delivery.wasSent) I6.wrong(`${name} is ${stands} and was never sent`);
  const key = `${names.destinations.get(delivery.destination)}/${kind}`;
  let all = told.get(key);
  if (all === undefined) {
    all = new Map();
    told.set(key, all);
  }
  if (all.has(reference)) I6.wrong(`${name} has two deliveries`);
  all.set(reference, delivery);
}

/** Nobody but its account hears of an order of which nothing was accepted; what is said twice under one name is told once. */
async function isTold({ client }: World, fact: Fact, kind: string): Promise<boolean> {
  const { rows: found } = await client.query<{ data: Record<string, unknown> }>(
    'select data from fact where position = $1 and type = $2',
    [fact.position, fact.type],
  );
  const data = found[0]!.data;
  // While it is held the ERP hears nothing; what was cancelled meanwhile it hears with the order.
  if (data.untold === true) return true;
  if (fact.type === 'order.accepted' || fact.type === 'order.lines_added') {
    const lines = data.lines as { quantity: number; refused: number; held?: number }[];
    if (await isHeldThen(client, fact)) return true;
    return lines.every((line) => line.refused === line.quantity) || lines.some((line) => (line.held ?? 0) > 0);
  }
  // The ERP hears of what comes back once it is decided whether it is paid back, where somebody looks at it first.
  if (fact.type === 'return.received') return data.inspection === 'before_credit';
  if (fact.type === 'return.inspected') {
    const lines = data.lines as { restock: number; scrap: number }[];
    return data.inspection !== 'before_credit' || lines.every((line) => line.restock + line.scrap === 0);
  }
  if (fact.type !== 'shipment.confirmed' && fact.type !== 'charge.recorded') return false;
  const reference = fact.type === 'shipment.confirmed' ? `${data.source}/${data.shipment}` : data.reference;
  const other = await client.query('select 1 from delivery where kind = $1 and reference = $2', [kind, reference]);
  return other.rows.length === 1;
}

/** Whether it was held in the moment of the fact: one that was and is not any more says so itself. */
async function isHeldThen(client: World['client'], { stream, transaction }: Fact): Promise<boolean> {
  const held = await client.query(
    "select 1 from fact where stream = $1 and transaction_id::text = $2 and type = 'order.held'",
    [stream, transaction],
  );
  return held.rows.length > 0;
}

/** Each order has one publication for the CRM and one for the channel that sold it, which knows of the newest fact that shows. */
async function judgePublications(world: World, isRead: IsRead): Promise<void> {
  const { client, names, promises } = world;
  const { I6 } = promises;
  const newest = new Map<number, number>();
  const facts = rows<Fact & { orderId: number }>(
    client,
    `select position, transaction_id::text as transaction, type, substr(stream, 7)::bigint as "orderId", stream_version as version
       from fact where stream like 'order/%'`,
  );
  for await (const fact of facts)
    if (!SILENT.has(fact.type) && isRead(fact))
      newest.set(fact.orderId, Math.max(newest.get(fact.orderId) ?? 0, fact.version));
  const found = new Set<string>();
  type Row = { destination: number; kind: string; key: number; state: string; version: number; confirmed: number };
  const publications = `select destination_id as destination, kind, key, state, version, confirmed_version as confirmed
                          from publication`;
  for await (const row of rows<Row>(client, publications)) {
    I6.look('publications');
    const system = names.destinations.get(row.destination);
    const isOrder = row.kind === 'order_status';
    const subject = isOrder ? names.orders.get(row.key)?.reference : names.skus.get(row.key);
    const name = `${row.kind} of ${subject ?? row.key} for ${system}`;
    found.add(`${system}/${row.kind}/${row.key}`);
    const stands = row.state === 'n' && row.confirmed >= row.version ? 'confirmed' : STANDS[row.state];
    if (stands === undefined || row.state === 'c' || row.state === 'r')
      I6.wrong(`${name} is in no state (${row.state})`);
    else I6.look(stands);
    const needed = isOrder ? (newest.get(row.key) ?? 0) : 1;
    if (row.version < needed)
      I6.wrong(`${name} stands at ${row.version}, version ${needed} was read and is neither told nor to be told`);
  }
  for (const order of names.orders.values()) {
    if (!newest.has(order.orderId)) continue;
    const own = [...names.channels.values()].find((channel) => channel.code === order.channel)?.system;
    for (const system of new Set(['crm', own ?? 'crm']))
      if (!found.has(`${system}/order_status/${order.orderId}`))
        I6.wrong(`order_status of ${order.reference} is in no state for ${system}`);
  }
  await judgeNumbersTold(world, isRead, found);
}

/** What goods come and what they cost is said to every channel that sells by itself. */
async function judgeNumbersTold(world: World, isRead: IsRead, found: ReadonlySet<string>): Promise<void> {
  const { client, names, promises } = world;
  const selling = [...names.channels.values()].filter((channel) => channel.sellsByItself);
  type Row = Fact & { data: { skuId?: number; skuIds?: number[] } };
  const facts = rows<Row>(
    client,
    `select position, transaction_id::text as transaction, type, data from fact
      where type in ('stock.received', 'stock.adjusted', 'price.changed')`,
  );
  const lacking = new Set<string>();
  for await (const fact of facts) {
    if (!isRead(fact)) continue;
    const kind = fact.type === 'price.changed' ? 'price' : 'availability';
    for (const skuId of fact.data.skuIds ?? [fact.data.skuId!])
      for (const { system } of selling)
        if (!found.has(`${system}/${kind}/${skuId}`))
          lacking.add(`${kind} of ${names.skus.get(skuId)} is in no state for ${system}`);
  }
  for (const name of lacking) promises.I6.wrong(name);
}

async function judgeEndpoints(world: World, told: Told): Promise<void> {
  const { names, urls, seen, warehouse, promises } = world;
  const { I7 } = promises;
  I7.look('orders in the ERP', seen.orders.erp.size);
  compare(world, 'erp', told.get('erp/sales_order'), seen.orders.erp, 'order');
  const charges = new Map<string, number>();
  for await (const { key, count } of truth<{ key: string; count: number }>(urls.erp, 'charges'))
    charges.set(key, count);
  compare(world, 'erp', told.get('erp/charge'), charges, 'charge');
  // The ERP posts one document for each shipment and each return that it was told.
  const invoices = new Map<string, number>();
  const credits = new Map<string, number>();
  I7.look('postings in the ERP', seen.documents.length);
  for (const { kind, reference } of seen.documents) {
    const counts = kind === 'invoice' ? invoices : credits;
    counts.set(reference, (counts.get(reference) ?? 0) + 1);
  }
  compare(world, 'erp', told.get('erp/shipment_posting'), invoices, 'invoice of');
  compare(world, 'erp', told.get('erp/return_posting'), credits, 'credit note of');
  compare(world, 'erp', told.get('erp/order_cancellation'), seen.cancellations, 'cancellation');
  compare(world, 'erp', told.get('erp/order_change'), seen.changes, 'added lines');
  const { fulfilments, returns } = warehouse;
  I7.look('work in the WMS', fulfilments.size + returns.size + seen.cancels.size);
  compare(world, 'wms', told.get('wms/fulfilment'), once(fulfilments), 'fulfilment');
  compare(world, 'wms', told.get('wms/return_announcement'), once(returns), 'return');
  compare(world, 'wms', told.get('wms/fulfilment_cancel'), seen.cancels, 'cancel');

  const { crm } = seen.orders;
  I7.look('orders in the CRM', crm.size);
  for (const reference of crm.keys())
    if (!names.byReference.has(reference)) I7.wrong(`crm: order ${reference}, which the hub does not have`);
  for (const reference of names.byReference.keys())
    if (!crm.has(reference)) I7.wrong(`crm: order ${reference} is lost`);
  for (const system of ['shop', 'marketplace'] as const) {
    const sold = seen.orders[system];
    I7.look('orders in the channels', sold.size);
    for (const [key, version] of sold) {
      if (!names.byReference.has(`${system}/${key}`)) I7.wrong(`${system}: order ${key}, which the hub does not have`);
      else if (version === 0) I7.wrong(`${system}: order ${key} was never told its status`);
    }
    for (const order of names.orders.values())
      if (order.channel === system && !sold.has(order.number)) I7.wrong(`${system}: order ${order.number} is lost`);
  }
}

/** A system that is idempotent by our reference has no second one to show. */
const once = (keys: ReadonlySet<string>): Map<string, number> => new Map([...keys].map((key) => [key, 1]));

function compare(
  { promises: { I7 } }: World,
  system: string,
  told: ReadonlyMap<string, Delivery> | undefined,
  held: ReadonlyMap<string, number>,
  what: string,
): void {
  I7.look('keys', Math.max(held.size, told?.size ?? 0));
  for (const [reference, count] of held) {
    const delivery = told?.get(reference);
    if (count > 1) I7.wrong(`${system}: ${what} ${reference} is there ${count} times`);
    if (delivery === undefined) I7.wrong(`${system}: ${what} ${reference}, of which the hub told nothing`);
    else if (!delivery.wasSent) I7.wrong(`${system}: ${what} ${reference} is there and was never sent`);
  }
  for (const [reference, { state }] of told ?? [])
    if (state === 'c' && !held.has(reference)) I7.wrong(`${system}: ${what} ${reference} was confirmed and is lost`);
}

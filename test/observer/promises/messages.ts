/**
 * I5 and I11: what came in. Outside stand the feeds of the systems, which show every record they gave, and what callers were
 * answered; inside stand keys, messages, parked records, and what all of it brought.
 */
import { feed } from '../pages.ts';
import { rows } from './hub.ts';
import { readLines, type World } from './world.ts';

interface Key {
  state: string;
  parked: number;
  rawId: number;
  itemNo: number;
  subject: number | null;
  isKept: boolean;
}
/** Something from outside that must have left a key: scope and key, and what it was in words. */
interface Came {
  scope: string;
  key: string;
  from: 'records of systems' | 'answers to callers';
  what: string;
}

const STATES = new Set(['a', 'w', 'p', 's']);
/** Of these scopes the tables show what a message brought. Cancels show as units of their lines (I8), receipts of supply not at all. */
const BRINGS = /^(order|movement|picked|returned|inspected|shipped|document|charge|reservation)\//;
const nameOf = (scope: string, key: string): string => `${scope} ${key}`;

export async function judgeMessages(world: World): Promise<void> {
  const { I5, I11 } = world.promises;
  const keys = await readKeys(world);
  await judgeMessagesKept(world, keys);
  const effects = await readEffects(world, keys);
  const held = new Set<number>();
  for (const [name, { subject }] of keys) if (name.startsWith('reservation/') && effects.has(name)) held.add(subject!);
  const judge = ({ scope, key, from, what }: Came): void => {
    I5.look(from);
    if (keys.has(nameOf(scope, key))) return;
    I5.wrong(`${what} is in no state: no key ${nameOf(scope, key)}`);
    I11.wrong(`${what} was taken and is not there`);
  };
  for (const system of ['shop', 'marketplace', 'crm'] as const)
    for await (const record of feed<DemandRecord>(world.urls[system]))
      for (const came of demandKeys(system, record)) judge(came);
  const shipments = await readShipments(world);
  for await (const event of feed<StockRecord>(world.urls.wms)) {
    for (const came of stockKeys(event)) judge(came);
    if (event.reference.startsWith('res:')) judgeHold(world, held, event);
    // The hub knows a shipment by its number, its message by the WMS's event.
    if (event.type === 'shipped' && shipments.has(event.shipment!)) effects.add(nameOf('shipped/wms', event.id));
  }
  await judgeReports(world, judge);
  for (const { kind, number } of world.seen.documents)
    judge({
      scope: 'document/erp',
      key: `${kind}/${number}`,
      from: 'records of systems',
      what: `${number} of the ERP`,
    });
  await judgeAnswers(world, judge);
  judgeStates(world, keys, effects);
}

function judgeStates(
  { promises: { I5, I11 } }: World,
  keys: ReadonlyMap<string, Key>,
  effects: ReadonlySet<string>,
): void {
  for (const [name, key] of keys) {
    I5.look('keys');
    if (!STATES.has(key.state)) I5.wrong(`${name} is in no state (${key.state})`);
    const isOpen = key.state === 'w' || key.state === 'p';
    if (key.parked !== (isOpen ? 1 : 0)) I5.wrong(`${name} is ${key.state} and has ${key.parked} open parked records`);
    if (!BRINGS.test(name)) continue;
    I11.look('effects of records');
    const has = effects.has(name);
    if (has && key.state !== 'a') I5.wrong(`${name} is ${key.state} and has its effect all the same`);
    if (!has && key.state === 'a') I11.wrong(`${name} is applied and nothing of it is there`);
  }
  for (const name of effects) if (!keys.has(name)) I5.wrong(`${name} is there and no message brought it`);
}

async function readShipments({ client }: World): Promise<Set<string>> {
  const shipments = new Set<string>();
  for await (const row of rows<{ number: string }>(
    client,
    "select shipment_no as number from shipment where source = 'wms'",
  ))
    shipments.add(row.number);
  return shipments;
}

async function readKeys({ client, promises: { I5 } }: World): Promise<Map<string, Key>> {
  const keys = new Map<string, Key>();
  // Messages are kept for a time only, their keys for ever.
  type KeyRow = Omit<Key, 'parked'> & { scope: string; key: string };
  const inbound = `
    select scope, key, state, raw_id as "rawId", item_no as "itemNo", subject,
           recorded_at >= coalesce((select kept_since from partitioned_table where table_name = 'raw_record'), '-infinity') as "isKept"
      from inbound`;
  for await (const { scope, key, ...row } of rows<KeyRow>(client, inbound))
    keys.set(nameOf(scope, key), { ...row, parked: 0 });
  // Other content under a known key is set aside beside the first, which stays what it was.
  const parked = "select scope, key from parked_record where state = 'open' and class <> 'key_conflict'";
  for await (const { scope, key } of rows<{ scope: string; key: string }>(client, parked)) {
    const found = keys.get(nameOf(scope, key));
    if (found === undefined) I5.wrong(`${nameOf(scope, key)} is parked and has no key`);
    else found.parked += 1;
  }
  return keys;
}

/** The key that each order, movement, document … must have come by; shipments are known by the WMS's events alone. */
async function readEffects(world: World, keys: ReadonlyMap<string, Key>): Promise<Set<string>> {
  const { client, names } = world;
  const effects = new Set<string>();
  for (const order of names.orders.values()) effects.add(nameOf(`order/${order.channel}`, order.number));
  type Movement = { kind: string; source: string; sourceId: string };
  const moved = 'select kind, source, source_id as "sourceId" from stock_movement';
  // What came back and is looked at first moves stock when it was looked at, or never.
  type Returned = { type: string; source: string; sourceId: string };
  const returned =
    "select type, data->>'source' as source, data->>'sourceId' as \"sourceId\" from fact where type in ('return.received', 'return.inspected')";
  const looked = new Set<string>();
  for await (const { type, source, sourceId } of rows<Returned>(client, returned)) {
    effects.add(nameOf(`${type === 'return.received' ? 'returned' : 'inspected'}/${source}`, sourceId));
    if (type === 'return.inspected') looked.add(`${source} ${sourceId}`);
  }
  for await (const { kind, source, sourceId } of rows<Movement>(client, moved))
    if (kind !== 'returned' || !looked.has(`${source} ${sourceId}`))
      effects.add(nameOf(`${kind === 'picked' || kind === 'returned' ? kind : 'movement'}/${source}`, sourceId));
  type Document = { kind: string; source: string; number: string };
  const documents = 'select kind, source, invoice_no as number from invoice';
  for await (const { kind, source, number } of rows<Document>(client, documents))
    effects.add(nameOf(`document/${source}`, `${kind}/${number}`));
  const charges = "select substr(stream, 8) as reference from fact where type = 'charge.recorded'";
  for await (const { reference } of rows<{ reference: string }>(client, charges))
    effects.add(nameOf('charge/api', reference));
  const reservations = new Set<number>();
  for await (const { id } of rows<{ id: number }>(client, 'select reservation_id as id from reservation'))
    reservations.add(id);
  for (const [name, { subject }] of keys)
    if (name.startsWith('reservation/') && subject !== null && reservations.has(subject)) effects.add(name);
  return effects;
}

async function judgeMessagesKept({ client, promises: { I11 } }: World, keys: ReadonlyMap<string, Key>): Promise<void> {
  const items = new Map<number, number>();
  for await (const row of rows<{ id: number; items: number }>(client, 'select raw_id as id, items from raw_record')) {
    I11.look('messages');
    items.set(row.id, row.items);
  }
  const claimed = new Set<string>();
  for (const [name, { rawId, itemNo, isKept }] of keys) {
    // What the hub brought itself, such as a hold of its own, came in no message.
    if (rawId <= 0) continue;
    const place = `${rawId}/${itemNo}`;
    if (claimed.has(place)) I11.wrong(`item ${itemNo} of message ${rawId} became two keys, one of them ${name}`);
    claimed.add(place);
    if (!isKept) continue;
    const held = items.get(rawId);
    if (held === undefined) I11.wrong(`${name} came in message ${rawId}, which is not there`);
    else if (itemNo >= held) I11.wrong(`${name} came as item ${itemNo} of message ${rawId}, which has ${held}`);
  }
}

interface DemandRecord {
  seq: number;
  type: 'order' | 'cancel' | 'change' | 'return';
  number: string;
  /** Of changes and returns. */
  order: string;
  reference: string;
  lines: { order: string | null; lineNo: number | null; sku: string }[];
}
interface StockRecord {
  seq: number;
  id: string;
  type: 'picked' | 'short_picked' | 'shipped' | 'received' | 'adjusted' | 'returned' | 'inspected';
  reference: string;
  shipment?: string;
  lines: unknown[];
}

/** What accounts owe, and what products cost: each report is of its moment, the key's last part of what it says. */
async function judgeReports(world: World, judge: (came: Came) => void): Promise<void> {
  const { client, urls } = world;
  const known = new Map<string, string>();
  const select = "select scope, key from inbound where scope in ('credit/erp', 'price.changed/erp')";
  for await (const { scope, key } of rows<{ scope: string; key: string }>(client, select))
    known.set(nameOf(scope, key.slice(0, key.lastIndexOf(' '))), key);
  type Report = { seq: number; kind: string; company: string; account: string; sku: string; at: string };
  for await (const { kind, company, account, sku, at } of feed<Report>(urls.erp)) {
    if (kind !== 'credit' && kind !== 'price') continue;
    const [scope, key] =
      kind === 'credit' ? ['credit/erp', `${company}/${account} ${at}`] : ['price.changed/erp', `${sku} ${at}`];
    judge({
      scope,
      key: known.get(nameOf(scope, key)) ?? key,
      from: 'records of systems',
      what: `${kind} ${key} of the ERP`,
    });
  }
}

function demandKeys(channel: string, record: DemandRecord): Came[] {
  const from = 'records of systems';
  if (record.type === 'order')
    return [{ scope: `order/${channel}`, key: record.number, from, what: `order ${record.number} of ${channel}` }];
  const { type, reference } = record;
  if (type === 'change')
    return [
      {
        scope: `change/${channel}`,
        key: `${record.order}/${reference}`,
        from,
        what: `change ${reference} of ${channel}`,
      },
    ];
  if (type === 'return')
    return [
      {
        scope: `return/${channel}`,
        key: `${reference}/${record.order}`,
        from,
        what: `return ${reference} of ${channel}`,
      },
    ];
  const what = `cancel ${record.reference} of ${channel}`;
  return cancelKeys(record).map((key) => ({ scope: `cancel/${channel}`, key, from, what }));
}

/** A key for each line; the second of the same line is another. */
function cancelKeys({ reference, lines }: Pick<DemandRecord, 'reference' | 'lines'>): string[] {
  const times = new Map<string, number>();
  return lines.map(({ order, lineNo, sku }) => {
    const key = `${reference}/${order ?? '-'}/${lineNo ?? sku}`;
    const time = (times.get(key) ?? 0) + 1;
    times.set(key, time);
    return time === 1 ? key : `${key}#${time}`;
  });
}

function stockKeys({ id, type, lines }: StockRecord): Came[] {
  const from = 'records of systems';
  const what = `${type} ${id} of the WMS`;
  if (type !== 'received' && type !== 'adjusted') return [{ scope: `${type}/wms`, key: id, from, what }];
  return lines.map((_, index) => ({ scope: 'movement/wms', key: `${id}/${index}`, from, what }));
}

/** Goods that left under a hold: whoever took them was told its number. */
function judgeHold({ promises: { I11 } }: World, held: ReadonlySet<number>, event: StockRecord): void {
  I11.look('holds that were used');
  const id = Number.parseInt(event.reference.slice('res:'.length), 10);
  if (!held.has(id)) I11.wrong(`hold ${id} was granted, ${event.id} of the WMS used it, and it is not there`);
}

interface Answered {
  route: string;
  key: string;
  body: Record<string, unknown>;
  answer: Record<string, unknown>;
}
type Line = { lineNo: number; sku: string; quantity: number; amountMinor: number; standsFor?: number | null };

async function judgeAnswers(world: World, judge: (came: Came) => void): Promise<void> {
  const { client, names, promises } = world;
  const { I5, I11 } = promises;
  const skus = new Set(names.skus.values());
  const accounts = new Set<string>();
  for await (const { code } of rows<{ code: string }>(client, 'select code from account')) accounts.add(code);
  const priced = new Set<string>();
  for await (const { id } of rows<{ id: number }>(client, 'select distinct sku_id as id from price'))
    priced.add(names.skus.get(id)!);
  const added = new Map<number, number>();
  for await (const row of rows<{ id: number; amount: number }>(
    client,
    'select order_id as id, amount_minor as amount from order_line where adds_to is not null and stands_for is null',
  ))
    added.set(row.id, (added.get(row.id) ?? 0) + row.amount);
  const granted = new Map<number, number>();
  for await (const row of rows<{ id: number; units: number }>(
    client,
    'select reservation_id as id, quantity as units from reservation',
  ))
    granted.set(row.id, (granted.get(row.id) ?? 0) + row.units);
  const masters: Record<string, [ReadonlySet<string>, string]> = {
    products: [skus, 'sku'],
    accounts: [accounts, 'account'],
    prices: [priced, 'sku'],
  };
  const from = 'answers to callers';
  for await (const { route, key, body, answer } of readLines<Answered>(world.answered)) {
    const item = (scope: string, itemKey: string, what: string): void => {
      I11.look(from);
      judge({ scope, key: itemKey, from, what });
    };
    if (route === 'orders') {
      const reference = `${body.channel}/${body.externalNo}`;
      item(`order/${body.channel}`, String(body.externalNo), `order ${reference}`);
      const order = names.byReference.get(reference);
      if (String(order?.orderId) !== answer.orderId)
        I11.wrong(`order ${reference} was answered as ${answer.orderId} and is ${order?.orderId ?? 'not there'}`);
      // What stands for a line costs what that costs; what was added since was answered on its own.
      const total = (answer.lines as Line[]).reduce(
        (sum, line) => sum + (line.standsFor == null ? line.amountMinor : 0),
        0,
      );
      if (order !== undefined && order.totalMinor - (added.get(order.orderId) ?? 0) !== total)
        I11.wrong(`order ${reference} was answered with ${total} and comes to ${order.totalMinor}`);
    } else if (route === 'reservations') {
      I5.look(from);
      I11.look(from);
      const id = Number(answer.reservationId);
      const units = (answer.lines as { quantity: number }[]).reduce((sum, line) => sum + line.quantity, 0);
      if (granted.get(id) !== units)
        I11.wrong(`hold ${key} was answered with ${units} units, ${granted.get(id) ?? 'none'} are there`);
    } else if (route === 'returns') {
      item(`return/${body.channel}`, `${body.reference}/${body.order}`, `return ${body.reference} of the API`);
    } else if (/^orders\/\d+\/(changes|cancel)$/.test(route)) {
      const order = names.orders.get(Number(route.split('/')[1]));
      const [scope, what] = route.endsWith('changes')
        ? ['change', 'change']
        : ['order_cancel', 'cancel of the order by'];
      item(`${scope}/${order?.channel}`, `${order?.number}/${body.reference}`, `${what} ${body.reference} of the API`);
    } else if (/^holds\/\d+\/release$/.test(route)) {
      I5.look(from);
      I11.look(from);
      const id = Number(answer.holdId);
      const [hold] = (await client.query<{ state: string }>('select state from order_hold where hold_id = $1', [id]))
        .rows;
      if (hold?.state !== 'released') I11.wrong(`hold ${id} was released and is ${hold?.state ?? 'not there'}`);
    } else if (route === 'cancellations' || route === 'charges') {
      const results = answer.results as { status: number }[];
      for (const [i, sent] of (body[route] as (DemandRecord & { channel: string })[]).entries()) {
        if (results[i]!.status >= 300) continue;
        const what = `${route} ${sent.reference} of the API`;
        if (route === 'charges') item('charge/api', sent.reference, what);
        else for (const cancelKey of cancelKeys(sent)) item(`cancel/${sent.channel}`, cancelKey, what);
      }
    } else {
      const master = masters[route];
      if (master === undefined) throw new Error(`nobody knows what ${route} leaves behind`);
      const [held, field] = master;
      const results = answer.results as { status?: number }[] | undefined;
      for (const [i, sent] of (body[route] as Record<string, string>[]).entries()) {
        if ((results?.[i]?.status ?? 200) >= 300) continue;
        I11.look(from);
        const name = sent[field] ?? sent.code ?? '?';
        if (!held.has(name)) I11.wrong(`${route} ${name} was taken and is not there`);
      }
    }
  }
}

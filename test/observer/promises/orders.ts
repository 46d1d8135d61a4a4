/** I8: each order's facts, played along the declared machine, against the order as it stands. */
import { rows } from './hub.ts';
import { LINE_COUNTS, type Machine, type PlayedLine, PlayedOrder, type Told } from './machine.ts';
import type { World } from './world.ts';

const ORDERS_PER_LOOK = 200;

interface Fact {
  orderId: number;
  version: number;
  type: string;
  data: Told;
}

export async function judgeOrders(world: World, machine: Machine): Promise<void> {
  const { client, names, promises } = world;
  const { I8 } = promises;
  // Facts are kept for a time only: of an older order the first ones may be gone, and nothing can be played.
  const [kept] = (await client.query("select kept_since from partitioned_table where table_name = 'fact'")).rows;
  const silent = new Set(names.orders.keys());
  let played = new Map<number, PlayedOrder>();
  let broken = new Set<number>();
  const look = async (): Promise<void> => {
    await compare(world, played, broken);
    played = new Map();
    broken = new Set();
  };
  const facts = rows<Fact>(
    client,
    `select substr(stream, 7)::bigint as "orderId", stream_version as version, type, data from fact
      where stream >= 'order/' and stream < 'order0' order by stream, stream_version`,
  );
  for await (const { orderId, version, type, data } of facts) {
    I8.look('facts');
    let order = played.get(orderId);
    if (order === undefined) {
      if (played.size === ORDERS_PER_LOOK) await look();
      order = new PlayedOrder();
      played.set(orderId, order);
      silent.delete(orderId);
      if (version > 1 && kept?.kept_since != null) broken.add(orderId);
    }
    // What follows the first thing that may not be proves nothing.
    if (broken.has(orderId)) continue;
    const before = order.state;
    const fault = order.play(machine, version, type, data);
    if (before !== order.state) I8.look('steps');
    if (fault === undefined) continue;
    broken.add(orderId);
    I8.wrong(`${names.orders.get(orderId)?.reference ?? `order ${orderId}`}: ${fault}`);
  }
  await look();
  if (kept?.kept_since != null) return;
  for (const orderId of silent) I8.wrong(`${names.orders.get(orderId)!.reference} has no facts`);
}

async function compare(
  world: World,
  played: ReadonlyMap<number, PlayedOrder>,
  broken: ReadonlySet<number>,
): Promise<void> {
  const { client, names, promises } = world;
  const { I8 } = promises;
  const found = new Map<number, Map<number, PlayedLine>>();
  type Row = PlayedLine & { order_id: number; line_no: number };
  const { rows: lines } = await client.query<Row>(
    `select order_id, line_no, ${LINE_COUNTS.join(', ')} from order_line where order_id = any($1)`,
    [[...played.keys()]],
  );
  for (const line of lines) {
    const all = found.get(line.order_id) ?? new Map<number, PlayedLine>();
    found.set(line.order_id, all.set(line.line_no, line));
  }
  for (const [orderId, order] of played) {
    if (broken.has(orderId)) continue;
    const head = names.orders.get(orderId);
    if (head === undefined) {
      I8.wrong(`order ${orderId} has facts and is not there`);
      continue;
    }
    I8.same('orders', `${head.reference} state`, order.state, head.state);
    I8.same('orders', `${head.reference} version`, order.version, head.version);
    const held = found.get(orderId) ?? new Map<number, PlayedLine>();
    for (const [lineNo, line] of order.lines) {
      I8.look('order lines');
      const name = LINE_COUNTS.find((each) => line[each] !== held.get(lineNo)?.[each]);
      if (name !== undefined)
        I8.wrong(
          `${head.reference}/${lineNo}: ${name} ${held.get(lineNo)?.[name] ?? 'nothing'}, its facts give ${line[name]}`,
        );
    }
    for (const lineNo of held.keys())
      if (!order.lines.has(lineNo)) I8.wrong(`${head.reference}/${lineNo} was never ordered`);
  }
}

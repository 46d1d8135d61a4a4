/** I10: what the hub says an order costs, and each system that holds money of it. */
import { amountMinor } from '../../../sim/feeder/money.ts';
import { feed, truth } from '../pages.ts';
import { rows } from './hub.ts';
import type { World } from './world.ts';

const ORDERS_PER_LOOK = 100;

interface HubLine {
  isStandIn: boolean;
  addsTo: number | null;
  orderId: number;
  lineNo: number;
  quantity: number;
  refused: number;
  unitPrice: string;
  pricePer: number;
  amount: number;
  shipped: number;
  shippedMinor: number;
  invoicedMinor: number;
  cancelledMinor: number;
  returnedMinor: number;
  creditedMinor: number;
}
interface HeldLine {
  lineNo: number;
  quantity: number;
  unitPrice?: string;
  pricePer?: number;
  amountMinor?: number;
  cancelledMinor?: number;
  invoicedMinor?: number;
  creditedMinor?: number;
}
interface Held {
  key: string;
  count?: number;
  version?: number;
  statusVersion?: number;
  currency?: string;
  totalMinor: number;
  lines: HeldLine[];
}

export async function judgeAmounts(world: World): Promise<void> {
  const { urls } = world;
  await judgeOwn(world);
  await judgeSystem(world, 'erp', truth<Held>(urls.erp, 'orders'), (key) => key);
  await judgeSystem(world, 'crm', truth<Held>(urls.crm, 'orders'), (key) => key);
  for (const system of ['shop', 'marketplace'] as const)
    await judgeSystem(world, system, truth<Held>(urls[system], 'orders'), (key) => `${system}/${key}`);
  await judgeDocuments(world);
}

const COLUMNS = `adds_to as "addsTo", stands_for is not null as "isStandIn", order_id as "orderId", line_no as "lineNo", quantity, refused, unit_price::text as "unitPrice", price_per as "pricePer",
  amount_minor as amount, shipped, shipped_minor as "shippedMinor", invoiced_minor as "invoicedMinor",
  cancelled_minor as "cancelledMinor", returned_minor as "returnedMinor", credited_minor as "creditedMinor"`;

const CHARGES = 'select order_id as "orderId", amount_minor as amount from order_charge';

const costs = (line: HubLine, quantity: number): number => Number(amountMinor(line.unitPrice, quantity, line.pricePer));

/** The hub against itself: lines at their price, parts that add up to them, orders as the sum of their lines. */
async function judgeOwn({ client, names, promises: { I10 } }: World): Promise<void> {
  const sums = new Map<number, number>();
  for await (const line of rows<HubLine>(client, `select ${COLUMNS} from order_line`)) {
    // What stands for an ordered line has its price already in that line.
    if (!line.isStandIn) sums.set(line.orderId, (sums.get(line.orderId) ?? 0) + line.amount);
    const name = `${names.orders.get(line.orderId)?.reference}/${line.lineNo}`;
    I10.same('lines', `${name} amount`, costs(line, line.quantity), line.amount);
    const accepted = costs(line, line.quantity - line.refused);
    if (line.shippedMinor + line.cancelledMinor > accepted)
      I10.wrong(`${name}: ${line.shippedMinor} shipped + ${line.cancelledMinor} cancelled of ${accepted}`);
    if (line.invoicedMinor > line.shippedMinor)
      I10.wrong(`${name}: ${line.invoicedMinor} invoiced of ${line.shippedMinor} shipped`);
    if (line.creditedMinor > line.returnedMinor)
      I10.wrong(`${name}: ${line.creditedMinor} credited of ${line.returnedMinor} returned`);
  }
  type Charge = { orderId: number; amount: number };
  for await (const { orderId, amount } of rows<Charge>(client, CHARGES))
    sums.set(orderId, (sums.get(orderId) ?? 0) + amount);
  for (const order of names.orders.values())
    I10.same('orders', `${order.reference} total`, sums.get(order.orderId) ?? 0, order.totalMinor);
}

async function judgeSystem(
  world: World,
  system: keyof World['seen']['orders'],
  truths: AsyncGenerator<Held>,
  referenceOf: (key: string) => string,
): Promise<void> {
  let page: Held[] = [];
  for await (const held of truths) {
    world.seen.orders[system].set(held.key, held.statusVersion ?? held.version ?? held.count ?? 1);
    page.push(held);
    if (page.length < ORDERS_PER_LOOK) continue;
    await judgePage(world, system, page, referenceOf);
    page = [];
  }
  await judgePage(world, system, page, referenceOf);
}

async function judgePage(
  world: World,
  system: string,
  page: readonly Held[],
  referenceOf: (key: string) => string,
): Promise<void> {
  const { client, names, promises } = world;
  const { I10 } = promises;
  const ids = page.flatMap((held) => names.byReference.get(referenceOf(held.key))?.orderId ?? []);
  const { rows: found } = await client.query<HubLine>(`select ${COLUMNS} from order_line where order_id = any($1)`, [
    ids,
  ]);
  const lines = new Map(found.map((line) => [`${line.orderId}/${line.lineNo}`, line]));
  const { rows: charges } = await client.query<{ orderId: number; amount: number }>(
    `${CHARGES} where order_id = any($1)`,
    [ids],
  );
  // Who ordered a line sees what was added to it as one with it.
  const ordered = new Map<string, number>();
  for (const line of found) {
    const key = `${line.orderId}/${line.addsTo ?? line.lineNo}`;
    if (!line.isStandIn) ordered.set(key, (ordered.get(key) ?? 0) + line.amount);
  }
  for (const held of page) {
    const head = names.byReference.get(referenceOf(held.key));
    // Whether it may be there at all is I7's question.
    if (head === undefined) continue;
    const isErp = system === 'erp';
    let total = charges.reduce((sum, { orderId, amount }) => sum + (orderId === head.orderId ? amount : 0), 0);
    for (const part of held.lines) {
      const line = lines.get(`${head.orderId}/${part.lineNo}`);
      const key = `${system}: ${head.reference}/${part.lineNo}`;
      if (line === undefined) {
        I10.wrong(`${key} is no line of the hub's`);
        continue;
      }
      // The ERP holds what was accepted, everybody else what was ordered.
      const amount = isErp
        ? costs(line, line.quantity - line.refused)
        : (ordered.get(`${head.orderId}/${part.lineNo}`) ?? 0);
      total += amount;
      I10.look(isErp ? 'lines in the ERP' : 'lines elsewhere');
      const told = part.amountMinor ?? Number(amountMinor(part.unitPrice!, part.quantity, part.pricePer));
      if (told !== amount) I10.wrong(`${key}: ${told} instead of ${amount}`);
      for (const field of ['invoicedMinor', 'cancelledMinor', 'creditedMinor'] as const)
        if (part[field] !== undefined && part[field] !== line[field])
          I10.wrong(`${key} ${field}: ${part[field]} instead of ${line[field]}`);
    }
    if (held.totalMinor !== total)
      I10.wrong(`${system}: ${head.reference} comes to ${held.totalMinor} instead of ${total}`);
    if (!isErp && held.totalMinor !== head.totalMinor)
      I10.wrong(`${system}: ${head.reference} comes to ${held.totalMinor}, in the hub to ${head.totalMinor}`);
    if (held.currency !== undefined && held.currency !== head.currency)
      I10.wrong(`${system}: ${head.reference} is in ${held.currency} instead of ${head.currency}`);
  }
}

interface Document {
  order: string;
  currency: string;
  total: number;
  lines: string;
}
type Part = { lineNo: number; quantity: number; amountMinor: number };

const asText = (lines: readonly Part[]): string =>
  [...lines]
    .sort((a, b) => a.lineNo - b.lineNo)
    .map((line) => `${line.lineNo}: ${line.quantity} = ${line.amountMinor}`)
    .join(', ');

/** Each invoice and credit note that the ERP posted is the hub's, to the line; and there are no others. */
async function judgeDocuments({ client, names, urls, seen, promises: { I10 } }: World): Promise<void> {
  const documents = new Map<string, Document>();
  type Row = { kind: string; number: string; orderId: number; currency: string; total: number; lines: Part[] };
  const invoices = `select kind, source || '/' || invoice_no as number, order_id as "orderId", currency, total_minor as total, lines from invoice`;
  for await (const row of rows<Row>(client, invoices)) {
    const sum = row.lines.reduce((all, line) => all + line.amountMinor, 0);
    if (sum !== row.total) I10.wrong(`${row.kind} ${row.number} comes to ${row.total}, its lines to ${sum}`);
    const order = names.orders.get(row.orderId)?.reference ?? `order ${row.orderId}`;
    documents.set(`${row.kind} ${row.number}`, {
      order,
      currency: row.currency,
      total: row.total,
      lines: asText(row.lines),
    });
  }
  type Posted = {
    seq: number;
    kind: string;
    number: string;
    reference: string;
    order: string;
    currency: string;
    totalMinor: number;
    lines: Part[];
  };
  for await (const posted of feed<Posted>(urls.erp)) {
    const { kind, number, reference } = posted;
    // What accounts owe and products cost is in the same feed.
    if (kind !== 'invoice' && kind !== 'credit_note') continue;
    const name = `${kind} erp/${number}`;
    seen.documents.push({ kind, number, reference });
    const held = documents.get(name);
    documents.delete(name);
    const said: Document = {
      order: posted.order,
      currency: posted.currency,
      total: posted.totalMinor,
      lines: asText(posted.lines),
    };
    I10.look('documents');
    for (const field of ['order', 'currency', 'total', 'lines'] as const)
      if (held?.[field] !== said[field]) {
        I10.wrong(`${name} ${field}: ${held?.[field] ?? 'nothing'} in the hub, ${said[field]} in the ERP`);
        break;
      }
  }
  for (const name of documents.keys()) I10.wrong(`${name} is in the hub and was never posted`);
}

/**
 * I10 of orders with charges or taxes, and of what was inspected: agreed = left + cancelled, invoiced ≤ left, credited ≤ invoiced, back = left once all
 * is back; every system told the same. Worked out from rows and facts by sums and bounds alone; no rounding rule of the hub's is known here.
 */
import { rows } from './hub.ts';
import type { World } from './world.ts';

interface Money {
  amountMinor: number;
  taxMinor?: number;
}
type Part = Money & {
  lineNo: number;
  quantity: number;
  askedMinor?: number;
  askedTaxMinor?: number;
  creditMinor?: number;
};
type ChargePart = Money & { chargeNo: number | null; askedMinor?: number; askedTaxMinor?: number };

class Sum {
  amount = 0;
  tax = 0;
  quantity = 0;
  add({ amountMinor, taxMinor = 0 }: Money, quantity = 0, sign = 1): void {
    this.amount += sign * amountMinor;
    this.tax += sign * taxMinor;
    this.quantity += sign * quantity;
  }
  get text(): string {
    return `${this.amount} and tax ${this.tax}`;
  }
}
const STAGES = ['left', 'cancelled', 'back', 'asked', 'invoiced', 'credited'] as const;
type Stages = Record<(typeof STAGES)[number], Sum>;
const noStages = (): Stages => Object.fromEntries(STAGES.map((name) => [name, new Sum()])) as unknown as Stages;

interface Bill {
  reference: string;
  total: number;
  tax: number;
  isOut: boolean;
  isClosed: boolean;
  agreed: Map<
    string,
    { amount: number; tax: number; invoiced?: number; ended?: number; due?: number; refunded?: number }
  >;
  parts: Map<string, Stages>;
  taxes: number;
  goods: number;
  /** Whether each of its invoices says its charges; its tax. */
  saysCharges: boolean;
  saysTax: boolean;
  told: Map<string, Sum>;
}

type Judged = Pick<World, 'client' | 'names' | 'promises'>;

export async function judgeBills(world: Judged): Promise<void> {
  const bills = await readBills(world);
  await readParts(world, bills);
  for (const bill of bills.values()) judge(world, bill);
  await judgeInspections(world);
}

async function readBills({ client, names }: Judged): Promise<Map<number, Bill>> {
  const bills = new Map<number, Bill>();
  type Head = { orderId: number; total: number; tax: number; isOut: boolean; state: string };
  const heads = `select order_id as "orderId", total_minor as total, tax_minor as tax, units_shipped >= units_open as "isOut", state
                   from sales_order where is_charged and state <> 'refused'`;
  for await (const { orderId, state, ...head } of rows<Head>(client, heads))
    bills.set(orderId, {
      ...{
        ...head,
        reference: names.orders.get(orderId)?.reference ?? `order ${orderId}`,
        isClosed: state === 'closed',
      },
      ...{ agreed: new Map(), parts: new Map(), taxes: 0, goods: 0, saysCharges: true, saysTax: true, told: new Map() },
    });
  const ids = [...bills.keys()];
  type Charge = {
    orderId: number;
    no: number;
    amount: number;
    tax: number;
    due: number;
    ended: number;
    refunded: number;
    invoiced: number;
  };
  const charges = await client.query<Charge>(
    `select order_id as "orderId", charge_no as no, amount_minor as amount, tax_minor as tax, due_minor as due, cancelled_minor as ended,
            refunded_minor as refunded, invoiced_minor as invoiced from order_charge where order_id = any($1)`,
    [ids],
  );
  for (const { orderId, no, ...charge } of charges.rows) bills.get(orderId)!.agreed.set(`charge ${no}`, charge);
  type Line = {
    orderId: number;
    no: number;
    amount: number;
    tax: number;
    refused: number;
    isStandIn: boolean;
  };
  const lines = await client.query<Line>(
    `select order_id as "orderId", line_no as no, amount_minor as amount, tax_minor as tax, refused, stands_for is not null as "isStandIn"
       from order_line where order_id = any($1)`,
    [ids],
  );
  for (const { orderId, no, amount, tax, refused, isStandIn } of lines.rows) {
    const bill = bills.get(orderId)!;
    if (!isStandIn) bill.goods += amount;
    // Of a line that was refused in part nobody but its own rule knows what is left of it.
    if (refused === 0) bill.agreed.set(`line ${no}`, { amount, tax });
  }
  const taxes = await client.query<{ orderId: number; tax: number }>(
    `select order_id as "orderId", sum(tax_minor)::bigint as tax from order_tax where order_id = any($1) group by order_id`,
    [ids],
  );
  for (const { orderId, tax } of taxes.rows) bills.get(orderId)!.taxes = tax;
  return bills;
}

async function readParts({ client, promises: { I10 } }: Judged, bills: ReadonlyMap<number, Bill>): Promise<void> {
  const of = (bill: Bill, name: string): Stages => {
    const known = bill.parts.get(name) ?? noStages();
    bill.parts.set(name, known);
    return known;
  };
  type Told = { lines?: Part[]; charges?: ChargePart[]; fee?: Money; inspection?: string; untold?: boolean };
  const facts = `select substr(stream, 7)::bigint as "orderId", type, data from fact where stream >= 'order/' and stream < 'order0'
                   and type in ('shipment.confirmed', 'order.lines_cancelled', 'return.received', 'return.inspected', 'order.hold_ended')`;
  for await (const { orderId, type, data } of rows<{ orderId: number; type: string; data: Told }>(client, facts)) {
    const bill = bills.get(orderId);
    if (bill === undefined || type === 'order.hold_ended') continue;
    const isBack = type.startsWith('return.');
    if (type === 'return.inspected' && data.inspection !== 'before_credit') continue;
    const stage = isBack ? 'back' : type === 'shipment.confirmed' ? 'left' : 'cancelled';
    for (const line of data.lines ?? []) {
      if (type === 'return.inspected') continue;
      of(bill, `line ${line.lineNo}`)[stage].add(line, line.quantity);
    }
    for (const charge of data.charges ?? []) {
      of(bill, `charge ${charge.chargeNo}`)[stage].add(charge);
      const { askedMinor = charge.amountMinor, askedTaxMinor = charge.taxMinor ?? 0 } = charge;
      if (isBack) of(bill, `charge ${charge.chargeNo}`).asked.add({ amountMinor: askedMinor, taxMinor: askedTaxMinor });
    }
  }
  type Document = {
    orderId: number;
    kind: string;
    number: string;
    total: number;
    tax: number | null;
    lines: Part[];
    charges: ChargePart[] | null;
  };
  const invoices = `select order_id as "orderId", kind, source || '/' || invoice_no as number, total_minor as total, tax_minor as tax, lines, charges from invoice`;
  for await (const { orderId, kind, number, total, tax, lines, charges } of rows<Document>(client, invoices)) {
    const bill = bills.get(orderId);
    if (bill === undefined) continue;
    I10.look('documents with charges or tax');
    const stage = kind === 'invoice' ? 'invoiced' : 'credited';
    if (kind === 'invoice') {
      bill.saysCharges &&= charges !== null;
      bill.saysTax &&= tax !== null;
    }
    const sum = new Sum();
    for (const line of lines) {
      of(bill, `line ${line.lineNo}`)[stage].add(line, line.quantity);
      sum.add(line);
    }
    for (const charge of charges ?? []) {
      sum.add(charge);
      if (charge.chargeNo !== null) of(bill, `charge ${charge.chargeNo}`)[stage].add(charge);
      else if (kind === 'invoice') of(bill, 'a charge nobody agreed to').invoiced.add(charge);
      else if (charge.amountMinor > 0) of(bill, 'a charge nobody agreed to').credited.add(charge);
    }
    const name = `${kind} ${number} of ${bill.reference}`;
    I10.same('documents', `${name} total`, sum.amount, total);
    if (tax !== null && [...lines, ...(charges ?? [])].every((part) => part.taxMinor !== undefined))
      I10.same('documents', `${name} tax`, sum.tax, tax);
  }
  // What the ERP was told, as it was told.
  type Delivery = { orderId: number; kind: string; payload: { lines: Part[]; charges?: ChargePart[] } };
  const deliveries = `select order_id as "orderId", kind, payload from delivery where order_id is not null
                        and kind in ('shipment_posting', 'order_cancellation', 'return_posting')`;
  for await (const { orderId, kind, payload } of rows<Delivery>(client, deliveries)) {
    const bill = bills.get(orderId);
    if (bill === undefined) continue;
    const told = bill.told.get(kind) ?? new Sum();
    bill.told.set(kind, told);
    for (const part of [...payload.lines, ...(payload.charges ?? []).filter(({ chargeNo }) => chargeNo !== null)])
      told.add(part);
  }
}

const isBeyond = (part: number, of: number): boolean =>
  Math.sign(part) * Math.sign(of) < 0 || Math.abs(part) > Math.abs(of);

function judge({ promises: { I10 } }: Judged, bill: Bill): void {
  const { reference, agreed, parts } = bill;
  const charges = [...agreed].filter(([name]) => name.startsWith('charge'));
  const sumOf = (of: 'amount' | 'tax') => charges.reduce((sum, [, charge]) => sum + charge[of], 0);
  I10.same('orders with charges or tax', `${reference} total with charges`, bill.goods + sumOf('amount'), bill.total);
  I10.same('orders with charges or tax', `${reference} tax`, bill.taxes, bill.tax);
  for (const [name, one] of agreed) {
    const { left, cancelled, back, invoiced, credited } = parts.get(name) ?? noStages();
    const key = `${reference} ${name}`;
    I10.look('lines and charges');
    for (const side of ['amount', 'tax'] as const) {
      const whole = one[side];
      const gone = left[side] + cancelled[side];
      const isSaid = side === 'amount' || bill.taxes !== 0;
      if (!isSaid) continue;
      if (isBeyond(gone, whole) || (bill.isOut && gone !== whole))
        I10.wrong(`${key}: ${left.text} left and ${cancelled.text} was cancelled of ${one.amount} and tax ${one.tax}`);
      if (
        isBeyond(back[side], left[side]) ||
        (left.quantity > 0 && back.quantity === left.quantity && back[side] !== left[side])
      )
        I10.wrong(`${key}: ${back.text} came back of ${left.text}`);
      const isJudged = side === 'amount' || bill.saysTax;
      const setRight =
        invoiced[side] - Math.sign(credited[side]) * Math.max(0, Math.abs(credited[side]) - Math.abs(back[side]));
      if (isJudged && isBeyond(setRight, left[side]))
        I10.wrong(`${key}: ${invoiced.text} was invoiced of ${left.text}`);
      if (
        isJudged &&
        (bill.saysCharges || name.startsWith('line')) &&
        bill.isClosed &&
        Math.abs(invoiced[side]) < Math.abs(left[side])
      )
        I10.wrong(`${key}: only ${invoiced.text} was invoiced of ${left.text}`);
      if (credited[side] !== 0 && (invoiced[side] - credited[side]) * Math.sign(whole) < 0)
        I10.wrong(`${key}: ${credited.text} was credited of ${invoiced.text}`);
    }
    for (const [field, sum] of [
      ['due', left],
      ['ended', cancelled],
      ['refunded', back],
      ['invoiced', invoiced],
    ] as const)
      if (one[field] !== undefined && one[field] !== sum.amount)
        I10.wrong(`${key}: ${field} is ${one[field]}, its facts give ${sum.amount}`);
  }
  const stray = parts.get('a charge nobody agreed to');
  if (stray !== undefined && stray.invoiced.amount !== stray.credited.amount)
    I10.wrong(`${reference}: ${stray.invoiced.amount} of charges that nobody agreed to`);
  const all = new Map(STAGES.map((stage) => [stage, new Sum()]));
  for (const stages of parts.values())
    for (const stage of STAGES) all.get(stage)!.add({ amountMinor: stages[stage].amount, taxMinor: stages[stage].tax });
  for (const [kind, stage] of [
    ['shipment_posting', 'left'],
    ['order_cancellation', 'cancelled'],
  ] as const) {
    const told = bill.told.get(kind);
    if (told !== undefined && told.text !== all.get(stage)!.text)
      I10.wrong(`${reference}: the ERP was told ${told.text} by ${kind}, ${all.get(stage)!.text} ${stage}`);
  }
}

/** Each unit that came back is in one place, and on hand by a movement. */
async function judgeInspections({ client, names, promises: { I8 } }: Judged): Promise<void> {
  type Row = {
    orderId: number;
    returnId: number;
    lineNo: number;
    skuId: number;
    received: number;
    restocked: number;
    scrapped: number;
    quarantined: number;
    isInspected: boolean;
  };
  const found = new Map<string, Row>();
  const backOf = new Map<string, number>();
  const onHand = new Map<string, number>();
  const lines = `select l.order_id as "orderId", l.return_id as "returnId", l.line_no as "lineNo", l.sku_id as "skuId", l.received, l.restocked, l.scrapped,
                        l.quarantined, a.inspection is not null as "isInspected"
                   from return_line l join return_authorisation a on a.order_id = l.order_id and a.return_id = l.return_id`;
  for await (const row of rows<Row>(client, lines)) {
    found.set(`${row.orderId}/${row.returnId}/${row.lineNo}`, row);
    const line = `${row.orderId}/${row.lineNo}`;
    backOf.set(line, (backOf.get(line) ?? 0) + row.received);
    const sku = `${row.orderId}/${row.skuId}`;
    onHand.set(sku, (onHand.get(sku) ?? 0) + row.restocked);
  }
  const name = (orderId: number) => names.orders.get(orderId)?.reference ?? `order ${orderId}`;
  const told = new Map<string, { received: number; restock: number; scrap: number; quarantine: number }>();
  const of = (key: string) => {
    const known = told.get(key) ?? { received: 0, restock: 0, scrap: 0, quarantine: 0 };
    told.set(key, known);
    return known;
  };
  type Receipt = { orderId: number; returnId: number; lines: { lineNo: number; quantity: number }[] };
  const receipts = `select order_id as "orderId", return_id as "returnId", lines from return_receipt`;
  for await (const { orderId, returnId, lines } of rows<Receipt>(client, receipts))
    for (const { lineNo, quantity } of lines) of(`${orderId}/${returnId}/${lineNo}`).received += quantity;
  type Look = {
    orderId: number;
    returnId: number;
    lines: { lineNo: number; restock: number; scrap: number; quarantine: number; from: string }[];
  };
  const looks = `select order_id as "orderId", return_id as "returnId", lines from return_inspection`;
  for await (const { orderId, returnId, lines } of rows<Look>(client, looks))
    for (const { lineNo, restock, scrap, quarantine, from } of lines) {
      const sum = of(`${orderId}/${returnId}/${lineNo}`);
      sum.restock += restock;
      sum.scrap += scrap;
      sum.quarantine += quarantine - (from === 'quarantine' ? restock + scrap + quarantine : 0);
    }
  for (const [key, row] of found) {
    const { received, restock, scrap, quarantine } = of(key);
    const { restocked, scrapped, quarantined, isInspected } = row;
    I8.look('units that came back', row.received);
    const expected = isInspected ? [received, restock, scrap, quarantine] : [received, received, 0, 0];
    const there = [row.received, restocked, scrapped, quarantined];
    if (expected.join() !== there.join())
      I8.wrong(
        `${name(row.orderId)}/${row.lineNo}: came back, restocked, scrapped, set apart ${there.join(' ')}; as it was told ${expected.join(' ')}`,
      );
    if (restocked + scrapped + quarantined > row.received)
      I8.wrong(
        `${name(row.orderId)}/${row.lineNo}: ${restocked + scrapped + quarantined} looked at of ${row.received}`,
      );
  }
  type Returned = { orderId: number; lineNo: number; returned: number };
  for await (const { orderId, lineNo, returned } of rows<Returned>(
    client,
    `select order_id as "orderId", line_no as "lineNo", returned from order_line where returned > 0`,
  ))
    if (backOf.get(`${orderId}/${lineNo}`) !== returned)
      I8.wrong(
        `${name(orderId)}/${lineNo}: ${returned} returned, its returns say ${backOf.get(`${orderId}/${lineNo}`) ?? 0}`,
      );
  const [kept] = (await client.query("select kept_since from partitioned_table where table_name = 'stock_movement'"))
    .rows;
  if (kept?.kept_since != null) return;
  type Moved = { orderId: number; skuId: number; quantity: number };
  for await (const { orderId, skuId, quantity } of rows<Moved>(
    client,
    `select order_id as "orderId", sku_id as "skuId", sum(quantity)::bigint as quantity from stock_movement
      where kind = 'returned' and order_id is not null group by order_id, sku_id`,
  )) {
    const key = `${orderId}/${skuId}`;
    if ((onHand.get(key) ?? 0) !== quantity)
      I8.wrong(`${name(orderId)}: ${quantity} on hand again by movements, ${onHand.get(key) ?? 0} restocked`);
    onHand.delete(key);
  }
  for (const [key, units] of onHand)
    if (units > 0) I8.wrong(`${name(Number(key.split('/')[0]))}: ${units} restocked, and no movement`);
}

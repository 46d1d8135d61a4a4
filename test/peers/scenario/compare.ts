/** Everybody's truth beside the hub's. Each difference is a problem, in words. */
import type { Hub } from './hub.ts';
import { medusaOrders, opportunities, type ShopOrder, shown, trytonSales, vendureOrders } from './truth.ts';
import type { World } from './world.ts';

interface HubOrder {
  reference: string;
  state: string;
  units: number;
  cancelled: number;
  refused: number;
  backordered: number;
  oversold: number;
  substituted: number;
  shipped: number;
  returned: number;
  invoicedMinor: number;
  invoices: string[];
  trackings: string[];
}

export interface Comparison {
  problems: string[];
  orders: { medusa: number; vendure: number; crm: number };
  units: Record<
    'ordered' | 'oversoldByShops' | 'substituted' | 'cancelled' | 'refused' | 'backordered' | 'shipped' | 'returned',
    number
  >;
  invoices: number;
  partlyShipped: number;
  parked: { class: string; count: number }[];
}

export async function compare(world: World, hub: Hub, wonOpportunities: number): Promise<Comparison> {
  const problems: string[] = [];
  const [medusa, vendure, sales, ours] = [
    await medusaOrders(world),
    await vendureOrders(world),
    await trytonSales(world),
    await hubOrders(hub),
  ];
  const here = group(ours, ({ reference }) => reference);
  const there = group(sales, ({ reference }) => reference);
  const once = (reference: string) => {
    const [inHub, inErp] = [here.get(reference)?.length ?? 0, there.get(reference)?.length ?? 0];
    if (inHub !== 1) problems.push(`${reference} is ${inHub} orders in the hub`);
    // What was cancelled before the ERP heard of it, or refused as a whole, need not be there.
    const order = here.get(reference)?.[0];
    const isNothing = order !== undefined && order.cancelled + order.refused === order.units;
    if (inErp !== 1 && !(inErp === 0 && isNothing)) problems.push(`${reference} is ${inErp} sales in Tryton`);
  };
  for (const { reference } of [...medusa, ...vendure]) once(reference);
  const crm = ours.filter(({ reference }) => reference.startsWith('crm/'));
  for (const { reference } of crm) once(reference);
  if (crm.length !== wonOpportunities)
    problems.push(`${wonOpportunities} opportunities were won, ${crm.length} are orders`);
  const known = new Set([...medusa, ...vendure].map(({ reference }) => reference));
  for (const { reference } of ours)
    if (!reference.startsWith('crm/') && !known.has(reference)) problems.push(`${reference} is no order of a shop`);

  for (const order of ours) {
    const sale = there.get(order.reference)?.[0];
    if (sale === undefined) continue;
    const pairs = { shipped: sale.shipped, returned: sale.returned, invoicedMinor: sale.invoicedMinor };
    for (const [what, number] of Object.entries(pairs))
      if (number !== order[what as keyof typeof pairs])
        problems.push(`${order.reference}: ${what} ${order[what as keyof typeof pairs]} here, ${number} in Tryton`);
    if (order.shipped > order.units - order.cancelled - order.refused)
      problems.push(`${order.reference}: ${order.shipped} shipped of ${order.units}, ${order.cancelled} cancelled`);
  }
  for (const order of [...medusa, ...vendure]) compareShop(order, here.get(order.reference)?.[0], problems);
  const records = new Map((await opportunities(world)).map((one) => [one.reference, one]));
  for (const order of crm) compareNotes(order, records.get(order.reference)?.notes ?? '', problems);
  await compareStock(world, hub, problems);
  const parked = await hub.rows<{ class: string; count: number }>(
    `select class, count(*)::int as count from parked_record where state = 'open' group by 1
     union all select 'delivery ' || kind || ': ' || coalesce(min(error), ''), count(*)::int from delivery where state = 'p' group by kind
     union all select 'publication ' || kind || ': ' || coalesce(min(error), ''), count(*)::int from publication where state = 'p' group by kind`,
  );
  const open = await hub.rows<{ n: number }>(`select count(*)::int as n from order_exception where state = 'open'`);
  if (open[0]!.n > 0) problems.push(`${open[0]!.n} exceptions are open; the policies name none for people`);
  if (!ours.some(({ trackings }) => trackings.length > 0)) problems.push('no shipment has a tracking number');
  for (const { class: what, count } of parked) problems.push(`parked: ${count} ${what}`);
  const total = (of: (order: HubOrder) => number) => ours.reduce((sum, order) => sum + of(order), 0);
  return {
    problems,
    orders: { medusa: medusa.length, vendure: vendure.length, crm: crm.length },
    units: {
      ordered: total(({ units }) => units),
      oversoldByShops: total(({ oversold }) => oversold),
      substituted: total(({ substituted }) => substituted),
      cancelled: total(({ cancelled }) => cancelled),
      refused: total(({ refused }) => refused),
      backordered: total(({ backordered }) => backordered),
      shipped: total(({ shipped }) => shipped),
      returned: total(({ returned }) => returned),
    },
    invoices: total(({ invoices }) => invoices.length),
    partlyShipped: ours.filter(({ shipped, backordered }) => shipped > 0 && backordered > 0).length,
    parked,
  };
}

function compareShop(order: ShopOrder, ours: HubOrder | undefined, problems: string[]): void {
  if (ours === undefined) return;
  if (order.isCancelled) {
    // Taken back in the shop: whatever had left by then is back.
    if (ours.cancelled + ours.refused + ours.returned !== ours.units)
      problems.push(
        `${order.reference} was cancelled; of ${ours.units} units ${ours.cancelled} are cancelled and ${ours.returned} back`,
      );
    return;
  }
  if (order.shippedUnits !== ours.shipped)
    problems.push(`${order.reference}: ${ours.shipped} units left, the shop says ${order.shippedUnits}`);
  compareNotes(ours, order.notes, problems);
}

/** Whether whoever sold it knows of every invoice and every shipment. */
function compareNotes(ours: HubOrder, notes: string, problems: string[]): void {
  for (const invoice of ours.invoices)
    if (!notes.includes(invoice)) problems.push(`${ours.reference}: invoice ${invoice} is not known where it was sold`);
  for (const tracking of ours.trackings)
    if (!notes.includes(tracking))
      problems.push(`${ours.reference}: tracking ${tracking} is not known where it was sold`);
}

async function compareStock(world: World, hub: Hub, problems: string[]): Promise<void> {
  const [erpUnits, numbers] = [await world.onHand(), await shown(world)];
  const balances = await hub.rows<{ place: string; onHand: number; promised: number }>(
    `select s.code || '@' || l.code as place, b.on_hand::int as "onHand", (b.reserved + b.allocated)::int as promised
       from stock_balance b join sku s using (sku_id) join location l using (location_id)`,
  );
  for (const { place, onHand: units, promised } of balances) {
    const there = erpUnits.get(place);
    if (there !== undefined && there !== units) problems.push(`${place}: ${units} here, ${there} in Tryton`);
    if (promised > units) problems.push(`${place}: ${promised} promised of ${units}`);
  }
  const told = await hub.rows<{ place: string; number: number }>(
    `select c.code || '/' || s.code as place, n.shown::int as number
       from channel_number n join channel c using (channel_id) join sku s using (sku_id)`,
  );
  for (const { place, number } of told) {
    const there = numbers.get(place);
    if (there !== undefined && there !== number)
      problems.push(`${place}: the shop shows ${there}, the hub believes ${number}`);
  }
}

function hubOrders(hub: Hub): Promise<HubOrder[]> {
  return hub.rows<HubOrder>(
    `select c.code || '/' || o.external_no as reference, o.state, l.*,
            coalesce((select array_agg(i.invoice_no) from invoice i where i.order_id = o.order_id), '{}') as invoices,
            coalesce((select array_agg(t.tracking) from shipment t where t.order_id = o.order_id and t.tracking is not null), '{}') as trackings,
            coalesce((select sum(units)::int from order_exception x where x.order_id = o.order_id), 0) as oversold
       from sales_order o join channel c using (channel_id)
       cross join lateral (
         select sum(quantity) filter (where stands_for is null)::int as units, sum(cancelled)::int as cancelled,
                sum(refused - substituted)::int as refused, sum(backordered)::int as backordered, sum(shipped)::int as shipped,
                sum(returned)::int as returned, sum(substituted)::int as substituted,
                sum(invoiced_minor - credited_minor)::int as "invoicedMinor"
           from order_line where order_id = o.order_id) l`,
  );
}

function group<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/**
 * The outside judge. It shares no code with the hub: it reads the source file as the feeder does, asks each system for its
 * own truth, and compares. The promises need the hub's tables, too, and what systems and callers kept: `promises/`.
 */
import { sameDecimal } from '../../sim/feeder/money.ts';
import { type Finding, Findings } from './findings.ts';
import { judgeMoney, type MoneyOfLine } from './money.ts';
import { compareOrders, type HeldLine } from './orders.ts';
import { stats, truth } from './pages.ts';
import { type HubEvidence, judgePromises, type PromiseName, type Verdict } from './promises/index.ts';
import { Source } from './source.ts';
import { type Parity, Tally } from './tally.ts';
import { compareWarehouse, type Warehouse } from './warehouse.ts';

export interface ObserveOptions {
  shop: string;
  marketplace: string;
  crm: string;
  erp: string;
  wms: string;
  /** The file that was fed, and the same limit. */
  orders: string;
  limitOrders?: number | undefined;
  /** With it the promises are judged. */
  hub?: HubEvidence | undefined;
}

export interface Counts {
  source: { orders: number; lines: number; units: number; amountMinor: number; charges: number };
  parity: Record<'erp' | 'crm' | 'wms' | 'shop' | 'marketplace', Parity>;
  charges: { missing: number; extra: number; different: number };
  units: {
    ordered: number;
    refused: number;
    cancelled: number;
    returned: number;
    shipped: number;
    invoiced: number;
    backordered: number;
  };
  orders: { refused: number; cancelled: number; shipped: number; backordered: number };
  stock: Warehouse['units'];
  /** Units sold within a channel's number that were not delivered, plus units the WMS was asked for beyond what it had. */
  oversell: number;
  shownBeyond: number;
  askedBeyondStock: number;
  /** All findings by system and code; the list holds the first of each. */
  findings: Record<string, number>;
}

export interface Observation {
  /** No findings, and every promise that was judged holds. */
  holds: boolean;
  findings: Finding[];
  counts: Counts;
  /** null without the hub's tables. */
  promises: Record<PromiseName, Verdict> | null;
}

interface ErpLine extends HeldLine, MoneyOfLine {
  amountMinor: number;
  shipped: number;
}
interface CrmLine extends HeldLine {
  amountMinor: number;
  cancelled: number;
  backordered: number;
  refused: number;
  shipped: number;
  invoiced: number;
  returned: number;
}
interface ChannelLine extends HeldLine {
  unitPrice: string;
  within: number;
  cancelRequested: number;
  cancelled: number;
  shipped: number;
  returned: number;
  backordered: number;
  refused: number;
}

export async function observe(options: ObserveOptions): Promise<Observation> {
  const source = await Source.read(options.orders, options.limitOrders);
  const findings = new Findings();
  const erp = new Tally(source.rows);
  const ordered = (row: number) => source.quantity(row);
  await readRefused(source, options.crm);

  const erpParity = await compareOrders<ErpLine>(
    source,
    findings,
    'erp',
    options.erp,
    (order) => order.rows.some((row) => source.accepted(row) > 0),
    (row) => source.accepted(row),
    (line, row, key) => {
      erp.cancelled[row] = line.cancelled;
      erp.shipped[row] = line.shipped;
      erp.invoiced[row] = line.invoiced;
      erp.returned[row] = line.returned;
      let isSame = findings.same('invoiced', 'erp', key, line.shipped, line.invoiced);
      // By timing a cancel may have become a return; together they are what was asked.
      isSame = findings.same('undone', 'erp', key, source.cancelled[row]!, line.cancelled + line.returned) && isSame;
      if (line.cancelled + line.shipped > line.quantity || line.returned > line.shipped) {
        findings.add('line_beyond', 'erp', key, line.quantity, line.cancelled + line.shipped);
        isSame = false;
      }
      return judgeMoney(source, findings, line, row, key) && isSame;
    },
  );

  const agrees = (
    system: string,
    line: Omit<CrmLine, 'invoiced' | 'amountMinor'>,
    row: number,
    key: string,
  ): boolean => {
    const open = source.accepted(row) - erp.cancelled[row]! - erp.shipped[row]!;
    let isSame = findings.same('cancelled', system, key, erp.cancelled[row]!, line.cancelled);
    isSame = findings.same('refused', system, key, source.refused[row]!, line.refused) && isSame;
    isSame = findings.same('shipped', system, key, erp.shipped[row]!, line.shipped) && isSame;
    isSame = findings.same('returned', system, key, erp.returned[row]!, line.returned) && isSame;
    return findings.same('backordered', system, key, open, line.backordered) && isSame;
  };
  const crm = await compareOrders<CrmLine>(
    source,
    findings,
    'crm',
    options.crm,
    () => true,
    ordered,
    (line, row, key) => {
      const isSame = agrees('crm', line, row, key);
      return findings.same('invoiced', 'crm', key, erp.invoiced[row]!, line.invoiced) && isSame;
    },
  );

  let soldBeyond = 0;
  const channel = (name: 'shop' | 'marketplace'): Promise<Parity> =>
    compareOrders<ChannelLine>(
      source,
      findings,
      name,
      options[name],
      (order) => order.channel === name,
      ordered,
      (line, row, key) => {
        const short = line.within - erp.shipped[row]! - erp.cancelled[row]!;
        if (short > 0) {
          soldBeyond += short;
          findings.add('oversold', name, key, line.within, line.within - short);
        }
        let isSame = agrees(name, line, row, key);
        isSame = findings.same('cancel_requested', name, key, source.cancelled[row]!, line.cancelRequested) && isSame;
        if (sameDecimal(line.unitPrice, source.unitPrice(row))) return isSame;
        findings.add('unit_price', name, key, source.unitPrice(row), line.unitPrice);
        return false;
      },
    );
  const shop = await channel('shop');
  const marketplace = await channel('marketplace');

  const warehouse = await compareWarehouse(source, findings, options.wms, erp);
  const charges = await compareCharges(source, findings, options.erp);
  const shownBeyond = await compareNumbers(findings, options, warehouse.free);
  const askedBeyondStock = await judgeStats(findings, options);
  const promises =
    options.hub === undefined
      ? null
      : await judgePromises(options.hub, { urls: options, source, warehouse, askedBeyondStock });

  return {
    holds: findings.none && Object.values(promises ?? {}).every((verdict) => verdict.holds),
    findings: findings.list,
    counts: {
      ...sums(source, erp),
      parity: { erp: erpParity, crm, wms: warehouse.parity, shop, marketplace },
      charges,
      stock: warehouse.units,
      oversell: soldBeyond + askedBeyondStock,
      shownBeyond,
      askedBeyondStock,
      findings: findings.counts,
    },
    promises,
  };
}

/** Refused units are told to the CRM; what is said there must be so in every other system. */
async function readRefused(source: Source, url: string): Promise<void> {
  for await (const held of truth<{ key: string; lines: { lineNo: number; refused: number }[] }>(url, 'orders')) {
    const place = source.findOrder(held.key);
    for (const { lineNo, refused } of place === undefined ? [] : held.lines) {
      const row = source.findRow(source.orders[place!]!, lineNo);
      if (row !== undefined) source.refused[row] = refused;
    }
  }
}

function sums(source: Source, erp: Tally): Pick<Counts, 'source' | 'units' | 'orders'> {
  const units = { ordered: 0, refused: 0, cancelled: 0, returned: 0, shipped: 0, invoiced: 0, backordered: 0 };
  const orders = { refused: 0, cancelled: 0, shipped: 0, backordered: 0 };
  let lines = 0;
  let amountMinor = 0;
  for (const order of source.orders) {
    let open = 0;
    let sent = 0;
    let accepted = 0;
    for (const row of order.rows) {
      const quantity = source.quantity(row);
      lines += 1;
      amountMinor += source.amount(row);
      units.ordered += quantity;
      units.refused += source.refused[row]!;
      accepted += source.accepted(row);
      units.cancelled += erp.cancelled[row]!;
      units.returned += erp.returned[row]!;
      units.shipped += erp.shipped[row]!;
      units.invoiced += erp.invoiced[row]!;
      open += source.accepted(row) - erp.cancelled[row]! - erp.shipped[row]!;
      sent += erp.shipped[row]!;
    }
    units.backordered += open;
    // An order counts once: as long as something is owed it is backordered, else shipped if anything left.
    if (accepted === 0) orders.refused += 1;
    else if (open > 0) orders.backordered += 1;
    else if (sent > 0) orders.shipped += 1;
    else orders.cancelled += 1;
  }
  const charges = source.charges.size;
  return { source: { orders: source.orders.length, lines, units: units.ordered, amountMinor, charges }, units, orders };
}

async function compareCharges(source: Source, findings: Findings, url: string): Promise<Counts['charges']> {
  const counts = { missing: 0, extra: 0, different: 0 };
  const seen = new Map<string, number>();
  for await (const charge of truth<{ key: string; count: number; amountMinor: number }>(url, 'charges')) {
    const reference = source.findCharge(charge.key);
    if (reference === undefined) {
      counts.extra += 1;
      findings.add('charge_extra', 'erp', charge.key, null, charge.amountMinor);
      continue;
    }
    const count = (seen.get(reference) ?? 0) + charge.count;
    seen.set(reference, count);
    const isOnce = findings.same('charge_count', 'erp', reference, 1, count);
    const isSame = findings.same('charge_amount', 'erp', reference, source.charges.get(reference)!, charge.amountMinor);
    if (!isOnce || !isSame) counts.different += 1;
  }
  for (const [reference, amount] of source.charges) {
    if (seen.has(reference)) continue;
    counts.missing += 1;
    findings.add('charge_missing', 'erp', reference, amount, null);
  }
  return counts;
}

/** @returns units that shop and marketplace together may still sell and nobody has */
async function compareNumbers(
  findings: Findings,
  options: ObserveOptions,
  free: ReadonlyMap<string, number>,
): Promise<number> {
  const shown = new Map<string, number>();
  for (const name of ['shop', 'marketplace'] as const) {
    for await (const number of truth<{ key: string; available: number }>(options[name], 'numbers')) {
      if (number.available < 0) findings.add('shown_negative', name, number.key, 0, number.available);
      shown.set(number.key, (shown.get(number.key) ?? 0) + number.available);
    }
  }
  let beyond = 0;
  for (const [sku, units] of shown) {
    const most = Math.max(0, free.get(sku) ?? 0);
    if (units <= most) continue;
    beyond += units - most;
    findings.add('shown_beyond', 'channels', sku, most, units);
  }
  return beyond;
}

async function judgeStats(findings: Findings, options: ObserveOptions): Promise<number> {
  let askedBeyondStock = 0;
  for (const name of ['shop', 'marketplace', 'crm', 'erp', 'wms'] as const) {
    const found = await stats(options[name]);
    for (const code of ['backwards', 'duplicates', 'pending'])
      findings.same(code, name, name, 0, numberOf(found, code));
    if (name === 'wms') {
      askedBeyondStock = numberOf(found, 'askedBeyondStock');
      findings.same('asked_beyond_stock', name, name, 0, askedBeyondStock);
    }
  }
  return askedBeyondStock;
}

function numberOf(found: Record<string, unknown>, name: string): number {
  const value = found[name];
  if (typeof value !== 'number') throw new Error(`statistics without ${name}`);
  return value;
}

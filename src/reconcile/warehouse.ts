/** Fulfilments, returns and shelves in the WMS; charges in the ERP. */
import type { Queryable } from '../store/index.ts';
import type { HubFulfilmentRow, HubReturnRow } from './hub.sql.ts';
import { type HubCharge, hubCharges, hubFulfilments, hubReturns, hubStock } from './hub.ts';
import { Merge, newParity, note, type Parity } from './merge.ts';
import { type ErpCharge, Truth, type WmsFulfilment, type WmsReturn, type WmsStock } from './sim-truth.ts';

const RECORDS_PER_PAGE = 1_000;

/** Kinds of one system's records that are compared on their own: counted into its parity, and shown by kind. */
export interface PartParity {
  records: number;
  missing: number;
  extra: number;
  different: number;
}

function newPart(): PartParity {
  return { records: 0, missing: 0, extra: 0, different: 0 };
}

async function compareKind<T extends { key: string }, H extends { key: string }>(
  parity: Parity,
  kind: string,
  truth: Truth<T>,
  hub: AsyncGenerator<H[]>,
  differenceOf: (hub: H, held: T) => string | undefined,
  mayBeMissing: (hub: H) => boolean = () => false,
  mayBeExtra: (held: T) => boolean = () => false,
): Promise<PartParity> {
  const part = newPart();
  const add = (what: 'missing' | 'extra' | 'different', text: string) => {
    part[what]++;
    note(parity, what, `${kind} ${text}`);
  };
  const merge = new Merge(truth, (record) => {
    part.records++;
    if (!mayBeExtra(record)) add('extra', record.key);
  });
  for await (const page of hub)
    for (const ours of page) {
      const held = await merge.find(ours.key);
      if (held === undefined) {
        if (!mayBeMissing(ours)) add('missing', ours.key);
        continue;
      }
      part.records++;
      const difference = differenceOf(ours, held);
      if (difference !== undefined) add('different', `${ours.key}: ${difference}`);
    }
  await merge.finish();
  return part;
}

export interface WarehouseComparison extends Parity {
  fulfilments: PartParity;
  returns: PartParity;
  stock: PartParity;
}

export async function compareWarehouse(
  db: Queryable,
  url: string,
  token: string | undefined,
): Promise<WarehouseComparison> {
  const parity = newParity();
  const options = { limit: RECORDS_PER_PAGE, token };
  const fulfilments = await compareKind(
    parity,
    'fulfilment',
    new Truth<WmsFulfilment>(url, 'fulfilments', options),
    hubFulfilments(db),
    (hub, held) => fulfilmentDifference(parity, hub, held),
  );
  const returns = await compareKind(
    parity,
    'return',
    new Truth<WmsReturn>(url, 'returns', options),
    hubReturns(db),
    returnDifference,
  );
  // A shelf that one side has never heard of is empty.
  const stock = await compareKind(
    parity,
    'stock',
    new Truth<WmsStock>(url, 'stock', { token }),
    hubStock(db),
    (hub, held) => (hub.onHand === held.onHand ? undefined : `on hand is ${held.onHand} there, ${hub.onHand} here`),
    (hub) => hub.onHand === 0,
    (held) => held.onHand === 0,
  );
  parity.orders = fulfilments.records;
  parity.amount.equal = parity.amount.hub === parity.amount.system;
  return { ...parity, fulfilments, returns, stock };
}

function fulfilmentDifference(parity: Parity, hub: HubFulfilmentRow, held: WmsFulfilment): string | undefined {
  parity.lines += held.lines.length;
  const shipped = new Map<number, number>();
  for (const { lineNo, quantity } of hub.shipped ?? []) {
    shipped.set(lineNo, (shipped.get(lineNo) ?? 0) + quantity);
    parity.amount.hub += quantity;
  }
  for (const line of held.lines) parity.amount.system += line.shipped;
  if (hub.order_key !== held.order) return `order is ${held.order} there, ${hub.order_key} here`;
  if (hub.location !== held.location) return `location is ${held.location} there, ${hub.location} here`;
  const told = new Map((hub.told ?? (hub.is_forgettable ? held.lines : [])).map((line) => [line.lineNo, line]));
  if (told.size !== held.lines.length) return `${held.lines.length} lines there, ${told.size} here`;
  for (const line of held.lines) {
    const ours = told.get(line.lineNo);
    if (ours === undefined || ours.sku !== line.sku)
      return `line ${line.lineNo} is ${line.sku} there, ${ours?.sku ?? 'nothing'} here`;
    if (ours.quantity !== line.quantity) return `line ${line.lineNo} is ${line.quantity} there, ${ours.quantity} here`;
    const left = shipped.get(line.lineNo) ?? 0;
    if (left !== line.shipped) return `line ${line.lineNo} shipped ${line.shipped} there, ${left} here`;
  }
  return undefined;
}

function returnDifference(hub: HubReturnRow, held: WmsReturn): string | undefined {
  if (hub.order_key !== held.order) return `order is ${held.order} there, ${hub.order_key} here`;
  if (hub.location !== held.location) return `location is ${held.location} there, ${hub.location} here`;
  if ((hub.state !== 'expected') !== held.arrived)
    return `${held.arrived ? 'arrived' : 'expected'} there, ${hub.state} here`;
  const ours = new Map(hub.lines.map((line) => [line.lineNo, line.quantity]));
  if (ours.size !== held.lines.length) return `${held.lines.length} lines there, ${ours.size} here`;
  for (const line of held.lines)
    if (ours.get(line.lineNo) !== line.quantity)
      return `line ${line.lineNo} is ${line.quantity} there, ${ours.get(line.lineNo) ?? 'nothing'} here`;
  return undefined;
}

export async function compareCharges(
  db: Queryable,
  url: string,
  token: string | undefined,
  parity: Parity,
): Promise<PartParity> {
  return compareKind(
    parity,
    'charge',
    new Truth<ErpCharge>(url, 'charges', { limit: RECORDS_PER_PAGE, token }),
    hubCharges(db),
    chargeDifference,
  );
}

function chargeDifference(hub: HubCharge, held: ErpCharge): string | undefined {
  if (hub.count !== 1 || held.count !== 1) return `${held.count} times there, ${hub.count} times here`;
  if (hub.charge !== held.kind) return `kind is ${held.kind} there, ${hub.charge} here`;
  for (const name of ['account', 'code', 'quantity', 'amountMinor', 'currency'] as const)
    if (hub[name] !== held[name]) return `${name} is ${held[name]} there, ${hub[name]} here`;
  return undefined;
}

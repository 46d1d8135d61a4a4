/**
 * I8: each order's recorded facts, played again along the declared machine, must give the order as it stands.
 * One pass over the log in (stream, version) order, a page at a time; a page and the orders of one comparison are all that is held.
 */
import { listStream } from '../log/index.ts';
import {
  type Allocation,
  type Billing,
  eventRules,
  evolve,
  type Order,
  type OrderEvent,
  type OrderException,
  type OrderHold,
  type OrderLine,
  type ReturnLine,
  readOrders,
} from '../orders/index.ts';
import type { Queryable } from '../store/index.ts';
import * as statements from './promises-fold.sql.ts';

const FACTS_PER_PAGE = 250;
const ORDERS_PER_COMPARISON = 40;
const EXAMPLES_MAX = 5;

interface Folded {
  orderId: number;
  order: Order | undefined;
  version: number;
  fault: string | undefined;
}

export interface FoldResult {
  checked: number;
  violations: number;
  examples: string[];
}

/** @param ordersMax stop after so many orders */
export async function foldOrders(db: Queryable, ordersMax = Number.POSITIVE_INFINITY): Promise<FoldResult> {
  const result: FoldResult = { checked: 0, violations: 0, examples: [] };
  const [kept] = await db.query(statements.readFactsKeptSince);
  const keptSince = kept?.since ?? new Date(0);
  const add = (fault: string) => {
    result.violations++;
    if (result.examples.length < EXAMPLES_MAX) result.examples.push(fault);
  };
  let waiting: Folded[] = [];
  let current: Folded | undefined;
  const compare = async () => {
    for (const fault of await compareWithTables(db, waiting, keptSince)) add(fault);
    result.checked += waiting.length;
    waiting = [];
  };
  let stream = 'order/';
  let version = 0;
  for (;;) {
    const facts = await db.query(statements.readOrderFacts, [stream, version, FACTS_PER_PAGE]);
    for (const fact of facts) {
      const orderId = Number(fact.stream.slice(6));
      if (current?.orderId !== orderId) {
        if (current !== undefined) waiting.push(current);
        if (waiting.length >= ORDERS_PER_COMPARISON) await compare();
        if (result.checked + waiting.length >= ordersMax) {
          current = undefined;
          break;
        }
        current = { orderId, order: undefined, version: 0, fault: undefined };
      }
      play(current, fact.stream_version, fact.type, fact.data);
    }
    const last = facts.at(-1);
    if (last === undefined || facts.length < FACTS_PER_PAGE || current === undefined) break;
    stream = last.stream;
    version = last.stream_version;
  }
  if (current !== undefined) waiting.push(current);
  await compare();
  for (const { order_id } of await db.query(statements.findSilentOrders, [keptSince]))
    add(`order ${order_id} has no recorded fact`);
  return result;
}

/** Plays one fact; the first thing that may not be is kept, what follows it proves nothing. */
function play(folded: Folded, version: number, type: string, data: unknown): void {
  if (folded.fault !== undefined) return;
  const event = data as OrderEvent;
  const rule = eventRules[event.type];
  const before = folded.order?.state;
  if (version !== folded.version + 1)
    folded.fault =
      version === folded.version
        ? `version ${version} was recorded twice`
        : `version ${version} follows ${folded.version}`;
  else if (type !== event.type || rule === undefined)
    folded.fault = `version ${version} is recorded as ${type} and says ${event.type}`;
  else if (
    rule.from === 'none'
      ? before !== undefined
      : before === undefined || (rule.from !== 'any' && !rule.from.includes(before))
  )
    folded.fault = `${type} may not meet an order that is ${before ?? 'not there'}`;
  else
    try {
      folded.order = evolve(folded.order, event);
    } catch (error) {
      folded.fault = error instanceof Error ? error.message : String(error);
    }
  folded.version = version;
}

async function compareWithTables(db: Queryable, folded: readonly Folded[], keptSince: Date): Promise<string[]> {
  if (folded.length === 0) return [];
  const orders = await readOrders(
    db,
    folded.map((entry) => entry.orderId),
  );
  const faults: string[] = [];
  for (const entry of folded) {
    let fault = faultOf(entry, orders.get(entry.orderId));
    // On a living hub the order may have gone on between the two reads: the order first, then its facts up to there.
    if (fault !== undefined) fault = await lookAgain(db, entry, keptSince);
    if (fault !== undefined) faults.push(`order ${entry.orderId}: ${fault}`);
  }
  return faults;
}

async function lookAgain(db: Queryable, entry: Folded, keptSince: Date): Promise<string | undefined> {
  const order = (await readOrders(db, [entry.orderId])).get(entry.orderId);
  const facts = await listStream(db, `order/${entry.orderId}`, 100_000);
  if ((facts[0]?.version ?? 1) > 1) {
    const [row] = await db.query(statements.readRecordedAt, [entry.orderId]);
    if (row !== undefined && row.recorded_at < keptSince) return undefined;
  }
  const again: Folded = { orderId: entry.orderId, order: undefined, version: 0, fault: undefined };
  for (const fact of facts)
    if (order === undefined || fact.version <= order.version) play(again, fact.version, fact.type, fact.data);
  return faultOf(again, order);
}

function faultOf(folded: Folded, order: Order | undefined): string | undefined {
  if (folded.fault !== undefined) return folded.fault;
  if (order === undefined) return 'facts without an order';
  return differenceOf(folded.order!, order);
}

const heads = [
  'version',
  'state',
  'erpNumber',
  'companyId',
  'channelId',
  'accountId',
  'externalNo',
  'currency',
  'totalMinor',
  'chargesMinor',
  'taxMinor',
] as const;
const lineNumbers = [
  'skuId',
  'quantity',
  'amountMinor',
  'within',
  'withinShort',
  'allocated',
  'backordered',
  'refused',
  'picked',
  'shipped',
  'invoiced',
  'cancelAsked',
  'cancelled',
  'returnExpected',
  'returned',
  'shippedMinor',
  'invoicedMinor',
  'cancelledMinor',
  'returnedMinor',
  'creditedMinor',
  'changedVersion',
  'held',
  'substituted',
  'standsFor',
  'perUnit',
  'setNo',
  'addsTo',
  'awaitsErp',
  'taxMinor',
] as const satisfies readonly (keyof OrderLine)[];
const allocationParts = [
  'lineNo',
  'skuId',
  'locationId',
  'quantity',
  'openQuantity',
  'fulfilmentId',
  'fromBackorder',
] as const satisfies readonly (keyof Allocation)[];

const exceptionParts = [
  'kind',
  'lineNo',
  'skuId',
  'policy',
  'units',
  'held',
  'backordered',
  'cancelled',
  'substituted',
  'resourced',
  'resolvedBy',
  'reason',
] as const satisfies readonly (keyof OrderException)[];

const holdParts = [
  'kind',
  'reason',
  'detail',
  'owner',
  'heldBy',
  'releasedBy',
  'releaseReason',
] as const satisfies readonly (keyof OrderHold)[];
const returnParts = [
  'skuId',
  'quantity',
  'received',
  'restocked',
  'scrapped',
  'quarantined',
  'receivedMinor',
  'decidedMinor',
  'creditMinor',
  'receivedTaxMinor',
  'decidedTaxMinor',
  'creditTaxMinor',
] as const satisfies readonly (keyof ReturnLine)[];

/** How far charges and tax have come. */
function differenceOfBilling(facts: Billing | undefined, table: Billing | undefined): string | undefined {
  const told = textsOf(facts);
  const found = textsOf(table);
  for (const [name, text] of told)
    if (text !== found.get(name)) return `${name} is ${found.get(name) ?? 'not there'}, its facts give ${text}`;
  for (const name of found.keys()) if (!told.has(name)) return `${name} is there, its facts give none`;
  return undefined;
}

function textsOf(billing: Billing | undefined): Map<string, string> {
  if (billing === undefined) return new Map();
  const { acceptedMinor, cancelledMinor, shippedMinor, returnedMinor } = billing.goods;
  const texts = new Map([['billing', [acceptedMinor, cancelledMinor, shippedMinor, returnedMinor].join(' ')]]);
  for (const [chargeNo, { due, cancelled, refunded, invoiced, credited }] of billing.charges)
    texts.set(
      `charge ${chargeNo}`,
      [due, cancelled, refunded, invoiced, credited].map((one) => `${one.amountMinor}/${one.taxMinor}`).join(' '),
    );
  for (const [lineNo, { invoicedTaxMinor, creditedTaxMinor }] of billing.lines)
    texts.set(`tax of line ${lineNo}`, `${invoicedTaxMinor} ${creditedTaxMinor}`);
  return texts;
}

/** The first thing in which the order differs from what its facts give. */
function differenceOf(facts: Order, table: Order): string | undefined {
  const differs = (what: string, told: unknown, found: unknown) =>
    `${what} is ${String(found)}, its facts give ${String(told)}`;
  for (const name of heads) if (facts[name] !== table[name]) return differs(name, facts[name], table[name]);
  for (const part of ['lines', 'allocations', 'fulfilments', 'returns', 'exceptions', 'holds'] as const)
    if (facts[part].size !== table[part].size) return differs(`number of ${part}`, facts[part].size, table[part].size);
  for (const [lineNo, line] of facts.lines) {
    const found = table.lines.get(lineNo);
    if (found === undefined) return `line ${lineNo} is not there`;
    for (const name of lineNumbers)
      if (line[name] !== found[name]) return differs(`line ${lineNo} ${name}`, line[name], found[name]);
  }
  for (const [id, allocation] of facts.allocations) {
    const found = table.allocations.get(id);
    if (found === undefined) return `allocation ${id} is not there`;
    for (const name of allocationParts)
      if (allocation[name] !== found[name]) return differs(`allocation ${id} ${name}`, allocation[name], found[name]);
  }
  for (const [id, exception] of facts.exceptions) {
    const found = table.exceptions.get(id);
    if (found === undefined) return `exception ${id} is not there`;
    for (const name of exceptionParts)
      if (exception[name] !== found[name]) return differs(`exception ${id} ${name}`, exception[name], found[name]);
  }
  for (const [id, hold] of facts.holds) {
    const found = table.holds.get(id);
    if (found === undefined) return `hold ${id} is not there`;
    for (const name of holdParts)
      if (hold[name] !== found[name]) return differs(`hold ${id} ${name}`, hold[name], found[name]);
  }
  const billed = differenceOfBilling(facts.billing, table.billing);
  if (billed !== undefined) return billed;
  for (const part of ['fulfilments', 'returns'] as const)
    for (const [id, thing] of facts[part]) {
      const found = table[part].get(id);
      if (found?.state !== thing.state || found.locationId !== thing.locationId)
        return differs(`${part} ${id}`, thing.state, found?.state);
    }
  for (const [id, { lines, inspection }] of facts.returns) {
    const found = table.returns.get(id)!;
    if (found.inspection !== inspection) return differs(`return ${id} inspection`, inspection, found.inspection);
    if (found.lines.size !== lines.size)
      return differs(`number of lines of return ${id}`, lines.size, found.lines.size);
    for (const [lineNo, line] of lines)
      for (const name of returnParts)
        if (line[name] !== found.lines.get(lineNo)?.[name])
          return differs(`return ${id} line ${lineNo} ${name}`, line[name], found.lines.get(lineNo)?.[name]);
  }
  return undefined;
}

/** Proves the promises that SQL can prove, from the tables alone: what the hub says of itself must hold together. */
import { isConnectionFault, type Queryable, type Statement } from '../store/index.ts';
import * as statements from './promises.sql.ts';
import * as billing from './promises-billing.sql.ts';
import { checkDocuments } from './promises-documents.ts';
import { foldOrders } from './promises-fold.ts';
import * as money from './promises-money.sql.ts';
import * as outbound from './promises-outbound.sql.ts';

export const promiseNames = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11'] as const;
export type PromiseName = (typeof promiseNames)[number];

export interface PromiseVerdict {
  holds: boolean;
  /** Rows looked at, over all of its checks. */
  checked: number;
  violations: number;
  /** At most five, in words. */
  examples: string[];
  /** What was compared with what. */
  how: string;
}

export interface CheckOptions {
  /** Replay at most so many orders' facts; all by default. */
  ordersMax?: number;
  /** Kinds of delivery that must exist; by default those of which there is one. */
  deliveryKinds?: readonly string[];
  onProgress?: (done: number, total: number) => void;
}

const EXAMPLES_MAX = 5;

interface Check {
  how: string;
  parts: readonly Statement<statements.VerdictRow>[];
}

const checks: Readonly<Record<PromiseName, Check>> = {
  I1: { how: 'on hand = closing balance + sum of movement effects, per SKU and location', parts: [statements.onHand] },
  I2: {
    how: 'reserved = open reservations, allocated = open allocations (per location and per order line), exposed = exposures, outside = what other systems reported, less our allocations of the same lines, used of quotas = what their lines have allocated and picked',
    parts: [
      statements.balancesHeld,
      statements.outsideHeld,
      statements.linesAllocated,
      statements.endedReservations,
      statements.quotasUsed,
    ],
  },
  I3: {
    how: '0 ≤ reserved + allocated + outside ≤ on hand − safety stock + recorded open shortages; commitments ≤ announced − received per supply, ≤ backordered per line',
    parts: [statements.promisedStock, statements.committedSupply, statements.committedLines],
  },
  I4: {
    how: 'exposures + reserved + allocated + outside ≤ on hand − safety stock + recorded open shortages; no number shown or on its way above its exposure; channels at shared risk left out',
    parts: [statements.exposedStock, statements.shownNumbers],
  },
  I5: {
    how: 'each inbound key in one state; waiting and parked ones with exactly one open parked record, others with none; applied orders there under their number',
    parts: [statements.inboundStates, statements.appliedOrders],
  },
  I6: {
    how: 'each fact that must be delivered and lies before the cursor has its delivery or is held; one delivery per destination, kind and reference; possible states only; in order per key',
    parts: [outbound.undelivered, outbound.repeatedDeliveries, outbound.deliveryStates, outbound.deliveryOrder],
  },
  I7: {
    how: 'what ERP and WMS confirmed = what the orders know, both ways; one order per ERP number. The other ends are compared by parity',
    parts: [
      outbound.confirmedOrders,
      outbound.sharedNumbers,
      outbound.confirmedFulfilments,
      outbound.confirmedShipments,
    ],
  },
  I8: {
    how: 'quantity = allocated + backordered + picked + cancelled + refused; what stands for a line takes the place of units it gave up, both together never beyond it; held units are those of open exceptions, and the ERP has no order with any; holds are those that are open; each unit that came back is restocked once, scrapped, set apart or not inspected yet; each order’s facts, without gaps, played along the machine give the order as it stands',
    parts: [
      money.lineQuantities,
      money.substitutedLines,
      money.heldUnits,
      money.openHolds,
      money.returnedLines,
      money.restockedUnits,
    ],
  },
  I9: {
    how: 'confirmed and sending versions never above the version, sending above confirmed; planned and booked versions never beyond their stream, no balance version twice',
    parts: [statements.publicationVersions, statements.deliveryVersions, statements.balanceVersions],
  },
  I10: {
    how: 'order total = its lines and charges; its tax = the parts of lines and charges = as it was said; line, shipped, cancelled and returned amounts by the cumulative rule; invoices, credit notes and shipments add up to their lines; no more is invoiced of a line, a charge or their tax than left, nor less once all is, and no more credited than invoiced; what counts against a credit limit is what its order stands for',
    parts: [
      money.orderTotals,
      money.orderTaxes,
      money.lineAmounts,
      money.documentTotals,
      billing.chargeParts,
      billing.invoicedCharges,
      billing.invoicedTaxes,
      billing.creditedLines,
      billing.unagreedCharges,
      billing.billingSums,
      money.creditClaims,
    ],
  },
  I11: {
    how: 'each key’s message is there and holds that item; no item became two keys; each order, reservation and movement has the key that brought it, and each key its order or reservation',
    parts: [
      money.rawRecords,
      money.claimedItems,
      money.acknowledgedItems,
      money.acceptedOrders,
      money.heldKeys,
      money.broughtMovements,
    ],
  },
};

/**
 * Checks I1 to I11. Each statement sees one moment, so it may run beside a working hub; parity with the systems and freshness
 * are not its business.
 */
export async function checkPromises(
  db: Queryable,
  options: CheckOptions = {},
): Promise<Record<PromiseName, PromiseVerdict>> {
  await db.query(statements.analyzeStale);
  const kinds = options.deliveryKinds ?? (await db.query(outbound.readRoutes)).map((row) => row.kind);
  const total = promiseNames.reduce((sum, name) => sum + checks[name].parts.length, 2);
  let done = 0;
  const step = () => options.onProgress?.(++done, total);
  const stepAfter = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    step();
    return result;
  };
  // The passes keep this process busy, the statements the database: side by side they take as long as the slower one.
  const [verdicts, [folded, documents]] = await Promise.all([
    runChecks(db, kinds, step),
    stepAfter(foldOrders(db, options.ordersMax)).then(
      async (first) => [first, await stepAfter(checkDocuments(db))] as const,
    ),
  ]);
  add(verdicts.I8, folded);
  add(verdicts.I10, documents);
  return verdicts;
}

function add(verdict: PromiseVerdict, part: { checked: number; violations: number; examples: string[] }): void {
  verdict.checked += part.checked;
  verdict.violations += part.violations;
  verdict.examples = [...verdict.examples, ...part.examples].slice(0, EXAMPLES_MAX);
  verdict.holds = verdict.violations === 0;
}

async function runChecks(
  db: Queryable,
  kinds: readonly string[],
  step: () => void,
): Promise<Record<PromiseName, PromiseVerdict>> {
  const result = {} as Record<PromiseName, PromiseVerdict>;
  for (const name of promiseNames) {
    const { how, parts } = checks[name];
    const verdict: PromiseVerdict = { holds: true, checked: 0, violations: 0, examples: [], how };
    for (const part of parts) {
      const [row] = await db.query(part, part === outbound.undelivered ? [kinds] : []).catch((error: unknown) => {
        if (isConnectionFault(error)) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`${name} could not be checked (${part.name}): ${why}`, { cause: error });
      });
      verdict.checked += row!.checked;
      verdict.violations += row!.violations;
      if (row!.examples !== null) verdict.examples.push(...row!.examples);
      step();
    }
    verdict.examples.length = Math.min(verdict.examples.length, EXAMPLES_MAX);
    verdict.holds = verdict.violations === 0;
    result[name] = verdict;
  }
  return result;
}

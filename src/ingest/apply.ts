/** What items ask for, done: orders and stock in one ledger session, then supply. */

import { type CreditReport, writeReports } from '../credit/index.ts';
import { changeSupplies, claimFact, type Movement, type Pair, type SupplyChange } from '../ledger/index.ts';
import { appendFacts } from '../log/index.ts';
import { type OrderDeps, processOrders } from '../orders/index.ts';
import type { Tx } from '../store/index.ts';
import { applyRecords } from './apply-records.ts';
import { nameCandidates } from './blind-returns.ts';
import { type Entry, parkedResult, refusalOf, refusedResult } from './entry.ts';
import { refuseKitStock } from './kit-stock.ts';
import { settleMatches } from './matches.ts';
import { factOfMovement, factOfReport } from './translate-stock.ts';
import { isFault, type OutsideWork, type StockWork, type Translated } from './translated.ts';

/**
 * Decides and applies entries that have no result yet: records, then in one ledger session: orders first, then what other systems have allocated, then
 * stock that moves by itself, counts last: what a net count left out is known by then. Then supply, and what was reported of credit.
 */
export async function applyEntries(tx: Tx, deps: OrderDeps, entries: readonly Entry[]): Promise<void> {
  await settleMatches(tx, deps.directory, entries);
  await applyRecords(tx, deps.directory, entries);
  await nameCandidates(tx, deps.directory, entries);
  await refuseKitStock(tx, entries);
  const works: { entry: Entry; work: Translated['works'][number] }[] = [];
  const moves: { entry: Entry; work: StockWork }[] = [];
  const outside: { entry: Entry; work: OutsideWork }[] = [];
  const supplies: { entry: Entry; change: SupplyChange }[] = [];
  const reports: { entry: Entry; report: CreditReport }[] = [];
  const pairs: Pair[] = [];
  const holds: number[] = [];
  for (const entry of entries) {
    if (isFault(entry.translated)) {
      entry.result =
        entry.message.onFault === 'refuse' ? refusedResult(entry.translated) : parkedResult(entry.translated);
      continue;
    }
    for (const work of entry.translated.works) works.push({ entry, work });
    for (const work of entry.translated.stock) {
      moves.push({ entry, work });
      pairs.push([work.movement.skuId, work.movement.locationId]);
      if (work.reservationId !== null) holds.push(work.reservationId);
    }
    for (const work of entry.translated.outside) {
      outside.push({ entry, work });
      pairs.push([work.report.skuId, work.report.locationId]);
    }
    for (const report of entry.translated.credit) reports.push({ entry, report });
    for (const change of entry.translated.supplies) {
      supplies.push({ entry, change });
      pairs.push([change.skuId, change.locationId]);
    }
  }
  const batch = await processOrders(
    tx,
    deps,
    works.map(({ work }) => work),
    pairs,
    holds,
    {
      reports: outside.map(({ work }) => work.report),
      netCounts: moves.map(({ work }) => work.movement).filter(({ net }) => net === true),
    },
    reports.map(({ report }) => report.accountId),
  );
  works.forEach(({ entry }, i) => {
    const result = batch.results[i]!;
    const { waitKey } = entry.translated as Translated;
    if (result.outcome === 'applied')
      entry.result =
        result.superseded === true
          ? { status: 'duplicate', orderId: result.orderId, state: 's' }
          : { status: 'applied', orderId: result.orderId, events: result.events };
    else if (result.outcome === 'refused' && result.waitFor !== undefined && entry.message.onFault === 'park')
      entry.result = { status: 'waiting', waitKey: result.waitFor };
    else if (result.outcome === 'refused') entry.result = refusalOf(entry, result.refused, result.detail);
    else if (waitKey !== undefined && entry.message.onFault === 'park') entry.result = { status: 'waiting', waitKey };
    else entry.result = refusalOf(entry, 'unknown_order', 'the order is not known', 'XD_UNKNOWN_ORDER');
  });
  for (const { entry, work } of outside) {
    const { applied, before, balance } = batch.stock.reportOutside(work.report);
    if (applied) batch.facts.push(factOfReport(work, balance, before));
    entry.result = applied
      ? { status: 'applied', orderId: null, events: [] }
      : { status: 'duplicate', orderId: null, state: 's' };
  }
  const counts: { entry: Entry; work: StockWork }[] = [];
  for (const move of moves) {
    if (move.work.movement.kind === 'counted') {
      counts.push(move);
      continue;
    }
    claimHold(batch, move.work);
    const { version, effect, found } = batch.stock.move(move.work.movement);
    batch.facts.push(factOfMovement(move.work, version, effect, found));
    move.entry.result = { status: 'applied', orderId: null, events: [] };
  }
  const counted = await batch.stock.count(counts.map(({ work }): Movement => work.movement));
  counts.forEach(({ entry, work }, i) => {
    const { applied, effect, version, found } = counted[i]!;
    if (applied) batch.facts.push(factOfMovement(work, version, effect, found));
    entry.result = applied
      ? { status: 'applied', orderId: null, events: [] }
      : { status: 'duplicate', orderId: null, state: 's' };
  });
  for (const entry of entries) {
    if (entry.result !== undefined) continue;
    if (!isFault(entry.translated)) batch.facts.push(...entry.translated.facts);
    entry.result = { status: 'applied', orderId: null, events: [] };
  }
  await batch.finish();
  // Last: what orders of this batch were promised is written, and the balances that guard it are still locked.
  const { applied, facts } = await changeSupplies(
    tx,
    supplies.map(({ change }) => change),
  );
  supplies.forEach(({ entry }, i) => {
    if (!applied[i]) entry.result = { status: 'duplicate', orderId: null, state: 's' };
  });
  if (facts.length > 0) await appendFacts(tx, facts);
  const news = await writeReports(
    tx,
    deps.directory.credit,
    reports.map(({ report }) => report),
  );
  reports.forEach(({ entry }, i) => {
    if (!news[i]) entry.result = { status: 'duplicate', orderId: null, state: 's' };
  });
}

/** Goods that leave under a hold use it up: reserved and on hand fall together. */
function claimHold(batch: Awaited<ReturnType<typeof processOrders>>, work: StockWork): void {
  if (work.reservationId === null || work.movement.quantity >= 0) return;
  for (const hold of batch.held.get(work.reservationId) ?? []) {
    if (hold.skuId !== work.movement.skuId || hold.locationId !== work.movement.locationId) continue;
    const used = Math.min(hold.openQuantity, -work.movement.quantity);
    if (used === 0) return;
    batch.stock.reserve(hold.skuId, hold.locationId, -used);
    hold.openQuantity -= used;
    const { version } = batch.stock.balance(hold.skuId, hold.locationId);
    batch.facts.push(claimFact(hold, used, version, work.companyId, work.movement.occurredAt));
  }
}

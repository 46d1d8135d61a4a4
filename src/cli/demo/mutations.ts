/** What a mutated run came to: each thing that went otherwise and its end, money in hub and ERP, and where every unit of stock is. */
import type { Queryable } from '../../store/index.ts';
import * as statements from './mutations.sql.ts';

const PAGE = 200;

interface ErpOrder {
  key: string;
  lines: { cancelledMinor: number; invoicedMinor: number; creditedMinor: number }[];
}

async function erpMoney(url: string): Promise<{ cancelled: number; invoiced: number; credited: number }> {
  const sums = { cancelled: 0, invoiced: 0, credited: 0 };
  for (let after = ''; ; ) {
    const query = `kind=orders&limit=${PAGE}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`;
    const answer = await fetch(`${url}/_control/truth?${query}`, { signal: AbortSignal.timeout(30_000) });
    const page = (await answer.json()) as { records: ErpOrder[]; next: string; more: boolean };
    for (const { lines } of page.records)
      for (const line of lines) {
        sums.cancelled += line.cancelledMinor;
        sums.invoiced += line.invoicedMinor;
        sums.credited += line.creditedMinor;
      }
    if (!page.more) return sums;
    after = page.next;
  }
}

/** @param asked as the feeder counted it */
export async function summariseMutations(db: Queryable, urls: Readonly<Record<string, string>>, asked: unknown) {
  const setAside: Record<string, Record<string, number>> = {};
  for (const { scope, class: reason, count } of await db.query(statements.countSetAside))
    setAside[scope] = { ...setAside[scope], [reason]: count };
  const holds: Record<string, Record<string, number>> = {};
  for (const { kind, state, by, count } of await db.query(statements.countHolds)) {
    const name =
      state === 'open' ? 'held' : by === 'order' ? 'givenUp' : by === 'rule' ? 'releasedByRule' : 'releasedByPerson';
    holds[kind] = { ...holds[kind], [name]: (holds[kind]?.[name] ?? 0) + count };
  }
  const exceptions = await db.query(statements.countExceptions);
  const [inspected] = await db.query(statements.sumInspected);
  const [hub] = await db.query(statements.sumMoney);
  const erp = await erpMoney(urls.erp!);
  const movements = Object.fromEntries((await db.query(statements.sumMovements)).map((row) => [row.kind, row.units]));
  const wms = (await (await fetch(`${urls.wms}/_control/stats`)).json()) as { onHand: number };
  const moved = Object.values(movements).reduce((sum, units) => sum + units, 0);
  return {
    asked,
    changedLines: Object.fromEntries((await db.query(statements.countChanges)).map((row) => [row.outcome, row.lines])),
    setAside,
    shortPicksAndSubstitutes: Object.fromEntries(exceptions.map(({ kind, ...rest }) => [kind, rest])),
    returns: {
      ...Object.fromEntries((await db.query(statements.countReturns)).map((row) => [row.state, row.count])),
      units: inspected!,
    },
    holds,
    priceDifferences: Object.fromEntries(
      (await db.query(statements.countPriceDifferences)).map((row) => [row.outcome, row.count]),
    ),
    /** Minor units. */
    money: {
      hub: hub!,
      erp,
      equal: hub!.cancelled === erp.cancelled && hub!.invoiced === erp.invoiced && hub!.credited === erp.credited,
    },
    /** Base units by kind of movement; what they add up to is what the WMS holds. */
    stock: { movements, sum: moved, inWms: wms.onHand, explained: moved === wms.onHand },
  };
}

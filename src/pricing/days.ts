/** A price that begins or ends does so without anybody writing it: when a company's day begins, its channels are told. */
import { appendFacts } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { type Database, databaseNow, numbers, texts } from '../store/index.ts';
import { dayIn } from './day.ts';
import * as statements from './days.sql.ts';

const SKUS_A_FACT = 1_000;

/** @returns how many SKUs' prices were told anew; so with a channel that shows another list than it did */
export async function tellPriceDays(
  db: Database,
  { companies, channels }: Pick<Directory, 'companies' | 'channels'>,
): Promise<number> {
  const now = await databaseNow(db);
  const current = [...companies.values()].map(({ companyId, timeZone }) => ({
    companyId,
    day: dayIn(timeZone, now),
    lists: listsOf(companyId, channels),
  }));
  const ids = numbers(current.map(({ companyId }) => companyId));
  const told = new Map((await db.query(statements.readDays, [ids])).map((row) => [row.company_id, row]));
  let skus = 0;
  for (const { companyId, day, lists } of current) {
    const before = told.get(companyId);
    // Nothing began before anybody knew the company.
    if (before === undefined) await db.query(statements.addDay, [companyId, day, texts(lists)]);
    else if (before.day < day || changedLists(before.lists, lists).length > 0)
      skus += await turn(db, companyId, day, lists);
  }
  return skus;
}

function turn(db: Database, companyId: number, day: string, lists: readonly string[]): Promise<number> {
  return db.transaction(async (tx) => {
    const [before] = await tx.query(statements.lockDay, [companyId]);
    const changed = changedLists(before!.lists, lists);
    // Another process was here first.
    if (before!.day >= day && changed.length === 0) return 0;
    const until = before!.day > day ? before!.day : day;
    const rows = await tx.query(statements.findTurned, [companyId, before!.day, until, texts(changed.map(listOf))]);
    const skuIds = rows.map((row) => row.sku_id);
    const facts = [];
    for (let from = 0; from < skuIds.length; from += SKUS_A_FACT)
      facts.push({
        ...{ type: 'price.changed', stream: 'price', version: 0, companyId, occurredAt: new Date().toISOString() },
        data: { skuIds: skuIds.slice(from, from + SKUS_A_FACT) },
      });
    if (facts.length > 0) await appendFacts(tx, facts);
    await tx.query(statements.moveDay, [companyId, until, texts(lists)]);
    return skuIds.length;
  });
}

/** `<channel> <list>` of the channels that have one. */
function listsOf(companyId: number, channels: Directory['channels']): string[] {
  return [...channels.values()]
    .flatMap(({ code, prices, ...of }) =>
      of.companyId === companyId && prices.list !== null ? [`${code} ${prices.list}`] : [],
    )
    .toSorted();
}

const listOf = (shown: string) => shown.slice(shown.indexOf(' ') + 1);

function changedLists(before: readonly string[], after: readonly string[]): string[] {
  return [...before.filter((one) => !after.includes(one)), ...after.filter((one) => !before.includes(one))];
}

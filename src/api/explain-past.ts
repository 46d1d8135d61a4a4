/**
 * A number's inputs as Crossdock knew them at a past moment. Only what rows and facts prove is given; the rest is null with
 * the reason, because a plausible number that can't be proven is worse than none.
 */
import { fail } from '../canonical/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import { databaseNow } from '../store/index.ts';
import * as statements from './explain.sql.ts';
import { type ExplainDeps, ruleOf } from './explain.ts';

export async function explainPast(
  { db, directory }: ExplainDeps,
  channel: ChannelEntry,
  skuId: number,
  at: string,
): Promise<object> {
  await directory.loadSkuCodes([skuId]);
  if (Date.parse(at) > (await databaseNow(db)).getTime())
    fail('XD_VALUE_INVALID', `at must not lie in the future, found ${at}`, { place: 'at' });
  const past = await db.query(statements.readPastBalances, [skuId, at]);
  const served = new Set(channel.locationIds);
  const unproven = new Set<string>();
  for (const row of past) {
    if (row.on_hand === null)
      unproven.add(`on hand: movements before ${row.closed_before!.toISOString()} were closed into one balance`);
    if (row.reserved === null)
      unproven.add(`reserved, allocated: facts before ${row.kept_since!.toISOString()} are gone`);
    if (row.exposed === null)
      unproven.add('exposed: a channel was told a number of this SKU, and what was set aside for it leaves no fact');
    if (row.outside_deducted === null)
      unproven.add('outside: other systems have allocated, and of each allocation only the newest report is at hand');
  }
  unproven.add('safety stock: not every change of it leaves a fact, only its present value is known');
  unproven.add('atp: it depends on inputs that are not proven; the rule is the present one');
  return {
    sku: directory.skuCode(skuId),
    unit: directory.skuUnit(skuId),
    channel: channel.code,
    at,
    atp: null,
    unproven: [...unproven],
    rule: ruleOf(directory, channel),
    locations: past.map((row) => ({
      location: directory.locationById.get(row.location_id)?.code ?? String(row.location_id),
      served: served.has(row.location_id),
      onHand: row.on_hand,
      reserved: row.reserved,
      allocated: row.allocated,
      exposed: row.exposed,
      outsideDeducted: row.outside_deducted,
      safetyStock: null,
    })),
  };
}

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
  const values = [skuId, at];
  const [onHand, reserved, allocated] = await Promise.all([
    db.query(statements.onHandAt, values),
    db.query(statements.reservedAt, values),
    db.query(statements.allocatedAt, values),
  ]);
  const reservedBy = new Map(reserved.map((row) => [row.location_id, row]));
  const allocatedBy = new Map(allocated.map((row) => [row.location_id, row.allocated]));
  const served = new Set(channel.locationIds);
  const reasons = new Set<string>();
  const locations = onHand.map((row) => {
    const closed = row.closed_before !== null && row.closed_before.getTime() > Date.parse(at);
    if (closed)
      reasons.add(`on hand: movements before ${row.closed_before!.toISOString()} were closed into one balance`);
    const holds = reservedBy.get(row.location_id);
    if (holds?.unproven === true) reasons.add('reserved: some holds were claimed since, and when is not recorded');
    return {
      location: directory.locationById.get(row.location_id)?.code ?? String(row.location_id),
      served: served.has(row.location_id),
      onHand: closed ? null : row.on_hand,
      reserved: holds?.unproven === true ? null : (holds?.reserved ?? 0),
      allocated: allocatedBy.get(row.location_id) ?? 0,
      exposed: null,
      safetyStock: null,
    };
  });
  reasons.add('exposed and safety stock: not every change of them leaves a fact, only their present values are known');
  return {
    sku: directory.skuCode(skuId),
    unit: 'each',
    channel: channel.code,
    at,
    atp: null,
    unproven: [...reasons, 'atp: it depends on inputs that are not proven; the rule is the present one'],
    rule: ruleOf(directory, channel),
    locations,
  };
}

/** What may be sent instead of what was ordered, as a batch of commands needs it: read, and locked with what was ordered. */
import type { Pair } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { numbers, type Queryable } from '../store/index.ts';
import { addedSkus } from './change-needs.ts';
import * as statements from './exceptions.sql.ts';
import type { Order, OrderCommand } from './types.ts';

/** What may be sent instead of what is ordered, where somebody may ask for that: nobody else pays for it. */
export async function readSubstitutes(
  db: Queryable,
  directory: Directory,
  works: readonly { command: OrderCommand }[],
  orderIds: readonly (number | null)[],
  orders: ReadonlyMap<number, Order>,
): Promise<Map<number, number[]>> {
  const skuIds = new Set<number>();
  works.forEach(({ command }, i) => {
    if (command.kind === 'submit') {
      const channel = directory.channelById.get(command.channelId);
      if (channel?.sellsByItself && channel.onOversold.policy === 'substitute')
        for (const { skuId } of command.lines) skuIds.add(skuId);
    } else if (command.kind === 'short_pick') {
      const order = orders.get(orderIds[i]!);
      if (directory.channelById.get(order?.channelId ?? 0)?.onShortPick.policy === 'substitute')
        for (const { lineNo } of command.lines) skuIds.add(order!.lines.get(lineNo)?.skuId ?? 0);
    } else if (command.kind === 'change') {
      const order = orders.get(orderIds[i]!);
      const channel = directory.channelById.get(order?.channelId ?? 0);
      if (channel?.sellsByItself && channel.onOversold.policy === 'substitute')
        for (const skuId of addedSkus(command, order)) skuIds.add(skuId);
    } else if (command.kind === 'resolve_exception' && command.as === 'substitute') {
      const skuId = orders.get(orderIds[i]!)?.exceptions.get(command.exceptionId)?.skuId;
      if (skuId !== undefined) skuIds.add(skuId);
    }
  });
  const found = new Map<number, number[]>();
  if (skuIds.size === 0) return found;
  for (const row of await db.query(statements.readSubstitutes, [numbers([...skuIds])])) {
    const list = found.get(row.sku_id);
    if (list === undefined) found.set(row.sku_id, [row.substitute_id]);
    else list.push(row.substitute_id);
  }
  return found;
}

export function pairsOfSubstitutes(
  command: OrderCommand,
  order: Order | undefined,
  channel: ChannelEntry,
  substitutes: ReadonlyMap<number, readonly number[]>,
): Pair[] {
  const skuIds =
    command.kind === 'submit'
      ? command.lines.map((line) => line.skuId)
      : command.kind === 'resolve_exception'
        ? [order?.exceptions.get(command.exceptionId)?.skuId ?? 0]
        : command.kind === 'change'
          ? addedSkus(command, order)
          : command.kind === 'short_pick'
            ? command.lines.map(({ lineNo }) => order?.lines.get(lineNo)?.skuId ?? 0)
            : [];
  return skuIds.flatMap((skuId) =>
    (substitutes.get(skuId) ?? []).flatMap((instead) =>
      channel.locationIds.map((locationId): Pair => [instead, locationId]),
    ),
  );
}

/** What may be sent instead of what was ordered, as a batch of commands needs it: read, and locked with what was ordered. */
import type { Pair } from '../ledger/index.ts';
import { type ChannelEntry, type Directory, SUBSTITUTE_CHAIN_MAX, SUBSTITUTES_MAX } from '../master/index.ts';
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
      if ((channel?.sellsByItself && channel.onOversold.policy === 'substitute') || command.consent !== undefined)
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
  return followSubstitutes([...skuIds], async (of) => {
    const lists = new Map<number, number[]>();
    for (const row of await db.query(statements.readSubstitutes, [numbers(of)])) {
      const list = lists.get(row.sku_id);
      if (list === undefined) lists.set(row.sku_id, [row.substitute_id]);
      else list.push(row.substitute_id);
    }
    return lists;
  });
}

/**
 * What stands for each of these SKUs, best first: its own substitutes, then theirs, and so on for as many steps as a chain may have. Ends
 * whatever the lists say: no SKU comes twice, and none stands for itself.
 * @param listsOf the lists of these SKUs; asked once a step
 */
export async function followSubstitutes(
  skuIds: readonly number[],
  listsOf: (skuIds: readonly number[]) => Promise<ReadonlyMap<number, readonly number[]>>,
): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  const known = new Map<number, readonly number[]>();
  let ends = new Map(skuIds.map((skuId) => [skuId, [skuId]]));
  for (let step = 0; step < SUBSTITUTE_CHAIN_MAX && ends.size > 0; step++) {
    const asked = [...new Set([...ends.values()].flat())].filter((skuId) => !known.has(skuId));
    const lists = asked.length === 0 ? new Map<number, number[]>() : await listsOf(asked);
    for (const skuId of asked) known.set(skuId, lists.get(skuId) ?? []);
    const next = new Map<number, number[]>();
    for (const [skuId, at] of ends) {
      const list = found.get(skuId) ?? [];
      const added: number[] = [];
      for (const instead of at.flatMap((one) => known.get(one)!)) {
        if (instead === skuId || list.includes(instead) || list.length === SUBSTITUTES_MAX) continue;
        list.push(instead);
        added.push(instead);
      }
      if (list.length > 0) found.set(skuId, list);
      if (added.length > 0) next.set(skuId, added);
    }
    ends = next;
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

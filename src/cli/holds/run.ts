import { decimalOf } from '../../canonical/index.ts';
import { getHold, type HoldRecord, holdOrder, listHolds, releaseHold } from '../../orders/index.ts';
import { Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { orderNamed } from '../order-named.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export interface Named extends Omit<HoldRecord, 'channelId'> {
  /** `<channel>/<its number>` */
  order: string;
}

function named({ directory }: Opened, { channelId, ...record }: HoldRecord): Named {
  return { ...record, order: `${directory.channelById.get(channelId)?.code ?? '?'}/${record.externalNo}` };
}

const depsOf = (opened: Opened) => ({ ids: new Ids(), directory: opened.directory });

export async function list(
  opened: Opened,
  wanted: {
    state: string;
    kind?: HoldRecord['kind'];
    channel?: string;
    order?: string;
    owner?: string;
    due?: boolean;
    before?: number;
    limit: number;
  },
): Promise<Named[]> {
  const { state, kind, channel, order, owner, due, before, limit } = wanted;
  const orderId = order === undefined ? undefined : (await orderNamed(opened.db, order)).orderId;
  const found = await listHolds(opened.db, {
    state: state === 'all' ? undefined : (state as 'open' | 'released'),
    channelId: channel === undefined ? undefined : opened.directory.channels.get(channel)!.channelId,
    ...{ kind, orderId, owner, due, before, limit },
  });
  return found.map((record) => named(opened, record));
}

export function listed(found: readonly Named[]): string {
  if (found.length === 0) return 'no holds';
  const rows = found.map((hold) => [
    hold.holdId,
    hold.kind,
    hold.state,
    hold.order,
    `${decimalOf(hold.totalMinor, hold.currency)} ${hold.currency}`,
    hold.detail.slice(0, 60),
    hold.owner,
    hold.dueAt === null ? '-' : `${hold.dueAt.toISOString()}${hold.isDue ? ' (due)' : ''}`,
  ]);
  return table(['id', 'kind', 'state', 'order', 'total', 'why', 'owner', 'decide by'], rows);
}

export async function show(opened: Opened, holdId: number): Promise<Named> {
  return named(opened, await getHold(opened.db, holdId));
}

export function shown(hold: Named): string {
  return [
    `hold ${hold.holdId}: ${hold.kind}, ${hold.state}${hold.isDue ? ', due' : ''}`,
    `  order    ${hold.order} (${hold.orderId}) of ${hold.account}, ${hold.orderState}, ${decimalOf(hold.totalMinor, hold.currency)} ${hold.currency}`,
    `  why      ${hold.reason}: ${hold.detail}`,
    `  held     ${hold.recordedAt.toISOString()} by ${hold.heldBy ?? 'its rule'}`,
    `  owner    ${hold.owner}${hold.dueAt === null ? '' : `, decides by ${hold.dueAt.toISOString()}`}`,
    ...(hold.releasedBy === null
      ? [
          `  next     crossdock holds release ${hold.holdId} --reason TEXT${hold.kind === 'price' ? ' (with --reprice: at the decided prices)' : ''}`,
        ]
      : [
          `  released ${hold.endedAt?.toISOString() ?? ''} by ${hold.releasedBy}${hold.releaseReason === null ? '' : `: ${hold.releaseReason}`}`,
        ]),
  ].join('\n');
}

export async function put(
  opened: Opened,
  order: string,
  { reason, detail, due }: { reason: string; detail: string; due?: string },
): Promise<Named> {
  const { orderId } = await orderNamed(opened.db, order);
  return named(
    opened,
    await holdOrder(opened.db, depsOf(opened), orderId, { reason, detail, by: whoAmI(), dueAt: due ?? null }),
  );
}

export async function release(
  opened: Opened,
  holdId: number,
  { reason, reprice }: { reason: string; reprice?: boolean },
): Promise<Named> {
  return named(opened, await releaseHold(opened.db, depsOf(opened), holdId, { by: whoAmI(), reason, reprice }));
}

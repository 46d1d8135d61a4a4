import { type ExceptionRecord, getException, listExceptions, settleException } from '../../orders/index.ts';
import { Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export interface Named extends Omit<ExceptionRecord, 'channelId'> {
  /** `<channel>/<its number>` */
  order: string;
}

function named({ directory }: Opened, { channelId, ...record }: ExceptionRecord): Named {
  return { ...record, order: `${directory.channelById.get(channelId)?.code ?? '?'}/${record.externalNo}` };
}

export async function list(
  opened: Opened,
  {
    state,
    channel,
    order,
    before,
    limit,
  }: { state: string; channel?: string; order?: number; before?: number; limit: number },
): Promise<Named[]> {
  const found = await listExceptions(opened.db, {
    state: state === 'all' ? undefined : (state as 'open' | 'resolved'),
    channelId: channel === undefined ? undefined : opened.directory.channels.get(channel)!.channelId,
    orderId: order,
    before,
    limit,
  });
  return found.map((record) => named(opened, record));
}

export function listed(found: readonly Named[]): string {
  if (found.length === 0) return 'no exceptions';
  const rows = found.map((e) => [
    e.exceptionId,
    e.kind,
    e.state,
    `${e.order} line ${e.lineNo}`,
    e.sku,
    e.units,
    becameOf(e),
    e.recordedAt.toISOString(),
  ]);
  return table(['id', 'kind', 'state', 'order', 'SKU', 'units', 'what became of them', 'since'], rows);
}

export async function show(opened: Opened, exceptionId: number): Promise<Named> {
  return named(opened, await getException(opened.db, exceptionId));
}

export function shown(e: Named): string {
  return [
    `exception ${e.exceptionId}: ${e.kind}, ${e.state}`,
    `  order    ${e.order} (${e.orderId}), line ${e.lineNo}`,
    `  units    ${e.units} of ${e.sku}: ${becameOf(e)}`,
    `  rule     ${e.policy}`,
    ...e.standIns.map((line) => `  instead  ${line.quantity} of ${line.sku}, as line ${line.lineNo}`),
    ...(e.resolvedBy === null ? [] : [`  resolved by ${e.resolvedBy}${e.reason === null ? '' : `: ${e.reason}`}`]),
    `  found    ${e.recordedAt.toISOString()}${e.endedAt === null ? '' : `, resolved ${e.endedAt.toISOString()}`}`,
    ...(e.state === 'open'
      ? [`  next     crossdock exceptions resolve ${e.exceptionId} --as backorder|substitute|cancel`]
      : []),
  ].join('\n');
}

function becameOf(e: Named): string {
  const parts = [
    [e.held, 'held'],
    [e.backordered, 'backordered'],
    [e.cancelled, 'cancelled'],
    [e.substituted, 'substituted'],
    [e.resourced, 'taken from another place'],
  ] as const;
  return parts
    .filter(([units]) => units > 0)
    .map(([units, what]) => `${units} ${what}`)
    .join(', ');
}

export async function resolve(
  opened: Opened,
  exceptionId: number,
  {
    as,
    otherwise,
    reason,
  }: { as: 'backorder' | 'substitute' | 'cancel'; otherwise?: 'backorder' | 'cancel'; reason?: string },
): Promise<Named> {
  const deps = { ids: new Ids(), directory: opened.directory };
  const by = whoAmI();
  return named(opened, await settleException(opened.db, deps, exceptionId, { as, otherwise, reason, by }));
}

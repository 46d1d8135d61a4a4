import { decimalOf } from '../../canonical/index.ts';
import { type AlertRecord, acknowledgeAlert, getAlert, listAlerts } from '../../ops/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export interface Named extends Omit<AlertRecord, 'channelId'> {
  /** `<channel>/<its number>` */
  order: string;
}

function named({ directory }: Opened, { channelId, ...record }: AlertRecord): Named {
  return { ...record, order: `${directory.channelById.get(channelId)?.code ?? '?'}/${record.externalNo}` };
}

export async function list(
  opened: Opened,
  wanted: { state: string; stage?: string; channel?: string; owner?: string; before?: number; limit: number },
): Promise<Named[]> {
  const { state, stage, channel, owner, before, limit } = wanted;
  const found = await listAlerts(opened.db, {
    state: state === 'all' ? undefined : (state as 'open' | 'ended'),
    channelId: channel === undefined ? undefined : opened.directory.channels.get(channel)!.channelId,
    ...{ stage, owner, before, limit },
  });
  return found.map((record) => named(opened, record));
}

export function listed(found: readonly Named[]): string {
  if (found.length === 0) return 'no order is stuck';
  const rows = found.map((alert) => [
    alert.alertId,
    alert.order,
    alert.stage,
    minutes(alert.lateSeconds),
    `${decimalOf(alert.totalMinor, alert.currency)} ${alert.currency}`,
    alert.owner,
    alert.seenBy ?? '-',
    alert.waitsFor ?? 'moved on',
  ]);
  return table(['id', 'order', 'stage', 'late', 'total', 'owner', 'seen by', 'waits for'], rows);
}

export async function show(opened: Opened, alertId: number): Promise<Named> {
  return named(opened, await getAlert(opened.db, alertId));
}

export async function acknowledge(opened: Opened, alertId: number): Promise<Named> {
  return named(opened, await acknowledgeAlert(opened.db, alertId, whoAmI()));
}

export function shown(alert: Named): string {
  return [
    `alert ${alert.alertId}: ${alert.order} ${alert.state === 'open' ? 'is stuck' : 'was stuck'} in ${alert.stage}`,
    `  order    ${alert.orderId} of ${alert.account}, ${decimalOf(alert.totalMinor, alert.currency)} ${alert.currency}`,
    `  since    ${alert.since.toISOString()}; should have moved on by ${alert.dueAt.toISOString()}, ${minutes(alert.lateSeconds)} late`,
    `  owner    ${alert.owner}${alert.seenBy === null ? ', seen by nobody' : `, seen by ${alert.seenBy}`}`,
    ...(alert.endedAt === null ? [] : [`  moved on ${alert.endedAt.toISOString()}`]),
    ...(alert.waitsFor === null ? [] : [`  waits    ${alert.waitsFor}`]),
    ...(alert.next === null ? [] : [`  next     ${alert.next}`]),
  ].join('\n');
}

function minutes(seconds: number): string {
  const whole = Math.floor(seconds / 60);
  const [days, hours, rest] = [Math.floor(whole / 1_440), Math.floor((whole % 1_440) / 60), whole % 60];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${rest} min` : `${rest} min`;
}

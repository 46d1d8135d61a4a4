import { type PromiseRecord, readPromiseRecords } from '../../projections/index.ts';
import type { Queryable } from '../../store/index.ts';
import { orderNamed } from '../order-named.ts';
import { table } from '../table.ts';

const RECORDS_MAX = 2_000;

export interface Promised {
  orderId: number;
  /** `<channel>/<its number>` */
  order: string;
  promises: PromiseRecord[];
  truncated: boolean;
}

export async function show(db: Queryable, text: string, past: boolean): Promise<Promised> {
  const { orderId, channel, externalNo } = await orderNamed(db, text);
  const promises = await readPromiseRecords(db, orderId, { past, max: RECORDS_MAX + 1 });
  return {
    ...{ orderId, order: `${channel}/${externalNo}` },
    promises: promises.slice(0, RECORDS_MAX),
    truncated: promises.length > RECORDS_MAX,
  };
}

export function told({ orderId, order, promises, truncated }: Promised): string {
  if (promises.length === 0)
    return `order ${orderId} (${order}) has no promise: its channel declares neither calendars nor sourcing, or all of it has left or was given up`;
  const rows = promises.map((one) => [
    one.standsFor === null ? one.lineNo : `${one.lineNo} for ${one.standsFor}`,
    one.sku,
    one.quantity,
    one.promisedAt?.toISOString() ?? 'nobody knows',
    one.location,
    one.supply === null ? '-' : `${one.supply}, due ${one.supplyDueAt?.toISOString().slice(0, 10) ?? '?'}`,
    `${one.reason}, upon ${one.cause}`,
    one.ruleVersion,
    one.replacedVersion === null ? 'holds' : `until version ${one.replacedVersion}`,
  ]);
  const columns = ['line', 'SKU', 'quantity', 'leaves', 'from', 'supply', 'why', 'rule', 'state'];
  return [
    `order ${orderId} (${order})`,
    table(columns, rows),
    ...(truncated ? ['there are more than are shown'] : []),
  ].join('\n');
}

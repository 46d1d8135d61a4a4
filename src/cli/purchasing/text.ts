import type { Outlook } from '../../projections/index.ts';
import { table } from '../table.ts';

const head = ['company', 'SKU', 'waiting', 'missing', 'free', 'to come', 'promised', 'overdue', 'short'];

export function listed(outlook: readonly Outlook[]): string {
  if (outlook.length === 0) return 'nothing waits and nothing is to come';
  return table(
    head,
    outlook.map((row) => [
      ...[row.company, row.sku, row.waiting, row.missing, row.free, row.toCome, row.promisedOfSupply],
      ...[row.overdue, row.short],
    ]),
  );
}

/** With what is to come, supply by supply. */
export function shown(outlook: readonly Outlook[]): string {
  if (outlook.length === 0) return 'nothing of it waits and nothing is to come';
  return outlook
    .map((row) =>
      [
        listed([row]),
        ...row.supplies.map(
          (supply) =>
            `  ${supply.dueAt.slice(0, 16)}Z${supply.overdue ? ' overdue' : ''}  ${supply.toCome} to ${supply.location} with ${supply.source}/${supply.id}: ` +
            (supply.promised === 0 ? 'promised to nobody' : `${supply.promised} promised to ${supply.orders} orders`),
        ),
        row.short > 0
          ? `  buy ${row.short}: everything that is there and to come is taken into account`
          : '  nothing is to be bought for what waits',
      ].join('\n'),
    )
    .join('\n\n');
}

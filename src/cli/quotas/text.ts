import type { QuotaTold } from '../../orders/index.ts';
import { table } from '../table.ts';

const head = ['quota', 'SKU', 'channel', 'region', 'account', 'from', 'to', 'kept', 'cap', 'used', 'borrow', 'lend'];

export function listed(quotas: readonly QuotaTold[]): string {
  if (quotas.length === 0) return 'there are no quotas';
  return table(
    head,
    quotas.map((one) => [
      ...[one.quotaId, one.sku, one.channel, one.region, one.account, one.from.slice(0, 16), one.to.slice(0, 16)],
      ...[one.ringFenced, one.cap, one.used, one.borrow ? 'yes' : 'no', one.lend ? 'yes' : 'no'],
    ]),
  );
}

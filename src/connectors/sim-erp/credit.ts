import type { CreditReported } from '../../canonical/index.ts';
import { type CreditSource, type Fields, type HttpClient, lookUpOne } from '../kit/index.ts';

export const LOOKUP_MAX = 200;

/** What an account owes, from the feed or asked for: the same record. */
export function creditOf(record: Fields): CreditReported {
  return {
    kind: 'credit.reported',
    account: record.text('account'),
    company: record.text('company'),
    currency: record.currency('currency'),
    limitMinor: record.raw.limitMinor === null ? null : record.integer('limitMinor', 0),
    openOrdersMinor: record.integer('openOrdersMinor', 0),
    openInvoicesMinor: record.integer('openInvoicesMinor', Number.MIN_SAFE_INTEGER),
    asOf: record.time('at'),
    orders: textsOf(record, 'orders'),
    ...(record.raw.orderLines !== undefined && { orderLines: textsOf(record, 'orderLines') }),
  };
}

function textsOf(record: Fields, name: string): string[] {
  return record.list(name).map((text) => {
    if (typeof text !== 'string') throw record.unreadable(name, 'must be a list of texts');
    return text;
  });
}

export function creditSource(client: HttpClient): CreditSource {
  const route = { path: '/credit/lookup', list: 'accounts', itemsMax: LOOKUP_MAX, keyName: 'key', valueOf: creditOf };
  return {
    accountsMax: LOOKUP_MAX,
    ask: async (accounts, signal) => [
      ...(
        await lookUpOne(
          client,
          route,
          accounts.map(({ company, account }) => `${company}/${account}`),
          signal,
        )
      ).values(),
    ],
  };
}

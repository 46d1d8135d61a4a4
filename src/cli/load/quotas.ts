/** Quotas from rows: one a SKU and node. */
import { putQuotas, type QuotaRecord } from '../../orders/index.ts';
import { Ids } from '../../store/index.ts';
import { whoAmI } from '../who.ts';
import type { RowFields } from './fields.ts';
import type { LoadContext } from './kinds.ts';

export const quotaRows = ({ db, directory, channel }: LoadContext) => ({
  required: ['sku', 'from', 'to'],
  optional: ['channel', 'region', 'account', 'ring_fenced', 'cap', 'borrow', 'lend'],
  read: (row: RowFields): QuotaRecord => ({
    channel: row.text('channel', channel),
    region: row.optional('region'),
    account: row.optional('account'),
    sku: row.text('sku').toUpperCase(),
    from: row.time('from'),
    to: row.time('to'),
    ringFenced: row.optional('ring_fenced') === undefined ? undefined : row.whole('ring_fenced', 0),
    cap: row.optional('cap') === undefined ? undefined : row.whole('cap', 0),
    borrow: row.oneOf('borrow', ['true', 'false'], 'false') === 'true',
    lend: row.oneOf('lend', ['true', 'false'], 'false') === 'true',
  }),
  put: async (records: QuotaRecord[]) => ({
    written: await putQuotas(db, { ids: new Ids(), directory }, records, whoAmI()),
  }),
});

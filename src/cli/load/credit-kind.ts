/** What accounts owe and may owe, from a file: what an ERP's connector reports where there is one. */
import type { InboundItem } from '../../canonical/index.ts';
import { creditItem } from '../../connectors/kit/index.ts';
import { type RowFields, TEXT_LENGTH_MAX } from './fields.ts';
import type { Kind, LoadContext, ReadRow, UnitResult } from './kinds.ts';

type Receive = (
  units: readonly (readonly ReadRow[])[],
  itemOf: (unit: readonly ReadRow[]) => InboundItem,
) => Promise<UnitResult[]>;

/** Amounts as they are written: 1200.50. The orders that they contain stand in one column, with blanks between. */
export function creditKind(
  { modifiedAt, system }: LoadContext,
  receive: Receive,
  ownerOf: (company: string | undefined) => { company: string | undefined; currency: string | undefined },
): Kind {
  return {
    required: ['account', 'open_orders', 'open_invoices'],
    optional: ['company', 'currency', 'limit', 'as_of', 'orders', 'order_lines'],
    read: (row: RowFields): InboundItem => {
      const owner = ownerOf(row.optional('company'));
      const currency = row.text('currency', owner.currency);
      const orders = row.optional('orders', TEXT_LENGTH_MAX);
      const orderLines = row.optional('order_lines', TEXT_LENGTH_MAX);
      const draft = creditItem(system, {
        kind: 'credit.reported',
        account: row.text('account'),
        company: row.text('company', owner.company),
        currency,
        limitMinor: row.optional('limit') === undefined ? null : row.minor('limit', currency),
        openOrdersMinor: row.minor('open_orders', currency),
        openInvoicesMinor: row.minor('open_invoices', currency, true),
        asOf: row.time('as_of', modifiedAt.toISOString()),
        ...(orders !== undefined && { orders: orders.split(/\s+/) }),
        ...(orderLines !== undefined && { orderLines: orderLines.split(/\s+/) }),
      });
      return { ...draft, itemNo: 0 };
    },
    write: (units) => receive(units, (unit) => unit[0]!.value as InboundItem),
  };
}

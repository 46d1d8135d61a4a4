/** One lie at a time about a mutated run, and the finding that must name it. */
import type { Lie } from './lie.ts';
import type { Edit, Told } from './tamper.ts';

/** Of the first record and line that are so. */
const line =
  (is: (one: Told, record: Told) => boolean, change: (one: Told, record: Told) => void): Edit =>
  (records) => {
    for (const record of records)
      for (const one of record.lines ?? [])
        if (is(one, record)) {
          change(one, record);
          return;
        }
    throw new Error('nothing to lie about');
  };
const isAdded = (one: Told) => one.root !== undefined && one.lineNo > 100_000;

export const liesMutated: [what: string, lie: Lie, finding: string][] = [
  [
    'one more of an added line in the ERP',
    { says: ['erp', 'orders', line(isAdded, (one) => (one.quantity += 1))] },
    'erp.accepted',
  ],
  [
    'an added line in the ERP that is nobody’s',
    { says: ['erp', 'orders', line(isAdded, (one) => delete one.root)] },
    'erp.line_extra',
  ],
  [
    'a penny more invoiced',
    {
      says: [
        'erp',
        'orders',
        line(
          (one) => one.invoiced > 0,
          (one) => (one.invoicedMinor += 1),
        ),
      ],
    },
    'erp.invoiced_amount',
  ],
  [
    'a penny less paid back',
    {
      says: [
        'erp',
        'orders',
        line(
          (one) => one.creditedMinor > 0,
          (one) => (one.creditedMinor -= 1),
        ),
      ],
    },
    'erp.credited_amount',
  ],
  [
    'a unit that was cancelled for nobody',
    {
      says: [
        'erp',
        'orders',
        line(
          (one) => one.cancelled === 0 && one.shipped < one.quantity,
          (one) => (one.cancelled += 1),
        ),
      ],
    },
    'erp.undone',
  ],
  [
    'another SKU than the one that may be sent instead',
    {
      says: [
        'erp',
        'orders',
        line(
          (one, record) =>
            one.root !== undefined &&
            record.lines.some((other: Told) => other.lineNo === one.root && other.sku !== one.sku),
          (one) => (one.sku = 'NEVER'),
        ),
      ],
    },
    'erp.no_substitute',
  ],
  [
    'a cancel that the CRM shows alone',
    {
      says: [
        'crm',
        'orders',
        line(
          (one) => one.shipped > 0,
          (one) => (one.cancelled += 1),
        ),
      ],
    },
    'crm.cancelled',
  ],
  [
    'a change that the shop does not show',
    {
      says: [
        'shop',
        'orders',
        line(
          (one) => one.asked > one.quantity - 1 && one.asked > 1 && one.quantity === one.asked,
          (one) => (one.quantity -= 1),
        ),
      ],
    },
    'shop.quantity',
  ],
  [
    'goods that were found again by nobody',
    {
      says: [
        'wms',
        'events',
        (records) => {
          for (const one of records) if (one.reference.startsWith('short:')) one.reference = 'found';
        },
      ],
    },
    'wms.not_found_and_kept',
  ],
  [
    'goods that came back and were looked at twice',
    {
      says: [
        'wms',
        'returns',
        (records) => {
          const back = records.find((one) => (one.inspected ?? []).some((it: Told) => it.restock > 0));
          back!.inspected.find((it: Told) => it.restock > 0).restock += 1;
        },
      ],
    },
    'wms.inspected',
  ],
  [
    'a unit on a shelf that no event brought',
    {
      says: [
        'wms',
        'stock',
        (records) => {
          records[0]!.onHand += 1;
        },
      ],
    },
    'wms.on_hand',
  ],
  [
    'more sent than the ERP knows',
    {
      says: [
        'wms',
        'fulfilments',
        line(
          (one) => one.shipped > 0,
          (one) => {
            one.shipped += 1;
            one.picked += 1;
            one.quantity += 1;
          },
        ),
      ],
    },
    'wms.shipped',
  ],
  [
    'an account that owes more than it may',
    {
      says: [
        'erp',
        'events',
        (records) => {
          for (const one of records)
            if (one.kind === 'credit' && one.limitMinor !== null) one.openInvoicesMinor += 100_000_000;
        },
      ],
    },
    'erp.over_limit',
  ],
  [
    'a refusal that was none of time',
    { sql: [`update parked_record set class = 'cosmic_rays' where state = 'open' and scope like 'change/%'`] },
    'hub.refused_for_nothing',
  ],
  [
    'an order that waits for nobody and is nowhere',
    {
      sql: [`update order_hold set state = 'released', released_by = 'nobody', ended_at = now() where state = 'open'`],
    },
    'erp.order_missing',
  ],
  [
    'an order of a rich account that is held',
    {
      sql: [
        `update order_hold set order_id = (select min(order_id) from sales_order where state = 'closed') where state = 'open' and hold_id = (select min(hold_id) from order_hold where state = 'open')`,
      ],
    },
    'erp.held_and_told',
  ],
  [
    'an order that is held for its prices and has the usual ones',
    {
      sql: [
        `insert into order_hold (order_id, hold_id, channel_id, kind, reason, detail, owner, state)
         select o.order_id, 990001, o.channel_id, 'price', 'price_differs', '', 'nobody', 'open'
           from sales_order o join channel c using (channel_id)
          where c.code = 'api' and not exists (select from order_hold h where h.order_id = o.order_id)
            and not exists (select from order_line l where l.order_id = o.order_id and l.unit_price not between 0.4 and 8)
          order by o.order_id limit 1`,
      ],
    },
    'hub.held_at_its_price',
  ],
];

/** An order as a careful team would write it without lanes: five transactions, each statement prepared, lines in one insert. */
import type pg from 'pg';
import { amountMinor, orderReference } from '../../src/canonical/index.ts';
import type {
  FulfilmentPayload,
  OrderStatusState,
  SalesOrderAnswer,
  SalesOrderPayload,
} from '../../src/connectors/kit/index.ts';
import type { Directory } from '../../src/master/index.ts';
import { numbers, texts } from '../../src/store/index.ts';
import type { BenchOrder } from '../orders.ts';
import type { InstantSystems } from './instant-systems.ts';
import type { Setting } from './setting.ts';

interface Place {
  companyId: number;
  channelId: number;
  locationId: number;
  destinations: { erp: number; wms: number; crm: number };
}

export class OrderBaseline {
  readonly #pool: pg.Pool;
  readonly #place: Place;
  readonly #accounts: Map<string, number>;
  readonly #systems: InstantSystems;

  private constructor(pool: pg.Pool, place: Place, accounts: Map<string, number>, systems: InstantSystems) {
    this.#pool = pool;
    this.#place = place;
    this.#accounts = accounts;
    this.#systems = systems;
  }

  static async open(
    pool: pg.Pool,
    setting: Setting,
    directory: Directory,
    systems: InstantSystems,
  ): Promise<OrderBaseline> {
    const accounts = await setting.rows<{ code: string; account_id: string }>('select code, account_id from account');
    const channel = directory.channels.get('DIRECT')!;
    const destination = (code: string) => directory.destinations.get(code)!.destinationId;
    const place = {
      companyId: channel.companyId,
      channelId: channel.channelId,
      locationId: channel.locationIds[0]!,
      destinations: { erp: destination('erp'), wms: destination('wms'), crm: destination('crm') },
    };
    return new OrderBaseline(pool, place, new Map(accounts.map((a) => [a.code, Number(a.account_id)])), systems);
  }

  async run(order: BenchOrder): Promise<void> {
    const { companyId, channelId, locationId, destinations } = this.#place;
    const { command, item } = order;
    const accountId = this.#accounts.get(command.account)!;
    const lines = command.lines.map((line) => ({
      ...line,
      quantity: Number(line.quantity),
      skuId: Number(line.sku.slice(1)),
      amountMinor: amountMinor(line.unitPrice, Number(line.quantity), 'GBP'),
    }));
    const totalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0);
    const reference = orderReference(command.channel, command.externalNo);

    // 1. accepted
    const orderId = await this.#transaction(async (query) => {
      const [raw] = await query('raw', [order.body]);
      const [id] = await query('order_id', []);
      const orderId = Number(id!.order_id);
      await query('key', [item.scope, item.key, item.fingerprint, orderId, Number(raw!.raw_id)]);
      await query('order', [
        orderId,
        companyId,
        channelId,
        accountId,
        command.externalNo,
        command.currency,
        totalMinor,
        command.orderedAt,
        lines.reduce((sum, line) => sum + line.quantity, 0),
      ]);
      await query('lines', [
        orderId,
        numbers(lines.map((l) => l.lineNo)),
        numbers(lines.map((l) => l.skuId)),
        numbers(lines.map((l) => l.quantity)),
        texts(lines.map((l) => l.unitPrice)),
        numbers(lines.map((l) => l.amountMinor)),
      ]);
      return orderId;
    });

    // 2. allocated, and the ERP's work written down
    const erpPayload: SalesOrderPayload = {
      reference,
      company: command.company,
      account: command.account,
      currency: command.currency,
      orderedAt: command.orderedAt,
      totalMinor,
      lines: lines.map(({ lineNo, sku, quantity, unitPrice, amountMinor }) => ({
        lineNo,
        sku,
        quantity,
        unitPrice,
        amountMinor,
      })),
    };
    const fulfilmentId = await this.#transaction(async (query) => {
      const bySku = new Map<number, number>();
      for (const line of lines) bySku.set(line.skuId, (bySku.get(line.skuId) ?? 0) + line.quantity);
      const skuIds = [...bySku.keys()];
      const free = new Map(
        (await query('lock_balances', [numbers(skuIds), locationId])).map((row) => [
          Number(row.sku_id),
          Number(row.free),
        ]),
      );
      for (const [skuId, quantity] of bySku) if (free.get(skuId)! < quantity) throw new Error('short');
      const [next] = await query('fulfilment_id', []);
      const fulfilmentId = Number(next!.fulfilment_id);
      const allocated = await query('allocations', [
        orderId,
        numbers(lines.map((l) => l.lineNo)),
        numbers(lines.map((l) => l.skuId)),
        locationId,
        numbers(lines.map((l) => l.quantity)),
        fulfilmentId,
      ]);
      await query('balances', [numbers(skuIds), locationId, numbers([...bySku.values()])]);
      await query('allocate_lines', [orderId]);
      await query('fact', [
        'order.accepted',
        `order/${orderId}`,
        1,
        companyId,
        command.orderedAt,
        `${item.scope}/${item.key}`,
        JSON.stringify({
          type: 'order.accepted',
          orderId,
          companyId,
          channelId,
          accountId,
          externalNo: command.externalNo,
          currency: command.currency,
          totalMinor,
          orderedAt: command.orderedAt,
          lines: lines.map(({ lineNo, skuId, quantity, unitPrice, amountMinor }) => ({
            lineNo,
            skuId,
            quantity,
            unitPrice,
            amountMinor,
            within: 0,
            withinShort: 0,
            backordered: 0,
            refused: 0,
          })),
          allocations: allocated.map((row, i) => ({
            allocationId: Number(row.allocation_id),
            lineNo: lines[i]!.lineNo,
            skuId: lines[i]!.skuId,
            locationId,
            fulfilmentId,
            quantity: lines[i]!.quantity,
            fromExposure: 0,
          })),
          exposureUsed: [],
        }),
      ]);
      await query('delivery', [
        destinations.erp,
        orderId % 8,
        orderId,
        'sales_order',
        reference,
        JSON.stringify(erpPayload),
      ]);
      return fulfilmentId;
    });

    // 3. confirmed by the ERP, and the WMS's work written down
    const erp = this.#systems.writeSalesOrder({ reference, payload: erpPayload });
    const answer = (erp as { answer: SalesOrderAnswer }).answer;
    const wmsPayload: FulfilmentPayload = {
      reference: '',
      order: reference,
      location: 'MAIN',
      lines: lines.map(({ lineNo, sku, quantity }) => ({ lineNo, sku, quantity })),
    };
    await this.#transaction(async (query) => {
      await query('delivered', [destinations.erp, 'sales_order', reference, JSON.stringify(answer)]);
      await query('lock_order', [orderId]);
      await query('order_state', [orderId, 'confirmed', 3, answer.number]);
      await query('fulfilment', [orderId, fulfilmentId, locationId]);
      const occurredAt = new Date().toISOString();
      await query('two_facts', [
        `order/${orderId}`,
        companyId,
        occurredAt,
        JSON.stringify({ type: 'order.confirmed', erpNumber: answer.number }),
        JSON.stringify({
          type: 'fulfilment.requested',
          fulfilmentId,
          locationId,
          lines: lines.map(({ lineNo, skuId, quantity }) => ({ lineNo, skuId, quantity })),
        }),
      ]);
      wmsPayload.reference = `F${fulfilmentId}`;
      await query('delivery', [
        destinations.wms,
        orderId % 8,
        orderId,
        'fulfilment',
        wmsPayload.reference,
        JSON.stringify(wmsPayload),
      ]);
    });

    // 4. confirmed by the WMS, and the CRM's work written down
    this.#systems.writeFulfilment({ reference: wmsPayload.reference, payload: wmsPayload });
    await this.#transaction(async (query) => {
      await query('delivered', [destinations.wms, 'fulfilment', wmsPayload.reference, '{}']);
      await query('lock_order', [orderId]);
      await query('release', [orderId, fulfilmentId]);
      await query('order_state', [orderId, 'released', 4, answer.number]);
      await query('fact', [
        'fulfilment.released',
        `order/${orderId}`,
        4,
        companyId,
        new Date().toISOString(),
        null,
        JSON.stringify({ type: 'fulfilment.released', fulfilmentId }),
      ]);
      await query('publication', [destinations.crm, orderId, orderId % 8]);
    });

    // 5. confirmed by the CRM
    const state: OrderStatusState = {
      channel: command.channel,
      externalNo: command.externalNo,
      status: 'released',
      account: command.account,
      currency: command.currency,
      totalMinor,
      lines: lines.map(({ lineNo, sku, quantity, amountMinor }) => ({
        lineNo,
        sku,
        quantity,
        amountMinor,
        cancelled: 0,
        backordered: 0,
        refused: 0,
        shipped: 0,
        invoiced: 0,
        returned: 0,
      })),
    };
    this.#systems.writeStatus({ key: reference, version: 1, base: 0, state });
    await this.#transaction(async (query) => {
      await query('published', [destinations.crm, orderId]);
    });
  }

  async #transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      const result = await work(
        async (name, values) => (await client.query({ name: `baseline_${name}`, text: statements[name], values })).rows,
      );
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  }
}

type Query = (name: keyof typeof statements, values: unknown[]) => Promise<Record<string, unknown>[]>;

const statements = {
  raw: `insert into raw_record (raw_id, system, source, content_type, items, body)
        values (nextval('raw_id_seq'), 'api', 'api', 'application/json', 1, $1::bytea) returning raw_id`,
  order_id: `select nextval('order_id_seq') as order_id`,
  key: `insert into inbound (scope, key, state, fingerprint, subject, raw_id, item_no)
        values ($1::text, $2::text, 'a', $3::text, $4::bigint, $5::bigint, 0)`,
  order: `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at,
                                   units, units_open, units_refused)
          values ($1::bigint, $2::int, $3::int, $4::bigint, $5::text, 'accepted', 1, $6::text, $7::bigint, $8::timestamptz, $9::bigint, $9::bigint, 0)`,
  lines: `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, backordered)
          select $1::bigint, line_no, sku_id, quantity, unit_price, amount_minor, quantity
            from unnest($2::int[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[]) as t(line_no, sku_id, quantity, unit_price, amount_minor)`,
  lock_balances: `select sku_id, on_hand - reserved - allocated - exposed - safety_stock as free from stock_balance
                   where sku_id = any($1::bigint[]) and location_id = $2::int order by sku_id, location_id for update`,
  allocations: `insert into allocation (order_id, allocation_id, line_no, sku_id, location_id, quantity, open_quantity, fulfilment_id)
                select $1::bigint, nextval('allocation_id_seq'), line_no, sku_id, $4::int, quantity, quantity, $6::bigint
                  from unnest($2::int[], $3::bigint[], $5::bigint[]) as t(line_no, sku_id, quantity) returning allocation_id`,
  balances: `update stock_balance b set allocated = b.allocated + t.quantity, version = b.version + 1
               from unnest($1::bigint[], $3::bigint[]) as t(sku_id, quantity) where b.sku_id = t.sku_id and b.location_id = $2::int`,
  allocate_lines: `update order_line set allocated = quantity, backordered = 0 where order_id = $1::bigint`,
  fact: `insert into fact (type, stream, stream_version, company_id, occurred_at, correlation_id, data)
         values ($1::text, $2::text, $3::bigint, $4::int, $5::timestamptz, $6::text, $7::json)`,
  two_facts: `insert into fact (type, stream, stream_version, company_id, occurred_at, data)
              values ('order.confirmed', $1::text, 2, $2::int, $3::timestamptz, $4::json),
                     ('fulfilment.requested', $1::text, 3, $2::int, $3::timestamptz, $5::json)`,
  delivery: `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, order_id, state, attempts, sent_at, payload)
             values ($1::int, $2::smallint, $3::bigint, $4::text, $5::text, 0, $3::bigint, 's', 1, crossdock_now(), $6::json)`,
  delivered: `update delivery set state = 'c', answer = $4::json, ended_at = crossdock_now()
               where destination_id = $1::int and kind = $2::text and reference = $3::text and state = 's'`,
  lock_order: `select state, version from sales_order where order_id = $1::bigint for update`,
  order_state: `update sales_order set state = $2::text, version = $3::bigint, erp_number = $4::text, is_released = $2::text = 'released'
                 where order_id = $1::bigint`,
  fulfilment_id: `select nextval('fulfilment_id_seq') as fulfilment_id`,
  fulfilment: `insert into fulfilment (order_id, fulfilment_id, location_id, state)
               values ($1::bigint, $2::bigint, $3::int, 'requested')`,
  release: `update fulfilment set state = 'released' where order_id = $1::bigint and fulfilment_id = $2::bigint`,
  publication: `insert into publication (destination_id, kind, key, bucket, state, sent_at)
                values ($1::int, 'order_status', $2::bigint, $3::smallint, 's', crossdock_now())`,
  published: `update publication set state = 'n', confirmed_version = version, confirmed_at = crossdock_now()
               where destination_id = $1::int and kind = 'order_status' and key = $2::bigint and state = 's'`,
} as const;

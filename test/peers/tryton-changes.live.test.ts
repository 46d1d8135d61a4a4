/** Orders that change after Tryton has confirmed them, against the real one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DocumentPosted, InboundItem } from '../../src/canonical/index.ts';
import type { Connector, OrderChangePayload, SalesOrderPayload } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { tryton } from '../../src/connectors/tryton/index.ts';
import { Tryton } from '../../src/connectors/tryton/rpc.ts';
import { dateOf, decimalText } from '../../src/connectors/tryton/values.ts';
import { live } from './live.ts';

const signal = new AbortController().signal;
const run = `c${Date.now().toString(36)}`;
const number = Date.now() % 1_000_000_000;
const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST', WEST: 'DC-WEST' } };

live('Changes of orders in Tryton', ['tryton'], ({ tryton: peer }) => {
  const context = contextFor(`${peer.url}${String(peer.keys.database)}`, {
    ...{ system: 'tryton', channel: null, token: 'crossdock-pw', settings },
    limits: { callsPerSecond: 100, concurrency: 4, timeoutMs: 60_000, batchMax: null },
  });
  const connector = tryton(context);
  const raw = new Tryton(context, settings);
  beforeAll(() => raw.company(signal), 30_000);
  afterAll(async () => {
    await connector.close();
    await raw.client.close();
  });

  const writeBy = async (by: Connector, kind: string, item: { reference: string }) =>
    (await by.deliveries[kind]!.write([{ reference: item.reference, payload: item }], signal))[0]!;
  const write = (kind: string, item: { reference: string }) => writeBy(connector, kind, item);
  const button = async (method: string, ids: readonly number[]) => {
    const written = await raw.write(`model.${method}`, [ids], signal);
    if (!written.done) throw new Error(JSON.stringify(written.outcome));
  };
  const order = (no: number, account = 'CUST-0002'): SalesOrderPayload => ({
    ...{ reference: `shop/${run}-${no}`, company: 'US', account, currency: 'USD' },
    ...{ orderedAt: new Date().toISOString(), totalMinor: 3702 + 250 },
    lines: [
      { lineNo: 1, sku: 'SKU-0011', quantity: 3, unitPrice: '12.34', amountMinor: 3702 },
      { lineNo: 2, sku: 'SKU-0012', quantity: 2, unitPrice: '1.25', amountMinor: 250 },
    ],
  });
  /** Two more of line 1, and one of something new. */
  const change = (no: number, of: { reference: string }, unitPrice = '12.34'): OrderChangePayload => ({
    ...{ reference: `A/${number}${no}/5`, order: of.reference, totalMinor: 2468 + 777 },
    lines: [
      { lineNo: 100_001, sku: 'SKU-0011', quantity: 2, unitPrice, amountMinor: 200 * Number(unitPrice), addsTo: 1 },
      { lineNo: 100_002, sku: 'SKU-0013', quantity: 1, unitPrice: '7.77', amountMinor: 777 },
    ],
  });
  const salesOf = (reference: string) => {
    const fields = ['state', 'origin', 'number', 'untaxed_amount', 'party', 'payment_term', 'shipments', 'invoices'];
    return raw.search('sale.sale', [['reference', '=', reference]], fields, signal);
  };
  const shipmentsOf = async (ids: unknown) => {
    const shipments = await raw.search('stock.shipment.out', [['id', 'in', ids]], ['reference', 'state'], signal);
    const moves = await raw.search(
      'stock.move',
      [
        ['shipment', 'in', shipments.map(({ id }) => `stock.shipment.out,${id}`)],
        ['origin', 'like', 'sale.line,%'],
      ],
      ['shipment', 'product.code', 'quantity'],
      signal,
    );
    return shipments
      .map(({ id, reference, state }) => [
        reference,
        state,
        moves
          .filter(({ shipment }) => shipment === `stock.shipment.out,${id}`)
          .map((move) => `${(move['product.'] as { code: string }).code} ${move.quantity}`)
          .sort(),
      ])
      .sort();
  };
  const receive = async (sku: string, quantity: number) => {
    const product = (await raw.search('product.product', [['code', '=', sku]], ['code'], signal))[0]!.id;
    const [east] = await raw.search('stock.location', [['code', '=', 'DC-EAST']], ['storage_location'], signal);
    const values = {
      ...{ location: east!.storage_location, date: dateOf(new Date().toISOString()), empty_quantity: 'keep' },
      lines: [['create', [{ product, quantity }]]],
    };
    const created = await raw.write('model.stock.inventory.create', [[values]], signal);
    if (!created.done) throw new Error(JSON.stringify(created.outcome));
    await button('stock.inventory.confirm', created.value as number[]);
  };
  const drain = async (feed: string, from: string) => {
    const source = connector.sources.find((candidate) => candidate.feed === feed)!;
    const items: InboundItem[] = [];
    for (let cursor = from; ; ) {
      const page = await source.poll(cursor, signal);
      items.push(...page.items);
      cursor = page.cursor;
      if (page.drained) return { cursor, commands: items.map(({ command }) => command) };
    }
  };

  it('what is added is a second sale of the order, made once, whose goods wait for the hub', async () => {
    const sent = order(1);
    const asked = change(1, sent);
    // Before the order is there it waits for it.
    expect(await write('order_change', asked)).toMatchObject({ outcome: 'later' });
    await write('sales_order', sent);
    const outcome = await write('order_change', asked);
    expect(outcome).toMatchObject({ outcome: 'confirmed', answer: { reference: asked.reference } });
    expect(await write('order_change', asked)).toEqual(outcome);
    const [first] = await salesOf(sent.reference);
    const added = await salesOf(asked.reference);
    expect(added).toHaveLength(1);
    expect(added[0]).toMatchObject({
      ...{ state: 'processing', origin: `sale.sale,${first!.id}` },
      ...{ party: first!.party, payment_term: first!.payment_term },
    });
    expect(decimalText(added[0]!.untaxed_amount, '')).toBe('32.45');
    expect(decimalText(first!.untaxed_amount, '')).toBe('39.52');
    expect(await shipmentsOf(added[0]!.shipments)).toEqual([[null, 'draft', ['SKU-0011 2', 'SKU-0013 1']]]);
    expect(await connector.deliveries.order_change!.locate([asked.reference, `A/${number}0/9`], signal)).toEqual(
      new Map([[asked.reference, (outcome as { answer: unknown }).answer]]),
    );
  });

  it('fulfilled together, cancelled in part, invoiced and returned: each unit once, under the number of its order', async () => {
    for (const sku of ['SKU-0011', 'SKU-0012', 'SKU-0013']) await receive(sku, 500);
    const invoices = (await drain('invoices', '')).cursor;
    const sent = order(2);
    const asked = change(2, sent);
    await write('sales_order', sent);
    await write('order_change', asked);
    const fulfilment = {
      ...{ reference: `F${number}21`, order: sent.reference, location: 'EAST' },
      lines: [
        { lineNo: 1, sku: 'SKU-0011', quantity: 3 },
        { lineNo: 2, sku: 'SKU-0012', quantity: 2 },
        { lineNo: 100_001, sku: 'SKU-0011', quantity: 2 },
        { lineNo: 100_002, sku: 'SKU-0013', quantity: 1 },
      ],
    };
    expect(await write('fulfilment', fulfilment)).toMatchObject({ outcome: 'confirmed' });
    const cancel = {
      ...{ reference: `X${run}/2`, fulfilment: fulfilment.reference },
      lines: [
        { lineNo: 1, quantity: 1 },
        { lineNo: 100_001, quantity: 1 },
        { lineNo: 100_002, quantity: 1 },
      ],
    };
    const taken = cancel.lines.map(({ lineNo, quantity }) => ({ lineNo, cancelled: quantity, tooLate: 0 }));
    for (let time = 0; time < 2; time += 1)
      expect(await write('fulfilment_cancel', cancel)).toEqual({ outcome: 'confirmed', answer: { lines: taken } });
    const document = {
      ...{ reference: `C/${number}2/6`, order: sent.reference },
      lines: [
        { lineNo: 1, quantity: 1, amountMinor: 1234 },
        { lineNo: 100_001, quantity: 1, amountMinor: 1234 },
        { lineNo: 100_002, quantity: 1, amountMinor: 777 },
      ],
    };
    for (let time = 0; time < 2; time += 1)
      expect(await write('order_cancellation', document)).toMatchObject({ outcome: 'confirmed' });
    const [[first], [added]] = [await salesOf(sent.reference), await salesOf(asked.reference)];
    const ids = [...new Set([...(first!.shipments as number[]), ...(added!.shipments as number[])])];
    // Nothing of what was cancelled is planned anew.
    expect(await shipmentsOf(ids)).toEqual([
      [document.reference, 'cancelled', ['SKU-0011 1', 'SKU-0011 1', 'SKU-0013 1']],
      [fulfilment.reference, 'assigned', ['SKU-0011 1', 'SKU-0011 2', 'SKU-0012 2']],
    ]);
    const [shipment] = await raw.search('stock.shipment.out', [['reference', '=', fulfilment.reference]], [], signal);
    for (const step of ['pick', 'pack', 'done']) await button(`stock.shipment.out.${step}`, [shipment!.id]);
    const back = {
      ...{ reference: `R${number}2`, order: sent.reference, location: 'EAST' },
      lines: [{ lineNo: 100_001, sku: 'SKU-0011', quantity: 1 }],
    };
    expect(await write('return_announcement', back)).toMatchObject({ outcome: 'confirmed' });
    const fields = ['shipment_returns'];
    const [returned] = await raw.search('sale.sale', [['reference', '=', back.reference]], fields, signal);
    for (const step of ['receive', 'done'])
      await button(`stock.shipment.out.return.${step}`, returned!.shipment_returns as number[]);
    for (const reference of [sent.reference, asked.reference, back.reference])
      for (const { invoices: made } of await salesOf(reference))
        for (const invoice of made as number[]) {
          const values = { invoice_date: dateOf(new Date().toISOString()) };
          await raw.write('model.account.invoice.write', [[invoice], values], signal);
          await button('account.invoice.post', [invoice]);
        }
    const documents = (await drain('invoices', invoices)).commands.filter((command) =>
      JSON.stringify(command).includes(`"${sent.reference}"`),
    );
    const amounts = documents.map((command) => {
      const { document: kind, order: of, totalMinor, lines } = command as DocumentPosted;
      return [kind, of, totalMinor, lines.map((line) => [line.lineNo, line.quantity, line.amountMinor])];
    });
    expect(amounts.toSorted((a, b) => Number(b[2]) - Number(a[2]))).toEqual([
      [
        ...['invoice', sent.reference, 2468 + 250],
        [
          [1, 2, 2468],
          [2, 2, 250],
        ],
      ],
      ['invoice', sent.reference, 1234, [[100_001, 1, 1234]]],
      ['credit_note', sent.reference, 1234, [[100_001, 1, 1234]]],
    ]);
    // Nothing of either sale is left to be shipped.
    const ends = await raw.search('sale.sale', [['id', 'in', [first!.id, added!.id]]], ['shipment_state'], signal);
    expect(ends.map(({ shipment_state: state }) => state)).toEqual(['sent', 'sent']);
  });

  it('whichever answer is lost, what is added is there once, confirmed, with its goods in a draft', async () => {
    const sent = order(3);
    await write('sales_order', sent);
    /** Tryton does it, and hangs up on us instead of answering the n-th write. */
    let lostAt = 0;
    let writes = 0;
    const proxy = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const headers = { 'content-type': 'application/json', authorization: req.headers.authorization ?? '' };
      const answer = await fetch(`${context.url}/`, { method: 'POST', body, headers });
      const text = await answer.text();
      if (!/search_read|get_preferences|fields_get|login/.test(body)) {
        writes += 1;
        if (writes === lostAt) return void req.socket.destroy();
      }
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const behind = tryton({ ...context, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    let lost = 0;
    try {
      // Made, quoted, confirmed, and the goods that Tryton planned put back.
      for (lostAt = 1; lostAt <= 4; lostAt += 1) {
        const asked = {
          ...change(30 + lostAt, sent),
          lines: change(30, sent).lines.map((line) => ({ ...line, lineNo: line.lineNo + 10 * lostAt })),
        };
        writes = 0;
        const first = await writeBy(behind, 'order_change', asked);
        if (first.outcome === 'in_doubt') lost += 1;
        const there = await behind.deliveries.order_change!.locate([asked.reference], signal);
        expect(there.has(asked.reference)).toBe(lostAt > 2);
        expect(await writeBy(behind, 'order_change', asked)).toMatchObject({ outcome: 'confirmed' });
        const sales = await salesOf(asked.reference);
        expect(sales.map(({ state }) => state)).toEqual(['processing']);
        expect(await shipmentsOf(sales[0]!.shipments)).toEqual([[null, 'draft', ['SKU-0011 2', 'SKU-0013 1']]]);
      }
    } finally {
      await behind.close();
      proxy.closeAllConnections();
      proxy.close();
    }
    expect(lost).toBe(4);
  });

  it('what Tryton takes no more is refused, and says why: over the credit limit, or the sale is cancelled', async () => {
    // Limited to 500.00, as every fifth is.
    const sent = order(4, 'CUST-0025');
    expect(await write('sales_order', sent)).toMatchObject({ outcome: 'confirmed' });
    const much = { lineNo: 100_001, sku: 'SKU-0013', quantity: 100, unitPrice: '7.77', amountMinor: 77_700 };
    const asked = { ...change(4, sent), totalMinor: 77_700, lines: [much] };
    const refused = await write('order_change', asked);
    expect(refused).toMatchObject({ outcome: 'refused', error: expect.stringMatching(/credit|limit/i) });
    expect(await connector.deliveries.order_change!.locate([asked.reference], signal)).toEqual(new Map());

    const sale = { reference: `shop/${run}-5` };
    const [made] = await raw.search('sale.sale', [['reference', '=', sent.reference]], ['party', 'currency'], signal);
    const draft = await raw.write(
      'model.sale.sale.create',
      [[{ reference: sale.reference, party: made!.party, currency: made!.currency }]],
      signal,
    );
    await button('sale.sale.cancel', (draft as { value: number[] }).value);
    expect(await write('order_change', change(5, sale))).toMatchObject({
      ...{ outcome: 'refused', error: expect.stringContaining('is cancelled in Tryton') },
    });
    expect(await salesOf(change(5, sale).reference)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FulfilmentCancelAnswer, FulfilmentPayload, SalesOrderPayload } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { tryton } from '../../src/connectors/tryton/index.ts';
import { Tryton } from '../../src/connectors/tryton/rpc.ts';
import { dateOf, decimalOf, decimalText } from '../../src/connectors/tryton/values.ts';

/** Against the real Tryton, seeded as `test/peers` seeds it. Each run uses orders of its own. */
const url = process.env.TRYTON_URL ?? 'http://127.0.0.1:18000/erp';
const isUp = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
  () => true,
  () => false,
);
if (!isUp) console.warn(`SKIPPED: nothing answers at ${url}; start the peers to run Tryton's live tests`);

const signal = new AbortController().signal;
const run = `t${Date.now().toString(36)}`;
const settings = {
  user: process.env.TRYTON_USER ?? 'crossdock',
  companyCode: 'US',
  warehouses: { EAST: 'DC-EAST', WEST: 'DC-WEST' },
};
const context = contextFor(url, {
  system: 'tryton',
  channel: 'crm',
  token: process.env.TRYTON_TOKEN ?? 'crossdock-pw',
  settings,
  limits: { callsPerSecond: 100, concurrency: 4, timeoutMs: 60_000, batchMax: null },
});

function order(no: number, changes: Partial<SalesOrderPayload> = {}): SalesOrderPayload {
  return {
    reference: `shop/${run}-${no}`,
    company: 'US',
    account: `CUST-000${1 + (no % 4)}`,
    currency: 'USD',
    orderedAt: new Date().toISOString(),
    totalMinor: 3702 + 250,
    lines: [
      { lineNo: 1, sku: 'SKU-0011', quantity: 3, unitPrice: '12.34', amountMinor: 3702 },
      { lineNo: 2, sku: 'SKU-0012', quantity: 2, unitPrice: '1.25', amountMinor: 250 },
    ],
    ...changes,
  };
}

describe.skipIf(!isUp)('the real Tryton', { timeout: 240_000 }, () => {
  const connector = tryton(context);
  const raw = new Tryton(context, settings);
  beforeAll(() => raw.company(signal), 30_000);
  afterAll(async () => {
    await connector.close();
    await raw.client.close();
  });
  const write = (kind: string, reference: string, payload: unknown) =>
    connector.deliveries[kind]!.write([{ reference, payload }], signal);
  const button = async (method: string, ids: number[]) => {
    const written = await raw.write(`model.${method}`, [ids], signal);
    if (!written.done) throw new Error(JSON.stringify(written.outcome));
    return written.value;
  };
  const salesOf = (reference: string) =>
    raw.search('sale.sale', [['reference', '=', reference]], ['number', 'state', 'untaxed_amount', 'shipments'], signal);

  it('says who it is', async () => {
    expect(await connector.probe(signal)).toEqual({ ok: true, detail: 'signs in, company 1, 2 warehouses' });
  });

  it('an order is confirmed once with its amounts, and what Tryton plans by itself is a draft', async () => {
    const sent = order(1);
    const [outcome] = await write('sales_order', sent.reference, sent);
    expect(outcome).toMatchObject({ outcome: 'confirmed', answer: { number: expect.any(String) } });
    // Sent once more, as after an answer that was lost.
    expect(await write('sales_order', sent.reference, sent)).toEqual([outcome]);
    const sales = await salesOf(sent.reference);
    expect(sales).toHaveLength(1);
    expect(sales[0]!.state).toBe('processing');
    expect(decimalText(sales[0]!.untaxed_amount, '')).toBe('39.52');
    const shipments = await raw.search('stock.shipment.out', [['id', 'in', sales[0]!.shipments]], ['state'], signal);
    expect(shipments.map(({ state }) => state)).toEqual(['draft']);
    expect(await connector.deliveries.sales_order!.locate([sent.reference, 'shop/none'], signal)).toEqual(
      new Map([[sent.reference, (outcome as { answer: unknown }).answer]]),
    );
  });
});
void (0 as unknown as FulfilmentCancelAnswer & FulfilmentPayload);
void dateOf;
void decimalOf;

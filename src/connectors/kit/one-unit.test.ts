import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { defineConnector } from './declare.ts';
import { lineOfOne, priceOfOne } from './one-unit.ts';
import type { Connector, DeliveryItem, StateItem } from './types.ts';

const signal = new AbortController().signal;

/** A connector that keeps what reaches it, and confirms all of it. */
function made(takesPricePer?: true) {
  const sent: unknown[] = [];
  const asked: unknown[] = [];
  const create = (): Omit<Connector, 'name'> => ({
    confirmedBy: 'answer',
    sources: [],
    deliveries: {
      sales_order: {
        batchMax: 10,
        ...(takesPricePer && { takesPricePer }),
        write: async (items) => {
          sent.push(...items.map(({ payload }) => payload));
          return items.map(({ reference }) => ({ outcome: 'confirmed', answer: reference }));
        },
        locate: async () => new Map(),
      },
    },
    prices: {
      batchMax: 10,
      write: async (items) => {
        sent.push(...items.map(({ state }) => state));
        return items.map(() => ({ outcome: 'confirmed' }));
      },
      readBack: async () => new Map(),
      holds: async (items) => {
        asked.push(...items.map(({ state }) => state));
        return new Set(items.map(({ key }) => key));
      },
    },
    probe: async () => ({ ok: true, detail: '' }),
    close: async () => {},
  });
  const factory = defineConnector(
    {
      ...{ name: 'kept', title: 'Kept', summary: 'keeps', settings: Type.Object({}), needs: [] },
      ...{ sources: {}, writes: {} },
    } as never,
    create,
  );
  const context = { system: 'kept', channel: null, url: '', token: null, webhookSecret: null, settings: {} };
  return { sent, asked, connector: factory({ ...context, limits: {} } as never) };
}
const order = (reference: string, ...lines: object[]): DeliveryItem => ({ reference, payload: { reference, lines } });
const price = (key: string, state: object): StateItem => ({ key, version: 1, base: 0, state });

describe('an order at a price for several', () => {
  const BOX = { lineNo: 2, quantity: 52_900, unitPrice: '10.20', pricePer: 1_000, amountMinor: 53_958 };
  const DOZEN = { lineNo: 1, quantity: 12, unitPrice: '10', pricePer: 12, amountMinor: 1_000 };
  const ONE = { lineNo: 1, quantity: 3, unitPrice: '2.55', amountMinor: 765 };

  it('reaches a system that knows a price of one as that price, exactly, or is refused alone', async () => {
    const { sent, connector } = made();
    const items = [order('A', ONE), order('B', ONE, DOZEN), order('C', ONE, BOX), order('D', ONE)];
    const outcomes = await connector.deliveries.sales_order!.write(items, signal);
    expect(outcomes).toEqual([
      { outcome: 'confirmed', answer: 'A' },
      { outcome: 'refused', error: expect.stringMatching(/^unit_inexact: line 1 is 10 for 12/) },
      { outcome: 'confirmed', answer: 'C' },
      { outcome: 'confirmed', answer: 'D' },
    ]);
    const { pricePer: _, ...box } = BOX;
    expect(sent).toEqual([
      { reference: 'A', lines: [ONE] },
      { reference: 'C', lines: [ONE, { ...box, unitPrice: '0.0102' }] },
      { reference: 'D', lines: [ONE] },
    ]);
    expect(await connector.deliveries.sales_order!.write([order('B', DOZEN)], signal)).toHaveLength(1);
    expect(sent).toHaveLength(3);
  });

  it('reaches one that takes it as it is', async () => {
    const { sent, connector } = made(true);
    await connector.deliveries.sales_order!.write([order('B', DOZEN)], signal);
    expect(sent).toEqual([{ reference: 'B', lines: [DOZEN] }]);
  });
});

describe('a price and a number', () => {
  it('in different units reach nobody, and the others do', async () => {
    const { sent, asked, connector } = made();
    const states = [
      price('A', { unitPrice: '2.55', currency: 'EUR', unit: 'each', quantityUnit: 'each' }),
      price('NAIL', { unitPrice: '10.20', currency: 'EUR', unit: 'BX', quantityUnit: 'each' }),
      price('B', { unitPrice: '10.20', pricePer: 1_000, currency: 'EUR', unit: 'each', quantityUnit: 'each' }),
      price('C', { unitPrice: '10', pricePer: 12, currency: 'EUR', unit: 'each', quantityUnit: 'each' }),
      price('D', { unitPrice: '1', currency: 'EUR' }),
    ];
    expect(
      (await connector.prices!.write(states, signal)).map((one) => ('error' in one ? one.error : one.outcome)),
    ).toEqual([
      'confirmed',
      'unit_mismatch: the price is for one BX, and the number shown counts each',
      'confirmed',
      'unit_inexact: 10 for 12 has no price of one with six places',
      'confirmed',
    ]);
    expect(sent).toEqual([
      { unitPrice: '2.55', currency: 'EUR', unit: 'each', quantityUnit: 'each' },
      { unitPrice: '0.0102', currency: 'EUR', unit: 'each', quantityUnit: 'each' },
      { unitPrice: '1', currency: 'EUR' },
    ]);
    expect(await connector.prices!.holds!(states, signal)).toEqual(new Set(['A', 'B', 'D']));
    expect(asked).toEqual(sent);
  });

  it('of one are as they were said', () => {
    expect(lineOfOne({ lineNo: 1, unitPrice: '2.50' })).toEqual({ lineNo: 1, unitPrice: '2.50' });
    expect(priceOfOne({ unitPrice: '2.50', currency: 'EUR' })).toEqual({ unitPrice: '2.50', currency: 'EUR' });
  });
});

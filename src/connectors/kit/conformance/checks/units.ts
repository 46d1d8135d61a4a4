/** Units: a price and the quantity it is for are written in one unit, or not at all. */
import type { PriceState, SalesOrderPayload, StateItem } from '../../types.ts';
import { type Check, must } from '../check.ts';
import type { SinkItem } from '../sinks.ts';
import type { Bench } from '../stage.ts';
import { eachSink, mustBe, writesOf } from './each-sink.ts';

const PRICED = ['sales_order', 'order_change'];

function changedPrice({ reference, item }: SinkItem, change: Partial<PriceState>): SinkItem {
  const state = item as StateItem;
  return { reference, item: { ...state, state: { ...(state.state as PriceState), ...change } } };
}

export const unitChecks: Check[] = [
  {
    id: 'write.unit_mismatch',
    level: 'safety',
    what: 'a price for another unit than the number beside it counts is refused alone and reaches nobody',
    skip: ({ description }: Bench) => (description.prices === undefined ? 'it writes no prices' : undefined),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal } = stage;
        if (sink.name !== 'prices') return;
        const items = stage.items(Math.min(2, sink.batchMax));
        const boxed = changedPrice(items[0]!, { unit: 'BX', quantityUnit: 'each' });
        mustBe(await sink.write([boxed], signal), ['refused'], 'the price is for a box, and the number counts pieces');
        must(writesOf(stage, boxed) === 0, 'it was sent');
        const inexact = changedPrice(items[0]!, { unitPrice: '10', pricePer: 12 });
        mustBe(await sink.write([inexact], signal), ['refused'], '10 for 12 has no exact price of one');
        must(writesOf(stage, inexact) === 0, 'it was sent');
        const plain = changedPrice(items[0]!, { unit: 'each', quantityUnit: 'each' });
        mustBe(await sink.write([plain], signal), ['confirmed'], 'price and number count the same');
      }),
  },
  {
    id: 'write.price_per',
    level: 'safety',
    what: 'an order at a price for several units is refused alone where that has no exact price of one, or taken as it is',
    skip: ({ description: { deliveries } }: Bench) =>
      PRICED.every((kind) => deliveries?.[kind] === undefined) ? 'it takes no orders' : undefined,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal, connector } = stage;
        if (!PRICED.includes(sink.name) || connector.deliveries[sink.name]?.takesPricePer === true) return;
        const [sample] = stage.items(1);
        const { item } = sample as { item: { reference: string; payload: SalesOrderPayload } };
        const lines = item.payload.lines.map((line) => ({ ...line, unitPrice: '10', pricePer: 12 }));
        const dozen = { reference: sample!.reference, item: { ...item, payload: { ...item.payload, lines } } };
        mustBe(await sink.write([dozen], signal), ['refused'], '10 for 12 has no exact price of one');
        must(writesOf(stage, dozen) === 0, 'it was sent');
      }),
  },
];

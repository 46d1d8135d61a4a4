/**
 * Lines that are added to an order that the system has. That they are added once, whatever happens to the answer, the checks of all
 * deliveries hold; here is what only such a change can get wrong.
 */
import type { DeliveryItem, OrderChangePayload } from '../../types.ts';
import { type Check, must, NotApplicable, onStage, unless } from '../check.ts';
import { noted } from '../said.ts';
import type { Bench, Stage } from '../stage.ts';
import { mustBe } from './each-sink.ts';

const KIND = 'order_change';

const takesChanges = ({ description }: Bench) =>
  description.deliveries?.[KIND] === undefined ? 'it adds no lines to orders' : undefined;

const sample = (bench: Bench, n = 1): DeliveryItem & { payload: OrderChangePayload } =>
  bench.description.deliveries![KIND]!(n) as DeliveryItem & { payload: OrderChangePayload };

async function write({ bench, connector, signal }: Stage, kind: string, item: DeliveryItem) {
  return noted(bench, await connector.deliveries[kind]!.write([item], signal))[0]!;
}

/** Refused or put off, it has added nothing. */
async function mustBeUntouched(stage: Stage, { reference }: DeliveryItem): Promise<void> {
  const effects = (await stage.model.effects?.(KIND, reference)) ?? 0;
  must(effects === 0, `it had ${effects} effects`);
  const there = await stage.connector.deliveries[KIND]!.locate([reference], stage.signal);
  must(!there.has(reference), 'it is found, as if it were done');
}

export const changeChecks: Check[] = [
  {
    id: 'change.unknown_order',
    level: 'safety',
    what: 'lines for an order that the system does not have are refused or for later, and nothing is made of them',
    skip: takesChanges,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        if (stage.model.endOrder === undefined)
          throw new NotApplicable('the model keeps no orders that lines are added to');
        const item = sample(bench);
        const lost = { ...item, payload: { ...item.payload, order: 'channel/nobody-has-it' } };
        mustBe([await write(stage, KIND, lost)], ['refused', 'later'], 'the order is not there');
        await mustBeUntouched(stage, item);
      }),
  },
  {
    id: 'change.too_late',
    level: 'safety',
    what: 'lines for an order that takes no more there are refused, with the reason, and nothing is made of them',
    skip: takesChanges,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        if (stage.model.endOrder === undefined) throw new NotApplicable('no order of the model ends');
        const item = sample(bench);
        await stage.model.endOrder(item.payload.order);
        const outcome = await write(stage, KIND, item);
        mustBe([outcome], ['refused'], 'later it would take no more either');
        must('error' in outcome && outcome.error.trim() !== '', 'it does not say why');
        await mustBeUntouched(stage, item);
      }),
  },
  {
    id: 'change.again',
    level: 'safety',
    what: 'after it was done once, another process that sends it again changes nothing, or what is found says so',
    skip: takesChanges,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const item = sample(bench);
        mustBe([await write(stage, KIND, item)], ['confirmed'], 'nothing was wrong');
        const { locate } = stage.connector.deliveries[KIND]!;
        const found = async () => JSON.stringify((await locate([item.reference], stage.signal)).get(item.reference));
        const once = await found();
        const other = { ...stage, connector: stage.another() };
        mustBe([await write(other, KIND, item)], ['confirmed', 'refused'], 'it is there already');
        if (((await stage.model.effects?.(KIND, item.reference)) ?? 1) === 1) return;
        must(once !== (await found()), 'it was done twice, and nothing tells');
      }),
  },
  {
    id: 'change.then_cancel',
    level: 'contract',
    what: 'of what was added a part can be cancelled, and sending the change again does not bring it back',
    skip: unless(takesChanges, ({ description }) =>
      description.deliveries?.order_cancellation === undefined ? 'it is told of no cancellations' : undefined,
    ),
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const item = sample(bench);
        const [line] = item.payload.lines;
        must(line !== undefined && line.quantity > 1, 'the sample adds no line of several units');
        must(line.amountMinor % line.quantity === 0, 'a unit of the line has no whole amount');
        mustBe([await write(stage, KIND, item)], ['confirmed'], 'nothing was wrong');
        const { reference } = bench.description.deliveries!.order_cancellation!(1);
        const unit = { lineNo: line.lineNo, sku: line.sku, quantity: 1, amountMinor: line.amountMinor / line.quantity };
        const payload = { reference, order: item.payload.order, lines: [unit] };
        mustBe([await write(stage, 'order_cancellation', { reference, payload })], ['confirmed'], 'the line is there');
        const again = { ...stage, connector: stage.another() };
        const { locate } = again.connector.deliveries.order_cancellation!;
        must((await locate([reference], stage.signal)).has(reference), 'the cancellation is not found');
        const there = await again.connector.deliveries[KIND]!.locate([item.reference], stage.signal);
        must(there.has(item.reference), 'with a part of it cancelled the change is not found any more');
      }),
  },
];

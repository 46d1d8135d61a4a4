/** Work for the warehouse: shipments that fulfilments ask for, what becomes of cancels, what another system shipped. */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type DeliveryItem,
  type DeliveryKind,
  type DeliveryKindName,
  type FulfilmentPayload,
  type OrderDocumentPayload,
  type Outcome,
} from '../kit/index.ts';
import { cancels } from './cancel.ts';
import { addLines, confirmedSales, confirmSaleOf, noSale } from './change.ts';
import { type Shipment, saleBy, shipmentsBy } from './find.ts';
import { keepRest, movesOf } from './rest.ts';
import { laterBy } from './rpc.ts';
import { returnOf, type Sale, salesOf, shipmentOf } from './sale.ts';
import { type Sinks, salesOrders } from './sink.ts';

const WORK_MAX = 10;
const SHIPMENT = 'model.stock.shipment.out';

export type TrytonKind = Exclude<DeliveryKindName, 'charge'>;

export function deliveries(sinks: Sinks): Record<TrytonKind, DeliveryKind> {
  return {
    sales_order: salesOrders(sinks),
    order_change: eachOf(sinks, addLines, (references, signal) => confirmedSales(sinks, references, signal)),
    fulfilment: eachOf(sinks, fulfil, async (references, signal) => {
      const found = new Map<string, unknown>();
      // A draft is the first of three steps, which the next try goes on from.
      for (const [reference, [shipment]] of await shipmentsBy(sinks.tryton, 'reference', references, signal))
        if (shipment!.state !== 'draft') found.set(reference, { reference, shipment: shipment!.number });
      return found;
    }),
    fulfilment_cancel: eachOf(sinks, ...cancels(sinks)),
    order_cancellation: eachOf(sinks, cancelLines, async (references, signal) => {
      const found = new Map<string, unknown>();
      for (const [reference, [shipment]] of await shipmentsBy(sinks.tryton, 'reference', references, signal))
        if (shipment!.state === 'cancelled' && (await isIgnored(sinks, shipment!, signal)))
          found.set(reference, { number: shipment!.number });
      return found;
    }),
    shipment_posting: eachOf(sinks, postShipment, (references, signal) => postedShipments(sinks, references, signal)),
    return_announcement: eachOf(sinks, announceReturn, (references, signal) =>
      confirmedSales(sinks, references, signal),
    ),
    return_posting: eachOf(sinks, postReturn, async () => new Map()),
  };
}

type Write = (sinks: Sinks, item: DeliveryItem, signal: AbortSignal) => Promise<Outcome>;

/** Items one after the other; a lookup that fails puts off the item, since each step is safe to repeat. */
function eachOf(sinks: Sinks, write: Write, locate: DeliveryKind['locate']): DeliveryKind {
  return {
    batchMax: batchMaxOf(sinks.limits, WORK_MAX),
    locate,
    write: (items, signal) =>
      sinks.tryton.serial(async () => {
        const outcomes: Outcome[] = [];
        for (const item of items)
          try {
            outcomes.push(await write(sinks, item, signal));
          } catch (error) {
            if (!(error instanceof CrossdockError)) throw error;
            outcomes.push(laterBy(error));
          }
        return outcomes;
      }),
  };
}

async function fulfil(sinks: Sinks, { reference, payload }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
  const { tryton, lookups } = sinks;
  const asked = { ...(payload as FulfilmentPayload), reference };
  let shipment = await oneShipment(sinks, reference, signal);
  if (shipment === undefined || shipment.state === 'draft') {
    const sale = await saleBy(tryton, asked.order, signal);
    if (sale === undefined) return noSale(asked.order);
    if (shipment === undefined) {
      const warehouse = (await lookups.warehouses(signal)).get(asked.location);
      if (warehouse === undefined) return { outcome: 'refused', error: `${asked.location} is no warehouse in Tryton` };
      const made = shipmentOf(asked, sale, warehouse, new Date().toISOString());
      if ('refused' in made) return { outcome: 'refused', error: made.refused };
      const created = await tryton.write(`${SHIPMENT}.create`, [[made.values]], signal);
      if (!created.done) return created.outcome;
      shipment = await oneShipment(sinks, reference, signal);
      if (shipment === undefined) return { outcome: 'in_doubt', error: `${reference} was made and isn't there` };
    }
    const kept = await keepRest(tryton, sale, signal);
    if (kept !== undefined) return kept;
    const waiting = await tryton.write(`${SHIPMENT}.wait`, [[shipment.id]], signal);
    if (!waiting.done) return waiting.outcome;
    shipment = { ...shipment, state: 'waiting' };
  }
  // Whether there is enough is Tryton's to say; a shipment that isn't assigned waits for people or for stock. Locked or refused: the same.
  if (shipment.state === 'waiting') await tryton.write(`${SHIPMENT}.assign_try`, [[shipment.id]], signal);
  return { outcome: 'confirmed', answer: { reference, shipment: shipment.number } };
}

async function oneShipment(sinks: Sinks, reference: string, signal: AbortSignal): Promise<Shipment | undefined> {
  return (await shipmentsBy(sinks.tryton, 'reference', [reference], signal)).get(reference)?.[0];
}

/**
 * A processing sale can't be changed in Tryton. What is cancelled of it is said as people would: a shipment of it that is cancelled,
 * and whose moves are ignored, so that they count as dealt with and never come back.
 */
async function cancelLines(sinks: Sinks, { reference, payload }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
  const { tryton } = sinks;
  const { order, lines } = payload as OrderDocumentPayload;
  const sale = await saleBy(tryton, order, signal);
  if (sale === undefined) return noSale(order);
  let shipment = await oneShipment(sinks, reference, signal);
  if (shipment === undefined) {
    const asked = {
      reference,
      order,
      location: '',
      lines: lines.map((line) => ({ ...line, sku: skuOf(sale, line.lineNo) })),
    };
    const [warehouse] = (await sinks.lookups.warehouses(signal)).values();
    if (warehouse === undefined) return { outcome: 'refused', error: 'none of settings.warehouses is in Tryton' };
    const made = shipmentOf(asked, sale, warehouse, new Date().toISOString());
    if ('refused' in made) return { outcome: 'refused', error: made.refused };
    const created = await tryton.write(`${SHIPMENT}.create`, [[made.values]], signal);
    if (!created.done) return created.outcome;
    shipment = await oneShipment(sinks, reference, signal);
    if (shipment === undefined) return { outcome: 'in_doubt', error: `${reference} was made and isn't there` };
  }
  const kept = await keepRest(tryton, sale, signal);
  if (kept !== undefined) return kept;
  if (shipment.state !== 'cancelled') {
    const cancelled = await tryton.write(`${SHIPMENT}.cancel`, [[shipment.id]], signal);
    if (!cancelled.done) return cancelled.outcome;
  }
  const moves = (await movesOf(tryton, sale, signal)).filter((move) => move.shipment.id === shipment.id);
  const params = moves.flatMap(({ id, line }) => [[line], { moves_ignored: [['add', [id]]] }]);
  const ignored = await tryton.write('model.sale.line.write', params, signal);
  if (!ignored.done) return ignored.outcome;
  const processed = await tryton.write('model.sale.sale.process', [salesOf(sale)], signal);
  return processed.done ? { outcome: 'confirmed', answer: { number: shipment.number } } : processed.outcome;
}

async function isIgnored({ tryton }: Sinks, shipment: Shipment, signal: AbortSignal): Promise<boolean> {
  const domain = [['shipment', '=', `stock.shipment.out,${shipment.id}`]];
  const moves = await tryton.search('stock.move', domain, ['sale_exception_state'], signal);
  return moves.every((move) => move.sale_exception_state === 'ignored');
}

function skuOf(sale: Sale, lineNo: number): string {
  return sale.lines.find((line) => line.lineNo === lineNo)?.sku ?? '';
}

/** Shipments are named `<system>/<number>` in postings; those of Tryton's own carry its number. */
async function postedShipments(
  { tryton }: Sinks,
  references: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, unknown>> {
  const numberOf = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1);
  const byNumber = await shipmentsBy(tryton, 'number', references.map(numberOf), signal);
  const found = new Map<string, unknown>();
  for (const reference of references) {
    const shipment = byNumber.get(numberOf(reference))?.find(({ state }) => state === 'done');
    if (shipment !== undefined) found.set(reference, { number: shipment.number });
  }
  return found;
}

/** Tryton ships itself and knows: nothing is written, only looked up. */
async function postShipment(sinks: Sinks, { reference }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
  const answer = (await postedShipments(sinks, [reference], signal)).get(reference);
  if (answer !== undefined) return { outcome: 'confirmed', answer };
  return { outcome: 'refused', error: `${reference} is no shipment that Tryton has done; it posts only its own` };
}

async function announceReturn(
  sinks: Sinks,
  { reference, payload }: DeliveryItem,
  signal: AbortSignal,
): Promise<Outcome> {
  const { tryton, lookups } = sinks;
  const asked = { ...(payload as FulfilmentPayload), reference };
  return await confirmSaleOf(
    sinks,
    reference,
    async () => {
      const sale = await saleBy(tryton, asked.order, signal);
      if (sale === undefined) return noSale(asked.order);
      const warehouse = (await lookups.warehouses(signal)).get(asked.location);
      if (warehouse === undefined) return { refused: `${asked.location} is no warehouse in Tryton` };
      return returnOf(asked, sale, warehouse, new Date().toISOString());
    },
    signal,
  );
}

/** Goods came back in Tryton itself, or it wouldn't have been said: looked up, line by line, in what it has received of this order. */
async function postReturn(sinks: Sinks, { reference, payload }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
  const { tryton } = sinks;
  const { order, lines } = payload as OrderDocumentPayload;
  const sale = await saleBy(tryton, order, signal);
  if (sale === undefined) return noSale(order);
  const domain = [
    ['sale.origin', '=', `sale.sale,${sale.id}`],
    ['quantity', '<', 0],
  ];
  const back = await tryton.search('sale.line', domain, ['sequence'], signal);
  const origins = back.map(({ id }) => `sale.line,${id}`);
  const moves = await tryton.search(
    'stock.move',
    [
      ['origin', 'in', origins],
      ['state', '=', 'done'],
    ],
    ['origin', 'quantity'],
    signal,
  );
  for (const { lineNo, quantity } of lines) {
    const own = back.filter(({ sequence }) => sequence === lineNo).map(({ id }) => `sale.line,${id}`);
    const came = moves.filter(({ origin }) => own.includes(String(origin)));
    if (came.reduce((sum, move) => sum + Number(move.quantity), 0) < quantity)
      return { outcome: 'refused', error: `${reference}: Tryton has not received ${quantity} of line ${lineNo} back` };
  }
  return { outcome: 'confirmed', answer: { number: sale.number } };
}

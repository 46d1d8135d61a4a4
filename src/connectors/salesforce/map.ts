/** Won opportunities are orders that ask before they promise; called off or deleted ones ask for their units back. */
import type { InboundItem } from '../../canonical/index.ts';
import {
  cancelItem,
  cancelKey,
  type Draft,
  Fields,
  mapRecords,
  orderItem,
  readOr,
  readRecord,
  scopes,
  Unreadable,
  type Whose,
} from '../kit/index.ts';
import { dayBegins, discounted, id18, plainDecimal, timeOf } from './values.ts';

/** How this org's fields are to be read. */
export interface Reading {
  company: string;
  /** Of an org whose records name no currency. */
  currency: string | null;
  timeZone: string;
  accountField: string;
  skuField: string;
  cancelStages: readonly string[];
}

/** As {@link recordsOf} gives them: lines in one list, in the order of their ids. */
export function mapOpportunities(records: readonly unknown[], whose: Whose, reading: Reading): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) =>
    readRecord(raw, place, whose.system, (record) => {
      const isCalledOff = reading.cancelStages.includes(String(record.raw.StageName));
      const isDeleted = record.raw.IsDeleted === true;
      if (!isCalledOff && !isDeleted) return [orderOf(record, whose.channel, reading)];
      return cancelsOf(record, whose.channel, reading, isCalledOff);
    }),
  );
}

const numberOf = (record: Fields): string => id18(record.text('Id'), `${record.place}/Id`);

function orderOf(record: Fields, channel: string, reading: Reading): Draft {
  return readOr(
    record.raw,
    scopes.order(channel),
    () => numberOf(record),
    () => {
      const lines = linesOf(record);
      return orderItem({
        kind: 'order.submitted',
        channel,
        externalNo: numberOf(record),
        company: reading.company,
        account: accountOf(record, reading),
        currency: currencyOf(record, reading),
        orderedAt: dayBegins(record.raw.CloseDate, reading.timeZone, `${record.place}/CloseDate`),
        lines: lines.map((line, index) => ({
          lineNo: index + 1,
          sku: skuOf(line, reading),
          quantity: quantityOf(line),
          unitPrice: unitPriceOf(line),
        })),
      });
    },
  );
}

/** All that is left of it is asked back; what is too late for that, the hub knows. */
function cancelsOf(record: Fields, channel: string, reading: Reading, isCalledOff: boolean): Draft[] {
  const scope = scopes.cancel(channel);
  const keyOf = () => numberOf(record);
  const cancels: Draft[] = [];
  // Each line alone: one that can't be read holds none of the others up.
  const all = readOr(record.raw, scope, keyOf, () => {
    // The stage's own time: it stays the same however often the record is touched afterwards.
    const [name, value] = isCalledOff
      ? (['LastStageChangeDate', record.raw.LastStageChangeDate] as const)
      : (['SystemModstamp', record.raw.SystemModstamp] as const);
    const occurredAt = timeOf(value, `${record.place}/${name}`);
    const order = numberOf(record);
    const account = accountOf(record, reading);
    for (const [index, line] of linesOf(record).entries()) {
      const named = () => ({ reference: order, order, lineNo: index + 1, sku: skuOf(line, reading) });
      const draft = readOr(
        [order, line.raw],
        scope,
        () => cancelKey(named()),
        () =>
          cancelItem({
            kind: 'order.cancel_requested',
            channel,
            account,
            occurredAt,
            ...named(),
            quantity: quantityOf(line),
          }),
      );
      cancels.push(draft);
    }
    return cancels[0]!;
  });
  return cancels.length > 0 ? cancels : [all];
}

/** Lines have no number of their own: they are numbered by their ids, which only grow. */
function linesOf(record: Fields): Fields[] {
  const list = record.raw.OpportunityLineItems as { records?: unknown; done?: unknown } | null | undefined;
  const place = `${record.place}/OpportunityLineItems`;
  if (list == null || !Array.isArray(list.records) || list.records.length === 0)
    throw new Unreadable(
      'must hold products: what is sold without any can be neither promised nor shipped',
      place,
      list,
    );
  // An order of which lines are missing would be taken for the whole.
  if (list.done !== true) throw new Unreadable('must be whole', place, list);
  return new Fields(list, place).lines('records');
}

function accountOf(record: Fields, { accountField }: Reading): string {
  if (record.raw.Account == null) throw record.unreadable('Account', 'must be set: an order belongs to an account');
  return new Fields(record.raw.Account, `${record.place}/Account`).text(accountField);
}

function currencyOf(record: Fields, { currency }: Reading): string {
  return currency ?? record.currency('CurrencyIsoCode');
}

export function skuOf(line: Fields, { skuField }: Pick<Reading, 'skuField'>): string {
  if (line.raw.Product2 == null) throw line.unreadable('Product2', 'must be set: the line names no product');
  return new Fields(line.raw.Product2, `${line.place}/Product2`).sku(skuField);
}

/** Quantities have decimals here; an order's are whole units. */
function quantityOf(line: Fields): number {
  const plain = plainDecimal(line.raw.Quantity);
  if (plain === undefined || !/^\d{1,10}$/.test(plain))
    throw line.unreadable('Quantity', 'must be a number of whole units');
  return new Fields({ Quantity: Number(plain) }, line.place).quantity('Quantity');
}

/** Net of the line's discount, exactly. */
function unitPriceOf(line: Fields): string {
  const price = plainDecimal(line.raw.UnitPrice);
  if (price === undefined || price.startsWith('-')) throw line.unreadable('UnitPrice', 'must be a price');
  const percent = line.raw.Discount == null ? '0' : plainDecimal(line.raw.Discount);
  if (percent === undefined || percent.startsWith('-')) throw line.unreadable('Discount', 'must be a percentage');
  const net = discounted(price, percent);
  if (net === undefined) throw line.unreadable('Discount', 'must leave a unit price of at most six places');
  return new Fields({ UnitPrice: net }, line.place).unitPrice('UnitPrice');
}

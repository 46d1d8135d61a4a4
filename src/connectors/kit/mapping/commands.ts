/** What mapped records mean: one set of field names for all connectors that are declared instead of written. Pure. */
import {
  type ChangedLineRequested,
  type ChargeKind,
  chargeKinds,
  type DocumentPosted,
  type InboundItem,
  type RequestedAs,
  type ReturnInspected,
  type SubmittedCharge,
  type SubmittedTax,
} from '../../../canonical/index.ts';
import { Fields, Unreadable } from '../fields.ts';
import {
  cancelItem,
  cancelKey,
  changeItem,
  type Draft,
  documentItem,
  inspectionItem,
  item,
  mapRecords,
  movementItem,
  orderCancelItem,
  orderItem,
  readOr,
  recordItem,
  refuseRepeatedLines,
  returnRequestItem,
  scopes,
  supplyItem,
} from '../items.ts';
import { saidMinor, saidUnit, saidUnits } from '../said-units.ts';
import { isPassedBy, passedBy, tellMapped } from '../told.ts';
import type { Mapping } from './map.ts';
import { accountItem, contractItem, productItem, textsOf } from './records.ts';

/** What a feed's records are. */
export const recordKinds = [
  'order',
  'cancel',
  'change',
  'order_cancel',
  'movement',
  'supply',
  'picked',
  'short_picked',
  'shipped',
  'returned',
  'return',
  'inspected',
  'document',
  'product',
  'account',
  'price',
  'contract',
] as const;
export type RecordKind = (typeof recordKinds)[number];

/** The fields that each kind's mapping gives; `?` may be left out. The pages of the connectors show them. */
export const recordFields: Readonly<Record<RecordKind, string>> = {
  order:
    'number company account currency orderedAt lines: sku quantity unitPrice lineNo? within? unit? packLevel? priceUnit? pricePer?; charges? kind code amountMinor; taxes? lineNo? charge? code rate baseMinor taxMinor',
  cancel: 'reference account at order? lineNo? sku quantity unit?',
  change: 'order reference at number? whole? partial? lines: quantity lineNo? sku? unitPrice? within? requestedOn?',
  order_cancel: 'order reference at',
  movement: 'id movement (received, adjusted, counted) sku location quantity unit? reference at sequence? net?',
  supply: 'supply sku location quantity unit? dueAt announcedAt',
  short_picked: 'id reference at reason? sequence? lines: lineNo sku quantity',
  picked: 'id reference at sequence? lines: lineNo sku quantity',
  shipped: 'id reference at shipment tracking? carrier? lines: lineNo sku quantity',
  returned: 'id reference (or channel order request) at sequence? account? lines: lineNo sku quantity',
  return: 'reference order at reason? lines: lineNo quantity',
  inspected:
    'id reference (or channel order request) at sequence? by reason? lines: lineNo restock? scrap? quarantine? from? (receipt, quarantine) credited?',
  document:
    'document (invoice, credit_note) number order currency totalMinor (or total) at lines: lineNo quantity amountMinor (or amount)',
  product:
    'sku changedAt description? unit? gtin? lifecycle? (active, phase_out, discontinued) weightG? lengthMm? widthMm? heightMm? kit?: sku quantity, substitutes?: sku',
  account:
    'account company changedAt channel? name? taxId? email? postalCode? parent? paymentTerms? hold? priceList? priorityClass? (win, gain, redistribute, fill, lose) shipComplete? region? addresses?: code line1 line2? line3? name? city? postalCode? country',
  price: 'sku company currency unitPrice unit? pricePer? changedAt priceList? validFrom? validTo?',
  contract:
    'contract account company changedAt currency? validFrom? validTo? prices? (all of it): sku unitPrice quantityMin? unit? pricePer?',
};

/** By which field a record that can't be read is still known. */
const keyField: Readonly<Record<RecordKind, string>> = {
  order: 'number',
  cancel: 'reference',
  change: 'reference',
  order_cancel: 'reference',
  movement: 'id',
  supply: 'supply',
  picked: 'id',
  short_picked: 'id',
  shipped: 'id',
  returned: 'id',
  return: 'reference',
  inspected: 'id',
  document: 'number',
  product: 'sku',
  account: 'account',
  price: 'sku',
  contract: 'contract',
};

const ADJUSTMENT_MAX = 1_000_000_000;

export interface MappedFeed {
  kind: RecordKind;
  mapping: Mapping;
  system: string;
  /** Whose orders and cancels they are. */
  channel: string | null;
}

/** Items of records, one of each; what can't be mapped or read is an item with its reason, and its neighbours are read. */
export function mappedItems(feed: MappedFeed, records: readonly unknown[], place = ''): InboundItem[] {
  return mapRecords(records, place, (raw, at) => [mappedItem(feed, raw, at)]);
}

function mappedItem(feed: MappedFeed, raw: unknown, place: string): Draft {
  const { kind, mapping, system, channel } = feed;
  const scope = scopeOf(kind, system, channel ?? '');
  const named = () => {
    const name = mapping.field(raw, place, keyField[kind]);
    return typeof name === 'string' && name !== '' ? name : undefined;
  };
  if (isPassedBy(scope, () => orNothing(named))) return passedBy(scope);
  const keyOf = (): string => {
    // As a text that can be kept: a key that no database takes would hold up the page that it is in.
    const textOf = (name: string) => new Fields({ [name]: mapping.field(raw, place, name) }, place).text(name);
    const text = textOf(keyField[kind]);
    if (kind === 'return') return `${text}/${textOf('order')}`;
    return kind === 'document' ? `${String(mapping.field(raw, place, 'document'))}/${text}` : text;
  };
  return readOr(raw, scope, keyOf, () => {
    const mapped = mapping.map(raw, place);
    tellMapped(mapped);
    return read(feed, new Fields(mapped, place));
  });
}

function orNothing(named: () => string | undefined): string | undefined {
  try {
    return named();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function scopeOf(kind: RecordKind, system: string, channel: string): string {
  if (kind === 'order') return scopes.order(channel);
  if (kind === 'cancel') return scopes.cancel(channel);
  if (kind === 'return') return scopes.returnRequest(channel);
  if (kind === 'change') return scopes.change(channel);
  if (kind === 'order_cancel') return scopes.orderCancel(channel);
  if (kind === 'movement') return scopes.movement(system);
  if (kind === 'supply') return scopes.supply(system);
  if (kind === 'document') return scopes.document(system);
  if (kind === 'product' || kind === 'account' || kind === 'price' || kind === 'contract')
    return scopes.event(`${kind}.changed`, system);
  return scopes.event(kind, system);
}

function read({ kind, system, channel }: MappedFeed, record: Fields): Draft {
  switch (kind) {
    case 'order': {
      const lines = record.lines('lines');
      if (lines.some((line) => line.raw.lineNo !== undefined)) refuseRepeatedLines(lines, 'lineNo');
      return orderItem({
        kind: 'order.submitted',
        channel: channel ?? '',
        externalNo: record.text('number'),
        company: record.text('company'),
        account: record.text('account'),
        currency: record.currency('currency'),
        orderedAt: record.time('orderedAt'),
        lines: lines.map((line, index) => ({
          // Where the system numbers no lines, their place does.
          lineNo: line.raw.lineNo === undefined ? index + 1 : line.lineNo('lineNo'),
          sku: line.sku('sku'),
          quantity: line.quantity('quantity'),
          unitPrice: line.unitPrice('unitPrice'),
          ...saidUnits(line),
          ...(line.raw.within !== undefined && { within: line.integer('within', 0, line.quantity('quantity')) }),
        })),
        ...(Array.isArray(record.raw.charges) &&
          record.raw.charges.length > 0 && { charges: record.lines('charges').map(chargeOf) }),
        ...(Array.isArray(record.raw.taxes) &&
          record.raw.taxes.length > 0 && { taxes: record.lines('taxes').map(taxOf) }),
      });
    }
    case 'cancel': {
      const named = {
        reference: record.text('reference'),
        order: record.textOrNull('order'),
        lineNo: record.raw.lineNo == null ? null : record.lineNo('lineNo'),
        sku: record.sku('sku'),
      };
      const draft = cancelItem({
        kind: 'order.cancel_requested',
        channel: channel ?? '',
        account: record.text('account'),
        occurredAt: record.time('at'),
        ...named,
        quantity: record.quantity('quantity'),
        ...saidUnit(record),
      });
      return { ...draft, key: cancelKey(named) };
    }
    case 'change': {
      const lines = record.lines('lines');
      refuseRepeatedLines(
        lines.filter((line) => line.raw.lineNo != null),
        'lineNo',
      );
      return changeItem({
        kind: 'order.change_requested',
        channel: channel ?? '',
        order: record.text('order'),
        reference: record.text('reference'),
        occurredAt: record.time('at'),
        ...(record.raw.number != null && { number: record.integer('number', 0) }),
        ...(typeof record.raw.whole === 'boolean' && { whole: record.raw.whole }),
        ...(typeof record.raw.partial === 'boolean' && { partial: record.raw.partial }),
        lines: lines.map(changedLine),
      });
    }
    case 'order_cancel':
      return orderCancelItem({
        kind: 'order.whole_cancel_requested',
        channel: channel ?? '',
        order: record.text('order'),
        reference: record.text('reference'),
        occurredAt: record.time('at'),
      });
    case 'movement': {
      const movement = record.oneOf('movement', ['received', 'adjusted', 'counted']);
      const quantity = quantityOfMovement(record, movement);
      return movementItem(system, record.text('id'), {
        kind: 'stock.moved',
        movement,
        sku: record.sku('sku'),
        location: record.text('location'),
        quantity,
        ...saidUnit(record),
        reference: record.text('reference'),
        occurredAt: record.time('at'),
        ...sequenceOf(record),
        ...(typeof record.raw.net === 'boolean' && { net: record.raw.net }),
      });
    }
    case 'supply':
      return supplyItem(system, {
        kind: 'supply.announced',
        supply: record.text('supply'),
        sku: record.sku('sku'),
        location: record.text('location'),
        quantity: record.quantity('quantity', 0),
        ...saidUnit(record),
        dueAt: record.time('dueAt'),
        announcedAt: record.time('announcedAt'),
      });
    case 'document': {
      const currency = record.currency('currency');
      // As it is written, or counted in minor units already.
      const amount = (fields: Fields, name: string) =>
        fields.raw[name] === undefined ? fields.integer(`${name}Minor`, 0) : saidMinor(fields, name, currency);
      const tax = (fields: Fields) =>
        (fields.raw.tax ?? fields.raw.taxMinor) == null ? {} : { taxMinor: signedMinor(fields, 'tax', currency) };
      const document = record.oneOf<DocumentPosted['document']>('document', ['invoice', 'credit_note']);
      return documentItem(system, {
        kind: 'document.posted',
        document,
        number: record.text('number'),
        order: record.text('order'),
        currency,
        totalMinor: amount(record, 'total'),
        occurredAt: record.time('at'),
        lines: record.lines('lines').map((line) => ({
          lineNo: line.lineNo('lineNo'),
          quantity: line.quantity('quantity'),
          amountMinor: amount(line, 'amount'),
          ...tax(line),
        })),
        ...(Array.isArray(record.raw.charges) && {
          charges: record.lines('charges').map((charge) => ({
            ...(charge.raw.charge != null && { charge: charge.integer('charge', 1) }),
            ...textsOf(charge, ['kind', 'code']),
            amountMinor: signedMinor(charge, 'amount', currency),
            ...tax(charge),
          })),
        }),
        ...tax(record),
      });
    }
    case 'return':
      return returnRequestItem({
        kind: 'return.requested',
        channel: channel ?? '',
        order: record.text('order'),
        reference: record.text('reference'),
        occurredAt: record.time('at'),
        ...textsOf(record, ['reason']),
        lines: record.lines('lines').map((line) => ({
          lineNo: line.lineNo('lineNo'),
          quantity: line.quantity('quantity'),
        })),
      });
    case 'inspected':
      return inspectionItem(system, record.text('id'), {
        kind: 'return.inspected',
        ...returnNameOf(record),
        occurredAt: record.time('at'),
        ...sequenceOf(record),
        by: record.text('by'),
        ...textsOf(record, ['reason']),
        lines: record.lines('lines').map(inspectedLineOf),
      });
    case 'product':
      return productItem(system, record);
    case 'account':
      return accountItem(system, record);
    case 'contract':
      return contractItem(system, record);
    case 'price':
      return recordItem(system, {
        kind: 'price.changed',
        sku: record.sku('sku'),
        company: record.text('company'),
        currency: record.currency('currency'),
        unitPrice: record.unitPrice('unitPrice'),
        ...saidUnit(record),
        ...(record.raw.pricePer != null && { pricePer: record.integer('pricePer', 1) }),
        changedAt: record.time('changedAt'),
        ...textsOf(record, ['priceList', 'validFrom', 'validTo']),
      });
    default:
      return workItem(kind, system, record);
  }
}

const MINOR_MAX = 1_000_000_000_000;

/** As it is written, or counted in minor units already; below 0 what is taken off. */
function signedMinor(fields: Fields, name: string, currency: string): number {
  if (fields.raw[name] === undefined) return fields.integer(`${name}Minor`, -MINOR_MAX, MINOR_MAX);
  const text = fields.text(name);
  const isBelow = text.startsWith('-');
  const minor = saidMinor(new Fields({ [name]: isBelow ? text.slice(1) : text }, fields.place), name, currency);
  return isBelow ? 0 - minor : minor;
}

function chargeOf(charge: Fields): SubmittedCharge {
  return {
    kind: charge.oneOf<ChargeKind>('kind', chargeKinds),
    code: charge.text('code'),
    amountMinor: charge.integer('amountMinor', -MINOR_MAX, MINOR_MAX),
  };
}

function taxOf(tax: Fields): SubmittedTax {
  return {
    ...(tax.raw.lineNo != null && { lineNo: tax.lineNo('lineNo') }),
    ...(tax.raw.charge != null && { charge: tax.integer('charge', 1) }),
    ...{ code: tax.text('code'), rate: tax.text('rate') },
    baseMinor: tax.integer('baseMinor', -MINOR_MAX, MINOR_MAX),
    taxMinor: tax.integer('taxMinor', -MINOR_MAX, MINOR_MAX),
  };
}

/** Our reference, or the order and the request where its system knows only those; neither: nobody knows what it is of. */
function returnNameOf(record: Fields): { returnReference: string; requestedAs?: RequestedAs } {
  const returnReference = record.textOrNull('reference') ?? '';
  if (record.raw.request == null) return { returnReference };
  const requestedAs = {
    channel: record.text('channel'),
    order: record.text('order'),
    reference: record.text('request'),
  };
  return { returnReference, requestedAs };
}

function inspectedLineOf(line: Fields): ReturnInspected['lines'][number] {
  const units = (name: string) => (line.raw[name] == null ? 0 : line.quantity(name, 0));
  return {
    ...{ lineNo: line.lineNo('lineNo'), restock: units('restock') },
    ...{ scrap: units('scrap'), quarantine: units('quarantine') },
    ...(line.raw.from != null && { from: line.oneOf<'receipt' | 'quarantine'>('from', ['receipt', 'quarantine']) }),
    ...(typeof line.raw.credited === 'boolean' && { credited: line.raw.credited }),
  };
}

function changedLine(line: Fields): ChangedLineRequested {
  const quantity = line.quantity('quantity', 0);
  return {
    quantity,
    ...(line.raw.lineNo != null && { lineNo: line.lineNo('lineNo') }),
    ...(line.raw.sku != null && { sku: line.sku('sku') }),
    ...(line.raw.unitPrice != null && { unitPrice: line.unitPrice('unitPrice') }),
    ...(line.raw.within != null && { within: line.integer('within', 0, quantity) }),
    ...(line.raw.requestedOn != null && { requestedOn: line.text('requestedOn') }),
  };
}

/** Work that we asked for: its references are ours. */
function workItem(kind: 'picked' | 'short_picked' | 'shipped' | 'returned', system: string, record: Fields): Draft {
  const id = record.text('id');
  const named = kind === 'returned' ? returnNameOf(record) : undefined;
  const account = kind === 'returned' ? textsOf(record, ['account']) : {};
  // Goods that nobody announced have no reference; then who sent them says at least whose they were.
  const isNamed = named === undefined || (named.requestedAs === undefined && account.account === undefined);
  const reference = isNamed ? record.text('reference') : named.returnReference;
  const occurredAt = record.time('at');
  const lines = record.lines('lines').map((line) => ({
    lineNo: line.lineNo('lineNo'),
    sku: line.sku('sku'),
    quantity: line.quantity('quantity'),
  }));
  const goods = lines.map(({ lineNo, sku, quantity }) => [lineNo, sku, quantity]);
  const scope = scopes.event(kind, system);
  if (kind === 'shipped') {
    const shipment = record.text('shipment');
    const tracking = record.textOrNull('tracking');
    const carried = textsOf(record, ['carrier']);
    const fields = [reference, shipment, tracking, occurredAt, goods, ...Object.values(carried)];
    return item(
      scope,
      id,
      { kind: 'fulfilment.shipped', fulfilment: reference, shipment, tracking, ...carried, occurredAt, lines },
      fields,
    );
  }
  const sequence = sequenceOf(record);
  const fields = [reference, occurredAt, sequence.sequence ?? null, goods];
  if (kind === 'short_picked') {
    const reason = textsOf(record, ['reason']);
    const said = { fulfilment: reference, ...reason, occurredAt, ...sequence, lines };
    return item(scope, id, { kind: 'fulfilment.short_picked', ...said }, [...fields, ...Object.values(reason)]);
  }
  if (kind === 'picked')
    return item(
      scope,
      id,
      { kind: 'fulfilment.picked', fulfilment: reference, occurredAt, ...sequence, lines },
      fields,
    );
  const { requestedAs } = named ?? {};
  const others = [
    ...(requestedAs === undefined ? [] : [requestedAs.channel, requestedAs.order, requestedAs.reference]),
    ...Object.values(account),
  ];
  return item(
    scope,
    id,
    {
      kind: 'return.received',
      returnReference: reference,
      ...(requestedAs !== undefined && { requestedAs }),
      ...account,
      occurredAt,
      ...sequence,
      lines,
    },
    [...fields, ...others],
  );
}

function quantityOfMovement(record: Fields, movement: 'received' | 'adjusted' | 'counted'): number {
  if (movement === 'received') return record.quantity('quantity');
  if (movement === 'counted') return record.quantity('quantity', 0);
  const quantity = record.integer('quantity', -ADJUSTMENT_MAX, ADJUSTMENT_MAX);
  if (quantity === 0) throw record.unreadable('quantity', 'must not be 0');
  return quantity;
}

function sequenceOf(record: Fields): { sequence?: number } {
  return record.raw.sequence === undefined ? {} : { sequence: record.integer('sequence', 0) };
}

/** What can be loaded: the columns of each kind, how a row is read, and how rows are written. */
import { CrossdockError, fail, fingerprint, type InboundItem } from '../../canonical/index.ts';
import { orderItem, scopes, supplyItem } from '../../connectors/kit/index.ts';
import { conflictText, type ItemResult, Receiver } from '../../ingest/index.ts';
import { type CrosswalkRecord, crosswalkKinds, putCrosswalk } from '../../master/index.ts';
import { Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { whoAmI } from '../who.ts';
import { contractPriceRows, contractRows } from './contracts.ts';
import { creditKind } from './credit-kind.ts';
import { currencyOf, onlyCompany } from './defaults.ts';
import type { RowFields } from './fields.ts';
import { accountKind, priceKind, productKind } from './master-kinds.ts';
import { quotaRows } from './quotas.ts';

export const kindNames = [
  'products',
  'units',
  'accounts',
  'prices',
  'contracts',
  'contract-prices',
  'substitutes',
  'kits',
  'addresses',
  'crosswalk',
  'stock',
  'supplies',
  'credit',
  'quotas',
  'orders',
] as const;
export type KindName = (typeof kindNames)[number];

export interface Reject {
  code: string;
  reason: string;
}
/** What became of one unit: rows that go together. */
export type UnitResult = 'applied' | 'repeated' | Reject;

/** One row as read, or why it could not be. */
export interface ReadRow {
  line: number;
  raw: string;
  value: unknown;
  fault: Reject | undefined;
}

export interface Kind {
  required: readonly string[];
  optional: readonly string[];
  read(fields: RowFields, line: number): unknown;
  /** Rows with the same group in a row go together; absent: each goes alone. */
  groupOf?(value: unknown): string;
  /** The channel of rows that name none. */
  channelOf?(): string | undefined;
  /** Of records: one for the rows of a unit; default: its first row is it. */
  recordOf?(values: unknown[]): unknown;
  /** One result per unit, in order. No unit holds a faulty row. */
  write(units: readonly (readonly ReadRow[])[]): Promise<UnitResult[]>;
}

export interface LoadContext extends Opened {
  digest: string;
  modifiedAt: Date;
  /** Where the rows come from, as in the crosswalk and in keys. */
  system: string;
  company: string | undefined;
  channel: string | undefined;
  /** In whose name master data is put; undefined: a person's. */
  as: string | undefined;
}

export function kindOf(name: KindName, context: LoadContext): Kind {
  switch (name) {
    case 'products':
    case 'units':
    case 'kits':
    case 'substitutes':
      return productKind(name, context, master);
    case 'accounts':
    case 'addresses':
      return accountKind(name, context, master);
    case 'prices':
      return priceKind(context, master);
    case 'contracts':
      return master(contractRows(context, onlyCompany(context)));
    case 'contract-prices':
      return master(contractPriceRows(context, onlyCompany(context)));
    case 'crosswalk':
      return master<CrosswalkRecord>({
        required: ['kind', 'outside_id', 'code'],
        optional: ['system', 'valid_from', 'valid_to'],
        read: (row) => ({
          system: row.text('system', context.system === 'file' ? undefined : context.system),
          kind: row.oneOf('kind', crosswalkKinds),
          outsideId: row.text('outside_id'),
          code: row.text('code'),
          validFrom: row.optional('valid_from') === undefined ? null : row.time('valid_from'),
          validTo: row.optional('valid_to') === undefined ? null : row.time('valid_to'),
        }),
        put: (records) => putCrosswalk(context.db, records, whoAmI()),
      });
    case 'stock':
      return stockKind(context);
    case 'supplies':
      return suppliesKind(context);
    case 'credit':
      return creditKind(context, receiver(context), (company) => {
        const owner = company ?? onlyCompany(context);
        return { company: owner, currency: currencyOf(context, owner) };
      });
    case 'quotas':
      return master(quotaRows(context));
    case 'orders':
      return ordersKind(context);
  }
}

function unitOf(row: RowFields): { unit?: string } {
  const unit = row.optional('unit');
  return unit === undefined ? {} : { unit };
}

/** Upserts: the same row again changes nothing. A set that is refused names the row; the rest goes on without it. */
export type Master = typeof master;
function master<Row, T = Row>(kind: {
  required: readonly string[];
  optional: readonly string[];
  read: (row: RowFields) => Row;
  /** Of the rows of a unit; default: it has one. */
  recordOf?: (rows: Row[]) => T;
  /** @returns which of them could not be taken whole, if any */
  put: (records: T[]) => Promise<ReadonlyMap<T, Reject> | object>;
}): Kind {
  const { recordOf = (rows: Row[]) => rows[0] as unknown as T } = kind;
  return {
    ...kind,
    recordOf: (values) => recordOf(values as Row[]),
    write: async (units) => {
      const results: UnitResult[] = units.map(() => 'applied');
      let left = units.map((unit, i) => ({ i, record: recordOf(unit.map((row) => row.value as Row)) }));
      while (left.length > 0)
        try {
          const rejects = await kind.put(left.map(({ record }) => record));
          if (rejects instanceof Map) for (const { i, record } of left) results[i] = rejects.get(record) ?? 'applied';
          break;
        } catch (error) {
          const at =
            error instanceof CrossdockError ? /\[(\d+)\]/.exec(String(error.details.place ?? ''))?.[1] : undefined;
          if (at === undefined) throw error;
          const bad = left[Number(at)]!;
          const { code, message, details } = error as CrossdockError;
          results[bad.i] = {
            code: typeof details.refused === 'string' ? details.refused : code,
            reason: message.replace(/^\w+\[\d+\]\./, ''),
          };
          left = left.filter((entry) => entry !== bad);
        }
      return results;
    },
  };
}

function stockKind(context: LoadContext): Kind {
  const receive = receiver(context);
  return {
    required: ['sku', 'location', 'quantity'],
    optional: ['id', 'movement', 'unit', 'occurred_at', 'reference', 'supply', 'supply_source'],
    read: (row, line): InboundItem => {
      const movement = row.oneOf('movement', ['counted', 'received', 'adjusted'], 'counted');
      const id = row.optional('id') ?? `${context.digest}:${line}`;
      const given = row.optional('occurred_at') === undefined ? undefined : row.time('occurred_at');
      const supply = row.optional('supply');
      const source = row.optional('supply_source');
      const command = {
        kind: 'stock.moved',
        movement,
        sku: row.text('sku').toUpperCase(),
        location: row.text('location'),
        quantity: row.whole('quantity', movement === 'adjusted' ? -1_000_000_000 : movement === 'counted' ? 0 : 1),
        ...unitOf(row),
        reference: row.text('reference', id),
        occurredAt: given ?? context.modifiedAt.toISOString(),
        ...(supply !== undefined && { supply: { id: supply, ...(source !== undefined && { source }) } }),
      } as const;
      const { sku, location, quantity, reference } = command;
      // A time that the file does not give is no content: a copy of the file says the same.
      const content = fingerprint('load1', [
        ...[movement, sku, location, quantity, reference, given ?? null],
        ...(supply === undefined ? [] : [source ?? null, supply]),
        ...(command.unit === undefined ? [] : [{ unit: command.unit }]),
      ]);
      return { scope: scopes.movement(context.system), key: id, fingerprint: content, itemNo: 0, command };
    },
    write: (units) => receive(units, (unit) => unit[0]!.value as InboundItem),
  };
}

function suppliesKind(context: LoadContext): Kind {
  const receive = receiver(context);
  return {
    required: ['id', 'sku', 'location', 'quantity', 'due_at'],
    optional: ['announced_at', 'source', 'unit'],
    read: (row): InboundItem => {
      const source = row.optional('source');
      const given = row.optional('announced_at') === undefined ? undefined : row.time('announced_at');
      const draft = supplyItem(
        context.system,
        {
          kind: 'supply.announced',
          supply: row.text('id'),
          sku: row.text('sku').toUpperCase(),
          location: row.text('location'),
          quantity: row.whole('quantity', 0),
          ...unitOf(row),
          dueAt: row.time('due_at'),
          announcedAt: given ?? context.modifiedAt.toISOString(),
          ...(source !== undefined && { source }),
        },
        // A file that gives no time is one announcement, however often it is copied.
        given ?? context.digest,
      );
      return { ...draft, itemNo: 0 };
    },
    write: (units) => receive(units, (unit) => unit[0]!.value as InboundItem),
  };
}

interface OrderRow {
  channel: string;
  number: string;
  company: string;
  account: string;
  currency: string;
  orderedAt: string;
  lineNo: number | undefined;
  sku: string;
  quantity: number | string;
  unit: string | undefined;
  unitPrice: string;
  priceUnit: string | undefined;
  pricePer: number | undefined;
}

function ordersKind(context: LoadContext): Kind {
  const receive = receiver(context);
  return {
    required: ['order', 'account', 'ordered_at', 'sku', 'quantity', 'unit_price'],
    optional: ['channel', 'company', 'currency', 'line_no', 'unit', 'price_unit', 'price_per'],
    read: (row): OrderRow => {
      const channel = row.text('channel', context.channel);
      const entry = context.directory.channels.get(channel);
      if (entry === undefined) fail('XD_UNKNOWN_CHANNEL', `channel: no channel ${channel}`, { place: 'channel' });
      const company = row.text('company', context.directory.companyById.get(entry.companyId)?.code);
      const unit = row.optional('unit');
      return {
        channel,
        number: row.text('order'),
        company,
        account: row.text('account'),
        currency: row.text('currency', currencyOf(context, company)),
        orderedAt: row.time('ordered_at'),
        lineNo: row.optional('line_no') === undefined ? undefined : row.whole('line_no', 1),
        sku: row.text('sku').toUpperCase(),
        // Of base units there are no fractions; of a larger unit there may be, and they stay the text that they are.
        quantity: unit === undefined ? row.whole('quantity', 1) : row.text('quantity'),
        unit,
        unitPrice: row.unitPrice('unit_price'),
        priceUnit: row.optional('price_unit'),
        pricePer: row.optional('price_per') === undefined ? undefined : row.whole('price_per', 1),
      };
    },
    groupOf: (value) => `${(value as OrderRow).channel}/${(value as OrderRow).number}`,
    channelOf: () => context.channel,
    write: (units) => receive(units, (unit) => orderOf(unit.map((row) => row.value as OrderRow))),
  };
}

/** @throws XD_VALUE_INVALID when the rows of one order disagree about it */
function orderOf(rows: readonly OrderRow[]): InboundItem {
  const first = rows[0]!;
  for (const name of ['company', 'account', 'currency', 'orderedAt'] as const)
    for (const row of rows)
      if (row[name] !== first[name])
        fail('XD_VALUE_INVALID', `${name} is ${first[name]} and ${row[name]} in one order`, { place: name });
  const lines = rows.map((row, i) => ({
    lineNo: row.lineNo ?? i + 1,
    sku: row.sku,
    quantity: row.quantity,
    unitPrice: row.unitPrice,
    ...(row.unit !== undefined && { unit: row.unit }),
    ...(row.priceUnit !== undefined && { priceUnit: row.priceUnit }),
    ...(row.pricePer !== undefined && { pricePer: row.pricePer }),
  }));
  const seen = new Set<number>();
  for (const { lineNo } of lines) {
    if (seen.has(lineNo))
      fail('XD_VALUE_INVALID', `line_no ${lineNo} appears twice in one order`, { place: 'line_no' });
    seen.add(lineNo);
  }
  const { channel, number, company, account, currency, orderedAt } = first;
  return {
    ...orderItem({
      kind: 'order.submitted',
      channel,
      externalNo: number,
      company,
      account,
      currency,
      orderedAt,
      lines,
    }),
    itemNo: 0,
  };
}

/** Hands units to ingest as one message, its bytes being the rows as they stand in the file. */
function receiver({ db, directory, system }: LoadContext) {
  const ingest = new Receiver({ db, ids: new Ids(), directory });
  return async (
    units: readonly (readonly ReadRow[])[],
    itemOf: (unit: readonly ReadRow[]) => InboundItem,
  ): Promise<UnitResult[]> => {
    const results: (UnitResult | undefined)[] = units.map(() => undefined);
    const items: { i: number; item: InboundItem }[] = [];
    units.forEach((unit, i) => {
      try {
        items.push({ i, item: { ...itemOf(unit), itemNo: items.length } });
      } catch (error) {
        if (!(error instanceof CrossdockError)) throw error;
        results[i] = { code: error.code, reason: error.message };
      }
    });
    if (items.length > 0) {
      const body = Buffer.from(units.flatMap((unit) => unit.map((row) => row.raw)).join('\n'));
      const answers = await ingest.receive({
        system,
        source: 'file',
        contentType: 'text/csv',
        body,
        items: items.map(({ item }) => item),
        onFault: 'refuse',
      });
      items.forEach(({ i }, n) => {
        results[i] = resultOf(answers[n]!, items[n]!.item.key);
      });
    }
    return results.map((result) => result!);
  };
}

function resultOf(answer: ItemResult, key: string): UnitResult {
  switch (answer.status) {
    case 'applied':
      return 'applied';
    case 'duplicate':
      return 'repeated';
    case 'conflict':
      return { code: 'XD_KEY_CONFLICT', reason: conflictText(key, answer.difference) };
    case 'refused':
      return { code: answer.code, reason: answer.place === null ? answer.reason : `${answer.place}: ${answer.reason}` };
    case 'parked':
      return { code: 'XD_REFUSED', reason: answer.reason };
    case 'waiting':
      return { code: 'XD_REFUSED', reason: `waits for ${answer.waitKey}` };
  }
}

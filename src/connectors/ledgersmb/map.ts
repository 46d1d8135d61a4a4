/** LedgerSMB's rows into ours, and an order into its rows; pure. */
import { amountMinor, fail, type InboundItem, priceMicros } from '../../canonical/index.ts';
import {
  type ChangesBody,
  type Draft,
  Fields,
  mapRecords,
  movementItem,
  orderItem,
  readOr,
  recordItem,
  type SalesOrderPayload,
  type SqlRow,
  scopes,
  Unreadable,
} from '../kit/index.ts';

export interface LedgerSettings {
  company: string;
  /** Where the stock is: the ledger counts in one place only. */
  location: string;
  /** Pieces in a unit of theirs. */
  units: Readonly<Record<string, number>>;
}

export interface LedgerProduct {
  id: string;
  sku: string;
  description: string;
  unit: string;
  /** Pieces in one of its units. */
  pieces: number;
  /** Per unit, not per piece. */
  sellPrice: string | null;
  isObsolete: boolean;
}

export interface LedgerAccount {
  id: string;
  account: string;
  name: string;
  taxId: string | null;
  /** Null: no limit, which is written as 0 there. */
  creditLimitMinor: number | null;
  currency: string | null;
  termsDays: number;
  endedOn: string | null;
  /** Earlier accounts under the same tax id: most likely the same. */
  sameTaxId: string[];
}

export function mapProducts(rows: readonly SqlRow[], { units }: LedgerSettings): LedgerProduct[] {
  return rows.map((row) => ({
    id: row.id!,
    sku: skuOf(row.partnumber ?? ''),
    description: row.description ?? '',
    unit: row.unit ?? '',
    pieces: piecesOf(row.unit, units, `/parts/${row.id}`),
    sellPrice: row.sellprice ?? null,
    isObsolete: row.obsolete === 'true',
  }));
}

export function mapAccounts(rows: readonly SqlRow[]): LedgerAccount[] {
  const byTaxId = new Map<string, string[]>();
  return rows.map((row) => {
    const account = row.meta_number!;
    const known = row.tax_id == null ? [] : (byTaxId.get(row.tax_id) ?? []);
    if (row.tax_id != null) byTaxId.set(row.tax_id, [...known, account]);
    const limit = priceMicros(row.creditlimit ?? '0') / 10_000n;
    return {
      id: row.id!,
      account,
      name: (row.legal_name ?? '').trim().replaceAll(/\s+/g, ' '),
      taxId: row.tax_id ?? null,
      creditLimitMinor: limit === 0n ? null : Number(limit),
      currency: row.curr?.trim() || null,
      termsDays: Number(row.terms ?? 0),
      endedOn: row.enddate ?? null,
      sameTaxId: known,
    };
  });
}

/** Products and their prices a piece, of those that are still sold. What is gone or obsolete is not told: nobody takes a product back. */
export function mapProductChanges(
  { changes, readAt }: ChangesBody,
  system: string,
  { company, units }: LedgerSettings,
): InboundItem[] {
  const changedAt = new Date(readAt).toISOString();
  return mapRecords(
    changes.filter(({ rows }) => rows[0] !== undefined && rows[0].obsolete !== 'true'),
    '/changes',
    (raw, place) => {
      const { key, rows } = raw as ChangesBody['changes'][number];
      const row = rows[0]!;
      const sku = skuOf(key[0]!);
      const product = () =>
        recordItem(system, {
          kind: 'product.changed',
          sku,
          ...(row.description && { description: row.description }),
          changedAt,
        });
      const price = (): Draft => {
        const pieces = piecesOf(row.unit, units, `${place}/unit`);
        const whole = new Fields({ sellprice: row.sellprice }, place).unitPrice('sellprice');
        const unitPrice = perPiece(whole, pieces);
        if (priceMicros(unitPrice) * BigInt(pieces) !== priceMicros(whole))
          throw new Unreadable(`has no exact price a piece: ${whole} for ${pieces}`, `${place}/sellprice`, whole);
        return recordItem(system, {
          kind: 'price.changed',
          sku,
          company,
          currency: row.curr?.trim() ?? '',
          unitPrice,
          changedAt,
        });
      };
      const read = (kind: 'product.changed' | 'price.changed', make: () => Draft) =>
        readOr(raw, scopes.event(kind, system), () => `${sku} ${changedAt}`, make);
      return row.sellprice == null
        ? [read('product.changed', product)]
        : [read('product.changed', product), read('price.changed', price)];
    },
  );
}

/** Accounts with their names. Credit limits and duplicates are in {@link mapAccounts}: the hub has no fact for them. */
export function mapAccountChanges(
  { changes, readAt }: ChangesBody,
  system: string,
  { company }: LedgerSettings,
): InboundItem[] {
  const changedAt = new Date(readAt).toISOString();
  return mapRecords(
    changes.filter(({ rows }) => rows.length > 0),
    '/changes',
    (raw, place) => {
      const { key, rows } = raw as ChangesBody['changes'][number];
      return [
        readOr(
          raw,
          scopes.event('account.changed', system),
          () => `${company}/${key[0]} ${changedAt}`,
          () => {
            if (rows.length > 1)
              throw new Unreadable('is the number of more than one customer', `${place}/rows/1/meta_number`, key[0]);
            const [{ account, name }] = mapAccounts(rows) as [LedgerAccount];
            return recordItem(system, {
              kind: 'account.changed',
              account,
              company,
              ...(name !== '' && { name }),
              changedAt,
            });
          },
        ),
      ];
    },
  );
}

/** Numbers on hand. One below 0 is parked: nobody can have less than nothing, and what is really there has to be counted. */
export function mapStock(
  { changes, revision, readAt }: ChangesBody,
  system: string,
  { location, units }: LedgerSettings,
): InboundItem[] {
  return mapRecords(changes, '/changes', (raw, place) => {
    const { key, rows } = raw as ChangesBody['changes'][number];
    const [row] = rows;
    const sku = skuOf(key[0]!);
    const keyOf = () => `${sku}@${location} ${revision}`;
    const read = (): Draft => {
      // A part that is gone, or obsolete now, has nothing to be sold.
      const onHand =
        row === undefined ? 0 : wholeOf(row.onhand, `${place}/onhand`) * piecesOf(row.unit, units, `${place}/unit`);
      return movementItem(system, keyOf(), {
        kind: 'stock.moved',
        movement: 'counted',
        sku,
        location,
        quantity: new Fields({ onHand }, place).quantity('onHand', 0),
        reference: `snapshot ${revision}`,
        occurredAt: new Date(readAt).toISOString(),
      });
    };
    return [readOr(raw, scopes.movement(system), keyOf, read)];
  });
}

/** Open sales orders with what is still to be shipped. One that is closed meanwhile is not told: nobody says whether it was shipped or dropped. */
export function mapOrders(
  { changes }: ChangesBody,
  channel: string,
  { company, units }: LedgerSettings,
): InboundItem[] {
  return mapRecords(
    changes.filter(({ rows }) => rows.length > 0),
    '/changes',
    (raw, place) => {
      const { key, rows } = raw as ChangesBody['changes'][number];
      const first = new Fields(rows[0], `${place}/rows/0`);
      // The ledger lets an order have none; such a one is set aside under what it holds.
      const numberOf = () => new Fields({ ordnumber: key[0] }, place).text('ordnumber');
      return [
        readOr(raw, scopes.order(channel), numberOf, () => {
          const currency = new Fields({ curr: rows[0]!.curr?.trim() }, `${place}/rows/0`).currency('curr');
          return orderItem({
            kind: 'order.submitted',
            channel,
            externalNo: numberOf(),
            company,
            account: first.text('meta_number'),
            currency,
            orderedAt: new Fields({ at: `${rows[0]!.transdate}T00:00:00Z` }, place).time('at'),
            lines: rows
              .map((row, index) => lineOf(row, `${place}/rows/${index}`, currency, units))
              .sort((one, other) => one.lineNo - other.lineNo),
          });
        }),
      ];
    },
  );
}

function lineOf(row: SqlRow, place: string, currency: string, units: LedgerSettings['units']) {
  const pieces = piecesOf(row.unit, units, `${place}/unit`);
  const count = wholeOf(row.quantity, `${place}/quantity`);
  const price = row.price ?? '';
  const fields = new Fields(
    { lineNo: Number(row.line_no), sku: skuOf(row.partnumber ?? ''), quantity: count * pieces, price },
    place,
  );
  const unitPrice = perPiece(fields.unitPrice('price'), pieces);
  const quantity = fields.quantity('quantity');
  if (amountMinor(unitPrice, quantity, currency) !== amountMinor(price, count, currency))
    throw new Unreadable(
      `has no price a piece that makes the same amount: ${price} for ${pieces}`,
      `${place}/price`,
      price,
    );
  return { lineNo: fields.lineNo('lineNo'), sku: fields.sku('sku'), quantity, unitPrice };
}

/** To six places, the most that a price has; whether that makes the same amount is for the caller to see. */
export function perPiece(price: string, pieces: number): string {
  if (pieces === 1) return price;
  const micros = (priceMicros(price) * 2n + BigInt(pieces)) / (2n * BigInt(pieces));
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}

/** What a line is in their unit. Refused where it is not whole, or where the price of a unit is not exact. */
export interface LedgerLine {
  part: SqlRow;
  count: number;
  price: string;
}

/**
 * @param parts by SKU; more than one row of a SKU is told, as codes that differ only by case are one here and two there
 * @throws XD_VALUE_INVALID why it can't be written
 */
export function mapLines(
  payload: SalesOrderPayload,
  parts: ReadonlyMap<string, readonly SqlRow[]>,
  settings: LedgerSettings,
): LedgerLine[] {
  const { lines, micros } = linesIn(payload.lines, parts, settings);
  // As the order's screen does: the sum is rounded, not each line. An order that is another amount there is none that agrees.
  const minor = Number((micros + 5_000n) / 10_000n);
  if (minor !== payload.totalMinor)
    refuse(`the ledger makes ${minor} of what is ${payload.totalMinor} here: it rounds the sum, not the lines`);
  return lines;
}

/** @throws as {@link mapLines}; what they are in all is for the caller to compare */
export function linesIn(
  asked: SalesOrderPayload['lines'],
  parts: ReadonlyMap<string, readonly SqlRow[]>,
  { units }: LedgerSettings,
): { lines: LedgerLine[]; micros: bigint } {
  let total = 0n;
  const lines = asked.map(({ lineNo, sku, quantity, unitPrice }) => {
    const found = parts.get(sku.toUpperCase()) ?? [];
    if (found.length !== 1) return refuse(`line ${lineNo}: ${found.length} parts have the number ${sku}`);
    const part = found[0]!;
    if (part.obsolete === 'true') return refuse(`line ${lineNo}: ${sku} is obsolete`);
    const pieces = Object.hasOwn(units, part.unit ?? '')
      ? units[part.unit!]!
      : refuse(`line ${lineNo}: nobody mapped the unit "${part.unit}"`);
    if (quantity % pieces !== 0)
      return refuse(`line ${lineNo}: ${quantity} of ${sku} are no whole number of "${part.unit}" (${pieces})`);
    const micros = priceMicros(unitPrice) * BigInt(pieces);
    total += micros * BigInt(quantity / pieces);
    return {
      part,
      count: quantity / pieces,
      price: `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`,
    };
  });
  return { lines, micros: total };
}

function refuse(why: string): never {
  return fail('XD_VALUE_INVALID', why);
}

export function skuOf(partnumber: string): string {
  return partnumber.trim().toUpperCase();
}

export function piecesOf(unit: string | null | undefined, units: LedgerSettings['units'], place: string): number {
  const pieces = Object.hasOwn(units, unit ?? '') ? units[unit!] : undefined;
  if (pieces === undefined) throw new Unreadable('is a unit that nobody mapped', place, unit);
  return pieces;
}

export function wholeOf(text: string | null | undefined, place: string): number {
  if (!/^-?\d{1,10}$/.test(text ?? '')) throw new Unreadable('must be a whole number', place, text);
  return Number(text);
}

/**
 * What parties owe and may owe. Open invoices are the receivable that Tryton keeps; open orders are added up here, line by line, as its own
 * module `sale_credit_limit` adds them up, which may not be there. The limit is the one of `account_credit_limit`, where that is.
 */
import type { CreditReported, InboundItem } from '../../canonical/index.ts';
import {
  type ChangesBody,
  type CreditSource,
  creditItem,
  Fields,
  mapRecords,
  readOr,
  type Source,
  type SqlRow,
  scopes,
  snapshotSource,
  Unreadable,
} from '../kit/index.ts';
import { CONFIRMED, isChange } from './find.ts';
import type { Lookups } from './lookups.ts';
import { idOfReference } from './lookups.ts';
import type { Raw } from './map.ts';
import type { Tryton } from './rpc.ts';
import type { Settings } from './settings.ts';
import { decimalText, minorOf } from './values.ts';

export const ACCOUNTS_MAX = 100;
/** Sales of several hundred parties: more ids than this stand in no request. */
const IDS_MAX = 1_000;
const OPEN = [...CONFIRMED].filter((state) => state !== 'done');
/** Orders of the hub are `<channel>/<number>`. */
const ORDER = /^[^/]+\/.+$/;

/** What was read of some parties, as Tryton gave it. */
export interface CreditPage {
  parties: Raw[];
  sales: Raw[];
  /** Orders' sales that others were added to. */
  orders: Raw[];
  lines: Raw[];
  invoiced: Raw[];
  currency: unknown;
  /** Before anything of it was read. */
  at: string;
}

/** One party with what of it is open. */
export interface CreditRow {
  party: Raw;
  sales: Raw[];
  /** Lines of sales that were added to orders, as the hub names them. */
  added: string[];
  /** By line, what is on no posted invoice: units that were cancelled count as long as Tryton counts them. */
  open: { sale: unknown; quantity: number; unitPrice: unknown }[];
  currency: unknown;
  at: string;
}

export function joinCredit({ parties, sales, orders, lines, invoiced, currency, at }: CreditPage): CreditRow[] {
  const references = new Map(orders.map(({ id, reference }) => [id, String(reference ?? '')]));
  const bySale = Map.groupBy(lines, ({ sale }) => sale);
  const byLine = Map.groupBy(invoiced, ({ origin }) => idOfReference(origin, 'sale.line'));
  return parties.map((party) => {
    const own = sales.filter((sale) => sale.party === party.id);
    const open = own.flatMap((sale) =>
      (bySale.get(sale.id) ?? []).map((line) => ({
        ...{ sale: sale.id, unitPrice: line.unit_price },
        quantity: (byLine.get(Number(line.id)) ?? []).reduce(
          (rest, one) => rest - (one.unit === line.unit ? Number(one.quantity) : 0),
          Number(line.quantity),
        ),
      })),
    );
    const added = own.flatMap((sale) => {
      const order = references.get(idOfReference(sale.origin, 'sale.sale')) ?? '';
      if (!isChange(sale.reference) || !ORDER.test(order)) return [];
      return (bySale.get(sale.id) ?? []).flatMap(({ sequence }) =>
        Number.isSafeInteger(sequence) && Number(sequence) > 0 ? [`${order}#${String(sequence)}`] : [],
      );
    });
    return { party, sales: own, added, open, currency, at };
  });
}

/** @throws Unreadable where amounts are no amounts, or stand in another currency: nothing is converted here */
export function creditOf(row: CreditRow, of: { company: string; account: string }, place: string): CreditReported {
  const currency = new Fields({ code: row.currency }, place).currency('code');
  const foreign = row.sales.find((sale) => (sale['currency.'] as Raw | undefined)?.code !== currency);
  if (foreign !== undefined)
    throw new Unreadable(`has an open sale in another currency than ${currency}`, `${place}/sales`, foreign.reference);
  const { credit_limit_amount: limit, receivable } = row.party;
  const open = openMinor(row.open, place);
  const owed = receivable == null ? 0 : minorOf(receivable, `${place}/receivable`);
  return {
    kind: 'credit.reported',
    ...of,
    currency,
    limitMinor: limit == null ? null : Math.max(0, minorOf(limit, `${place}/credit_limit_amount`)),
    // More comes back than is open: what is left over is owed to them.
    openOrdersMinor: Math.max(0, open),
    openInvoicesMinor: owed + Math.min(0, open),
    asOf: row.at,
    orders: [...new Set(row.sales.map(({ reference }) => String(reference ?? '')))]
      .filter((reference) => ORDER.test(reference) && !isChange(reference))
      .sort(),
    ...(row.added.length > 0 && { orderLines: row.added.toSorted() }),
  };
}

/** Rounded once, half away from zero. */
function openMinor(lines: CreditRow['open'], place: string): number {
  let sum = 0n;
  for (const { quantity, unitPrice } of lines)
    sum += scaled(String(quantity), place) * scaled(decimalText(unitPrice, `${place}/unit_price`), place);
  const half = (UNIT * UNIT) / 200n;
  const minor = (sum < 0n ? -1n : 1n) * (((sum < 0n ? -sum : sum) + half) / ((UNIT * UNIT) / 100n));
  return Number(minor);
}

const DIGITS = 6;
const UNIT = 10n ** BigInt(DIGITS);

/** A decimal in millionths. */
function scaled(text: string, place: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d{1,15}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Unreadable('must be a decimal', place, text);
  const micros = BigInt(whole + fraction.slice(0, DIGITS).padEnd(DIGITS, '0'));
  return sign === '-' ? -micros : micros;
}

/**
 * Sales are read before what is owed: one that is confirmed or invoiced in between counts twice for a moment, and none is left out. Which
 * orders these amounts contain is told by the sales that were read.
 */
export async function readCredit(
  tryton: Tryton,
  lookups: Lookups,
  of: readonly unknown[],
  signal: AbortSignal,
): Promise<CreditPage> {
  const at = new Date().toISOString();
  const company = await tryton.company(signal);
  const sales = await tryton.search(
    'sale.sale',
    [
      ['company', '=', company],
      ['state', 'in', OPEN],
      ['party.code', 'in', of],
    ],
    ['party', 'reference', 'origin', 'currency.code'],
    signal,
  );
  const origins = sales.flatMap(({ reference, origin }) =>
    isChange(reference) ? [idOfReference(origin, 'sale.sale')] : [],
  );
  const orders =
    origins.length === 0 ? [] : await tryton.search('sale.sale', [['id', 'in', origins]], ['reference'], signal);
  const lines = await inParts(
    sales.map(({ id }) => id),
    (ids) =>
      tryton.search(
        'sale.line',
        [
          ['sale', 'in', ids],
          ['type', '=', 'line'],
        ],
        ['sale', 'sequence', 'quantity', 'unit', 'unit_price'],
        signal,
      ),
  );
  const invoiced = await inParts(
    lines.map(({ id }) => `sale.line,${Number(id)}`),
    (origins) =>
      tryton.search(
        'account.invoice.line',
        [
          ['origin', 'in', origins],
          ['invoice.state', 'in', ['posted', 'paid']],
        ],
        ['origin', 'quantity', 'unit'],
        signal,
      ),
  );
  const fields = ['code', 'receivable', ...((await lookups.hasCreditLimits(signal)) ? ['credit_limit_amount'] : [])];
  const parties = await tryton.search('party.party', [['code', 'in', of]], fields, signal);
  const [own] = await tryton.search('company.company', [['id', '=', company]], ['currency.code'], signal);
  return {
    parties,
    sales,
    orders,
    lines,
    invoiced,
    currency: (own?.['currency.'] as Raw | undefined)?.code ?? null,
    at,
  };
}

async function inParts<T>(keys: readonly T[], read: (part: readonly T[]) => Promise<Raw[]>): Promise<Raw[]> {
  const rows: Raw[] = [];
  for (let from = 0; from < keys.length; from += IDS_MAX) rows.push(...(await read(keys.slice(from, from + IDS_MAX))));
  return rows;
}

/** Each account as it stands now; one that Tryton has no party for, or whose amounts can't be told in one currency, is left out. */
export function creditSource(tryton: Tryton, lookups: Lookups, settings: Settings): CreditSource {
  return {
    accountsMax: ACCOUNTS_MAX,
    async ask(accounts, signal) {
      const own = accounts.filter(({ company }) => company === settings.companyCode);
      if (own.length === 0) return [];
      const codes = [...new Set(own.map(({ account }) => lookups.partyCode(account)))];
      const rows = new Map(
        joinCredit(await readCredit(tryton, lookups, codes, signal)).map((row) => [String(row.party.code), row]),
      );
      return own.flatMap(({ company, account }) => {
        const row = rows.get(lookups.partyCode(account));
        if (row === undefined) return [];
        try {
          return [creditOf(row, { company, account }, '/parties')];
        } catch (error) {
          if (error instanceof Unreadable) return [];
          throw error;
        }
      });
    },
  };
}

/**
 * All parties, compared with what was told: nothing in Tryton says whose credit changed. It computes receivables at each reading, so the
 * estate reads this feed as seldom as it can.
 */
export function creditFeed(
  tryton: Tryton,
  lookups: Lookups,
  settings: Settings,
  { system, accountOf }: { system: string; accountOf(code: string): string },
): Source {
  const { companyCode: company } = settings;
  return snapshotSource({
    feed: 'credit',
    key: ['code'],
    async read(signal) {
      const readAt = new Date().toISOString();
      const rows: SqlRow[] = [];
      for (let after = 0; ; ) {
        const domain = [
          ['id', '>', after],
          ['code', '!=', null],
        ];
        const page = await tryton.search('party.party', domain, ['code'], signal, {
          ...{ limit: ACCOUNTS_MAX, order: [['id', 'ASC']] },
        });
        const codes = page.map(({ code }) => code);
        if (page.length > 0)
          for (const row of joinCredit(await readCredit(tryton, lookups, codes, signal))) rows.push(textsOf(row));
        if (page.length < ACCOUNTS_MAX) return { rows, readAt };
        after = page.at(-1)!.id;
      }
    },
    map: (body) => mapCredit(body, system, company, accountOf),
  });
}

/** What is compared: no moment. */
function textsOf(row: CreditRow): SqlRow {
  const code = String(row.party.code);
  try {
    const { currency, limitMinor, openOrdersMinor, openInvoicesMinor, orders, orderLines } = creditOf(
      row,
      { company: '', account: code },
      `/${code}`,
    );
    const amounts = { limit: limitMinor === null ? null : String(limitMinor), openOrders: String(openOrdersMinor) };
    const named = { orders: orders!.join('\n'), orderLines: orderLines?.join('\n') ?? null };
    return { code, currency, ...amounts, openInvoices: String(openInvoicesMinor), ...named };
  } catch (error) {
    if (error instanceof Unreadable) return { code, unreadable: error.reason };
    throw error;
  }
}

export function mapCredit(
  { changes, readAt }: ChangesBody,
  system: string,
  company: string,
  accountOf: (code: string) => string,
): InboundItem[] {
  const told = changes.filter(({ rows }) => rows.length > 0);
  return mapRecords(told, '/changes', (raw, place) => {
    const { key, rows } = raw as ChangesBody['changes'][number];
    const { unreadable, orders, orderLines, limit } = rows[0]!;
    const keyOf = () => `${company}/${key[0]} ${readAt}`;
    return [
      readOr(raw, scopes.credit(system), keyOf, () => {
        if (unreadable != null) throw new Unreadable(unreadable, `${place}/rows/0`, key[0]);
        const row = new Fields(rows[0], `${place}/rows/0`);
        return creditItem(system, {
          kind: 'credit.reported',
          ...{ account: accountOf(row.text('code')), company, currency: row.currency('currency') },
          limitMinor: limit == null ? null : Number(limit),
          ...{ openOrdersMinor: Number(rows[0]!.openOrders), openInvoicesMinor: Number(rows[0]!.openInvoices) },
          asOf: readAt,
          orders: orders == null || orders === '' ? [] : orders.split('\n'),
          ...(orderLines != null && { orderLines: orderLines.split('\n') }),
        });
      }),
    ];
  });
}

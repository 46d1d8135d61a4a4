/** Feeds by (write_date, id). Each page brings along what its records refer to, so that its bytes alone say what it means. */
import type { InboundItem } from '../../canonical/index.ts';
import { cutDeep, type KeysetPage, keysetSource, type OwnReferences, type Place, type Source } from '../kit/index.ts';
import { creditFeed } from './credit.ts';
import { EVEN_INACTIVE, escaped, idOfReference, type Lookups } from './lookups.ts';
import {
  joinMoves,
  joinShipments,
  type MoveRow,
  type MovesPage,
  mapMoves,
  mapShipments,
  type Raw,
  type ShipmentRow,
  type ShipmentsPage,
} from './map.ts';
import {
  type InvoiceRow,
  type InvoicesPage,
  joinInvoices,
  joinOpportunities,
  mapInvoices,
  mapOpportunities,
  type OpportunitiesPage,
  type OpportunityRow,
} from './map-documents.ts';
import {
  joinPriceLists,
  joinProducts,
  mapAccountChanges,
  mapPriceLists,
  mapProductChanges,
  type PriceListRow,
  type PriceListsPage,
  type ProductsPage,
} from './map-records.ts';
import { listsOf, pricesIn, templateTimes } from './prices.ts';
import type { Domain, Tryton } from './rpc.ts';
import { OVERLAP_MS, type Settings } from './settings.ts';
import { datetimeOf, timeText } from './values.ts';

const PAGE_MAX = 500;
const ID_DIGITS = 12;

export interface Feeds {
  tryton: Tryton;
  lookups: Lookups;
  settings: Settings;
  system: string;
  channel: string | null;
  /** Which shipments and returns the hub asked for. */
  own: OwnReferences;
}

/** `write_date` is null until the first change; what a feed tells of new records, too, is read by `create_date` beside it. */
export type Time = 'write_date' | 'create_date';

/** What lies beyond a place. */
export function beyond(after: Place | undefined, since: string | undefined, time: Time = 'write_date'): Domain {
  if (after === undefined) return since === undefined ? [time, '!=', null] : [time, '>=', datetimeOf(since)];
  if (after.id === '') return [time, '>=', datetimeOf(after.at)];
  return [
    'OR',
    [[time, '>', datetimeOf(after.at)]],
    [
      [time, '=', datetimeOf(after.at)],
      ['id', '>', Number(after.id)],
    ],
  ];
}

export function placeOf(record: Raw, time: Time = 'write_date'): Place {
  return { at: timeText(record[time], `/${time}`), id: String(record.id).padStart(ID_DIGITS, '0') };
}

interface Feed<Page, Row> {
  feed: string;
  model: string;
  /** Default: write_date. All documents that we read were written at least once after they were created. */
  time?: Time;
  pageMax?: number;
  domain: (signal: AbortSignal) => Promise<unknown[]>;
  fields: string[] | ((signal: AbortSignal) => Promise<string[]>);
  /** Adds what the page's records refer to. */
  complete: (records: Raw[], signal: AbortSignal) => Promise<Page>;
  join: (page: Page) => Row[];
  map: (rows: readonly Row[]) => InboundItem[];
  recordOf: (row: Row) => Raw;
}

function feedOf<Page, Row>({ tryton, settings }: Feeds, options: Feed<Page, Row>): Source {
  const { feed, model, fields, complete, join, map, recordOf, time = 'write_date', pageMax = PAGE_MAX } = options;
  const order = [
    [time, 'ASC'],
    ['id', 'ASC'],
  ];
  return keysetSource({
    feed,
    pageMax,
    overlapMs: settings.overlapMs ?? OVERLAP_MS,
    async read(after, limit, signal): Promise<KeysetPage> {
      const domain = [
        ...(await options.domain(signal)),
        beyond(after, options.time === undefined ? settings.since : undefined, time),
      ];
      const names = typeof fields === 'function' ? await fields(signal) : fields;
      const records = await tryton.search(model, domain, [...names, time], signal, { limit, order });
      // Cut, so that a page can always be kept: what is nested without end can be read and not written.
      const page = cutDeep(await complete(records, signal)) as Page;
      const body = Buffer.from(JSON.stringify(page));
      const rows = new Map(join(page).map((row) => [recordOf(row).id, row]));
      return {
        body,
        contentType: 'application/json',
        // A record that leads to nothing keeps its place, so that the feed gets past it.
        rows: records.map((record) => ({ ...placeOf(record, time), raw: rows.get(record.id) })),
        more: records.length === limit,
      };
    },
    map: (rows) => map(rows.filter((row) => row !== undefined) as Row[]),
    rowsOf: (body) => join(JSON.parse(body.toString('utf8')) as Page),
  });
}

export function sources(feeds: Feeds): Source[] {
  const { tryton, lookups, settings, system, channel, own } = feeds;
  const company = async (signal: AbortSignal) => ['company', '=', await tryton.company(signal)];
  const saleLines = (ids: (number | null)[], fields: string[], signal: AbortSignal) =>
    some(tryton, 'sale.line', 'id', ids, fields, signal);

  const moves = feedOf<MovesPage, MoveRow>(feeds, {
    feed: 'moves',
    model: 'stock.move',
    domain: async (signal) => {
      const storages = [...(await lookups.warehouses(signal)).values()].map(({ storage }) => storage);
      return [
        await company(signal),
        ['state', '=', 'done'],
        ['OR', [['from_location', 'child_of', storages, 'parent']], [['to_location', 'child_of', storages, 'parent']]],
      ];
    },
    fields: ['from_location', 'to_location', 'product.code', 'internal_quantity', 'origin', 'shipment'],
    async complete(records, signal) {
      const warehouses = [...(await lookups.warehouses(signal))];
      const storages = Object.fromEntries(warehouses.map(([location, { storage }]) => [String(storage), location]));
      const kinds = ['stock.shipment.out', 'stock.shipment.out.return', 'stock.shipment.in', 'stock.shipment.internal'];
      const [locations, origins, ...shipments] = await Promise.all([
        records.length === 0
          ? []
          : tryton.search(
              'stock.location',
              [['parent', 'child_of', warehouses.map(([, w]) => w.storage), 'parent']],
              ['parent'],
              signal,
            ),
        some(
          tryton,
          'stock.move',
          'id',
          records.map(({ origin }) => idOfReference(origin, 'stock.move')),
          ['origin'],
          signal,
        ),
        ...kinds.map(async (kind) => {
          const ids = records.map(({ shipment }) => idOfReference(shipment, kind));
          const rows = await some(tryton, kind, 'id', ids, ['number', 'reference'], signal);
          return rows.map((row) => ({ ...row, ref: `${kind},${String(row.id)}` }));
        }),
      ]);
      const ids = [...records, ...origins].map(({ origin }) => idOfReference(origin, 'sale.line'));
      const lines = await saleLines(ids, ['sequence', 'sale.reference'], signal);
      return { moves: records, locations, shipments: shipments.flat(), origins, lines, storages };
    },
    join: joinMoves,
    map: (rows) => mapMoves(rows, system, own),
    recordOf: ({ move }) => move,
  });

  const shipments = feedOf<ShipmentsPage, ShipmentRow>(feeds, {
    feed: 'shipments',
    model: 'stock.shipment.out',
    domain: async (signal) => [await company(signal), ['state', '=', 'done'], ['reference', 'like', 'F%']],
    fields: async (signal) => [
      'number',
      'reference',
      ...((await lookups.travel(signal)).carrier ? ['carrier.rec_name'] : []),
    ],
    async complete(records, signal) {
      const domain = [
        ['shipment', 'in', records.map(({ id }) => `stock.shipment.out,${String(id)}`)],
        ['state', '=', 'done'],
        ['origin', 'like', 'sale.line,%'],
      ];
      const fields = ['shipment', 'origin', 'product.code', 'internal_quantity'];
      const out = records.length === 0 ? [] : await tryton.search('stock.move', domain, fields, signal);
      const lines = await saleLines(
        out.map(({ origin }) => idOfReference(origin, 'sale.line')),
        ['sequence'],
        signal,
      );
      const refs = records.map(({ id }) => `stock.shipment.out,${String(id)}`);
      return { shipments: records, moves: out, lines, ...(await travelFor(feeds, refs, signal)) };
    },
    join: joinShipments,
    map: (rows) => mapShipments(rows, system, own, settings.trackingNotes),
    recordOf: ({ shipment }) => shipment,
  });

  const invoices = feedOf<InvoicesPage, InvoiceRow>(feeds, {
    feed: 'invoices',
    model: 'account.invoice',
    domain: async (signal) => [await company(signal), ['type', '=', 'out'], ['state', 'in', ['posted', 'paid']]],
    fields: ['number', 'currency.code', 'invoice_date'],
    async complete(records, signal) {
      const ids = records.map(({ id }) => Number(id));
      const fields = ['invoice', 'origin', 'amount', 'quantity'];
      const lines = (await some(tryton, 'account.invoice.line', 'invoice', ids, [...fields, 'type'], signal)).filter(
        ({ type }) => type === 'line',
      );
      const of = await saleLines(
        lines.map(({ origin }) => idOfReference(origin, 'sale.line')),
        ['sequence', 'sale'],
        signal,
      );
      const sales = await some(
        tryton,
        'sale.sale',
        'id',
        of.map(({ sale }) => Number(sale)),
        ['reference', 'origin'],
        signal,
      );
      const origins = sales.map(({ origin }) => idOfReference(origin, 'sale.sale'));
      const orders = new Map(
        (await some(tryton, 'sale.sale', 'id', origins, ['reference'], signal)).map((row) => [row.id, row]),
      );
      const withOrigin = sales.map((sale) => ({
        ...sale,
        'origin.': orders.get(idOfReference(sale.origin, 'sale.sale')) ?? null,
      }));
      return { invoices: records, lines, saleLines: of, sales: withOrigin };
    },
    join: (page) => joinInvoices(page, own),
    map: (rows) => mapInvoices(rows, system),
    recordOf: ({ invoice }) => invoice,
  });
  const records = [
    ...recordFeeds(feeds),
    ...(settings.credit === true
      ? [creditFeed(tryton, lookups, settings, { system, accountOf: accountsOf(settings) })]
      : []),
  ];
  if (channel === null) return [moves, shipments, invoices, ...records];

  const opening = {
    channel,
    companyCode: settings.companyCode,
    accountOf: accountsOf(settings),
  };
  const opportunities = feedOf<OpportunitiesPage, OpportunityRow>(feeds, {
    feed: 'opportunities',
    model: 'sale.opportunity',
    domain: async (signal) => [await company(signal), ['state', 'in', ['converted', 'lost', 'cancelled']]],
    fields: ['number', 'state', 'sales'],
    async complete(records, signal) {
      const ids = records.flatMap(({ sales }) => (sales ?? []) as number[]);
      const fields = ['state', 'reference', 'party.code', 'currency.code', 'create_date'];
      const sales = await some(tryton, 'sale.sale', 'id', ids, fields, signal);
      const lineFields = ['sale', 'sequence', 'product.code', 'quantity', 'unit_price', 'type'];
      const lines = await some(tryton, 'sale.line', 'sale', ids, lineFields, signal);
      return { opportunities: records, sales, lines: lines.filter(({ type }) => type === 'line') };
    },
    join: joinOpportunities,
    map: (rows) => mapOpportunities(rows, opening),
    recordOf: ({ opportunity }) => opportunity,
  });
  return [moves, shipments, invoices, opportunities, ...records];
}

/** Parcels of shipments, from what this Tryton has to say of them. */
async function travelFor(
  { tryton, lookups, settings }: Feeds,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<Pick<ShipmentsPage, 'packages' | 'notes'>> {
  if (refs.length === 0) return {};
  const { packageFields } = await lookups.travel(signal);
  const packages = packageFields.includes('shipping_reference')
    ? await tryton.search('stock.package', [['shipment', 'in', refs]], ['shipment', ...packageFields], signal)
    : undefined;
  const { trackingNotes } = settings;
  const domain = [
    ['resource', 'in', refs],
    ['message', 'like', `${escaped(trackingNotes ?? '')}%`],
  ];
  const notes =
    trackingNotes === undefined ? undefined : await tryton.search('ir.note', domain, ['resource', 'message'], signal);
  return { ...(packages !== undefined && { packages }), ...(notes !== undefined && { notes }) };
}

/** Products with their list price, and parties: as changed, and as created. */
function recordFeeds(feeds: Feeds): Source[] {
  const { tryton, lookups, settings, system } = feeds;
  const company = { code: settings.companyCode };
  const accountOf = accountsOf(settings);
  const times: [suffix: string, time: Time][] = [
    ['', 'write_date'],
    ['_new', 'create_date'],
  ];
  return times.flatMap(([suffix, time]) => [
    feedOf<ProductsPage, Raw>(feeds, {
      feed: `products${suffix}`,
      model: 'product.template',
      time,
      domain: async () => [['type', '=', 'goods']],
      fields: ['name', 'default_uom.symbol', 'list_price', 'products'],
      async complete(templates, signal) {
        const ids = templates.flatMap(({ products }) => (products ?? []) as number[]);
        const variants = await some(tryton, 'product.product', 'id', ids, ['code', 'template'], signal);
        const domain = [['id', '=', await tryton.company(signal)]];
        const [own] =
          templates.length === 0 ? [] : await tryton.search('company.company', domain, ['currency.code'], signal);
        const currency = (own?.['currency.'] as Raw | undefined)?.code ?? null;
        const goods = variants.map(({ id }) => id as number);
        const named =
          goods.length > 0 && (await lookups.hasIdentifiers(signal))
            ? {
                identifiers: await some(
                  tryton,
                  'product.identifier',
                  'product',
                  goods,
                  ['product', 'type', 'code'],
                  signal,
                ),
              }
            : {};
        const lists = goods.length === 0 ? [] : await listsOf(tryton, null, signal);
        const listPrices = await pricesIn(tryton, lists, goods, signal);
        return { templates, variants, currency, ...named, listPrices };
      },
      join: joinProducts,
      map: (rows) => mapProductChanges(rows, { ...company, time, system, units: settings.units ?? { u: 'each' } }),
      recordOf: (row) => row,
    }),
    feedOf<PriceListsPage, PriceListRow>(feeds, {
      feed: `price_lists${suffix}`,
      model: 'product.price_list',
      // A list changes the prices of everything at once.
      pageMax: 1,
      time,
      domain: async (signal) => [['company', '=', await tryton.company(signal)]],
      fields: ['name'],
      async complete(records, signal) {
        const lists = await listsOf(tryton, idsOf(records), signal);
        const listPrices = await pricesIn(tryton, lists, null, signal);
        return { lists: records, listPrices, templates: await templateTimes(tryton, listPrices.prices, signal) };
      },
      join: joinPriceLists,
      map: (rows) => mapPriceLists(rows, { ...company, time, system, units: settings.units ?? { u: 'each' } }),
      recordOf: ({ list }) => list,
    }),
    feedOf<Raw[], Raw>(feeds, {
      feed: `accounts${suffix}`,
      model: 'party.party',
      time,
      // Those that were replaced by others are put away, and would vanish without a word.
      domain: async () => [['code', '!=', null], EVEN_INACTIVE],
      fields: [
        ...['code', 'name', 'active', 'replaced_by.code'],
        ...(settings.accountTerms === true ? ['customer_payment_term.name'] : []),
      ],
      complete: async (parties) => parties,
      join: (parties) => parties,
      map: (rows) => mapAccountChanges(rows, { ...company, time, system, accountOf, terms: settings.accountTerms }),
      recordOf: (row) => row,
    }),
  ]);
}

function idsOf(records: readonly Raw[]): number[] {
  return records.map(({ id }) => Number(id));
}

/** Our account of a party's code. */
function accountsOf(settings: Settings): (code: string) => string {
  const accounts = new Map(Object.entries(settings.accounts ?? {}).map(([account, code]) => [code, account]));
  return (code) => accounts.get(code) ?? code;
}

/** Records by the ids in one field; none are asked for where there are none. */
async function some(
  tryton: Tryton,
  model: string,
  field: string,
  ids: readonly (number | null)[],
  fields: string[],
  signal: AbortSignal,
): Promise<Raw[]> {
  // What is no id fails the whole call in Tryton's database, and all other records of the page with it.
  const wanted = [...new Set(ids.filter((id) => Number.isSafeInteger(id)))];
  return wanted.length === 0 ? [] : tryton.search(model, [[field, 'in', wanted]], fields, signal);
}

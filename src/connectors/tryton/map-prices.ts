/** Prices of lists by quantity. Pure: what the server's own formulas gave at each quantity comes with the page. */
import type { PriceTier } from '../../canonical/index.ts';
import { type Draft, Fields, readOr, recordItem, scopes, Unreadable } from '../kit/index.ts';
import type { Raw } from './map.ts';
import { decimalText, timeText, unitsOf } from './values.ts';

/** What a page needs to know of lists, as Tryton answered it. */
export interface ListPrices {
  lists: Raw[];
  lines: Raw[];
  /** Of one product in one list from one quantity on. */
  prices: Raw[];
}

export interface PricesOf {
  system: string;
  code: string;
  units?: Readonly<Record<string, string>>;
}

/** A line without a quantity, or from 0, is for every quantity. */
export function quantityMinOf(line: Raw): unknown {
  return line.quantity == null || line.quantity === 0 ? 1 : line.quantity;
}

/** Quantities at which the price of one product may change. Those that aren't whole are told where the price is read. */
export function quantitiesOf(lines: readonly Raw[], list: unknown): number[] {
  const from = lines.filter(({ price_list: of }) => of === list).map(quantityMinOf);
  const whole = from.filter((quantity): quantity is number => Number.isSafeInteger(quantity) && Number(quantity) > 0);
  return [...new Set([1, ...whole])].sort((a, b) => a - b);
}

/**
 * One item for each list that has a price of the product. Where the list says twice what is from one quantity on, or nothing from 1 (Tryton
 * silently takes the first, or the product's own price), the tiers are told as they stand: the hub sets them aside and says what to do.
 */
export function pricesOf(product: Raw, { lists, lines, prices }: ListPrices, of: PricesOf, place: string): Draft[] {
  return lists.flatMap((list) => {
    const at = `${place}/lists/${String(list.id)}`;
    const own = prices.filter((price) => price.list === list.id && price.id === product.id);
    // Not salable, or gone meanwhile.
    if (own.length === 0) return [];
    const scope = scopes.event('price.changed', of.system);
    const raw = { list, lines: lines.filter((line) => line.price_list === list.id), own };
    return [
      readOr(
        raw,
        scope,
        () => `${new Fields(product, at).sku('code')} in ${new Fields(list, at).text('name')}`,
        () => readPrices(product, raw, of, at),
      ),
    ];
  });
}

function readPrices(
  product: Raw,
  { list, lines, own }: { list: Raw; lines: Raw[]; own: Raw[] },
  { system, code: company, units = {} }: PricesOf,
  at: string,
): Draft {
  const priceAt = (quantity: number) => {
    const found = own.find((price) => price.quantity === quantity);
    if (found === undefined) throw new Unreadable('has no price', `${at}/${quantity}`, null);
    const text = decimalText(found.sale_price_uom, `${at}/${quantity}/sale_price_uom`);
    return new Fields({ sale_price_uom: text }, `${at}/${quantity}`).unitPrice('sale_price_uom');
  };
  const tiers = tiersOf(product, lines, at).map((quantityMin): PriceTier => {
    return { quantityMin, unitPrice: priceAt(quantityMin) };
  });
  const symbol = new Fields(own[0]!['sale_uom.'], `${at}/sale_uom.`).text('symbol');
  const unit = Object.hasOwn(units, symbol) ? units[symbol]! : symbol;
  return recordItem(system, {
    kind: 'price.changed',
    sku: new Fields(product, at).sku('code'),
    company,
    currency: new Fields(list, at).currency('currency'),
    unitPrice: tiers[0]?.unitPrice ?? priceAt(1),
    tiers,
    unit,
    priceList: new Fields(list, at).text('name', 80),
    changedAt: newestOf([product, list, ...lines], at),
  });
}

/** From which quantities on the list has a price for the product; as often as it says so. */
function tiersOf(product: Raw, lines: readonly Raw[], at: string): number[] {
  const general = lines.filter(({ product: of, category }) => of == null && category == null);
  const special = lines.filter(({ product: of }) => of === product.id);
  const byCategory = lines.filter(({ product: of, category }) => of == null && category != null);
  const from = (line: Raw) => unitsOf(quantityMinOf(line), `${at}/lines/${String(line.id)}/quantity`);
  // Of one reach each quantity may stand once. A line for the product itself beside one for all is meant so.
  const tiers = new Set([...general, ...special, ...byCategory].map(from));
  const twice = [general, special].flatMap((reach) => {
    const quantities = reach.map(from);
    return quantities.filter((quantity, index) => quantities.indexOf(quantity) !== index);
  });
  // Whether a line for a category is for this product only the server knows, and where no line is for it the product's own price holds.
  if (byCategory.length > 0 || tiers.size === 0) tiers.add(1);
  return [...tiers, ...new Set(twice)].sort((a, b) => a - b);
}

/** What a price is made of changes at several places: the newest of them. */
function newestOf(records: readonly Raw[], at: string): string {
  const times = records.flatMap((record) =>
    (['write_date', 'create_date'] as const).flatMap((name) =>
      record[name] == null ? [] : [timeText(record[name], `${at}/${name}`)],
    ),
  );
  const newest = times.sort().at(-1);
  if (newest === undefined) throw new Unreadable('is missing; it must be a tagged datetime', `${at}/write_date`, null);
  return `${newest.slice(0, 23)}Z`;
}

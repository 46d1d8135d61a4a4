/** Ids of things that Tryton names by id and we by code. Remembered, since they change once in a blue moon. */

import type { Row, Tryton } from './rpc.ts';
import type { Settings } from './settings.ts';

export interface Product {
  id: number;
  code: string;
  name: string;
  unit: number;
  taxes: number[];
}
export interface Party {
  id: number;
  code: string;
  invoiceAddress: number | null;
  deliveryAddress: number | null;
  paymentTerm: number | null;
  customerLocation: number | null;
  hasTaxRule: boolean;
}
export interface Warehouse {
  id: number;
  code: string;
  storage: number;
  output: number;
  input: number;
}

/** A domain that also finds what was put away. */
export const EVEN_INACTIVE = ['active', 'in', [true, false]];
/** One that replaced another may be replaced itself; a ring of them ends somewhere. */
const REPLACED_MAX = 8;
/** How long what was found is believed; what wasn't found is asked for again each time. */
const REMEMBERED_MS = 300_000;

/** Which fields there are. */
export interface Travel {
  carrier: boolean;
  packageFields: string[];
}

export class Lookups {
  readonly #tryton: Tryton;
  readonly #settings: Settings;
  #since = 0;
  readonly #products = new Map<string, Product>();
  readonly #currencies = new Map<string, number>();
  #warehouses: Promise<Map<string, Warehouse>> | undefined;
  #travel: Promise<Travel> | undefined;
  #identifiers: Promise<boolean> | undefined;
  /** Whether parties have a field: its modules say. */
  readonly #ofParties = new Map<string, Promise<boolean>>();

  constructor(tryton: Tryton, settings: Settings) {
    this.#tryton = tryton;
    this.#settings = settings;
  }

  /** The party's code in Tryton of an account of ours. */
  partyCode(account: string): string {
    return this.#settings.accounts?.[account] ?? account;
  }

  async products(skus: Iterable<string>, signal: AbortSignal): Promise<ReadonlyMap<string, Product>> {
    this.#forget();
    const missing = [...new Set(skus)].filter((sku) => !this.#products.has(sku));
    if (missing.length > 0) {
      const fields = ['code', 'rec_name', 'default_uom', 'account_category.customer_taxes_used'];
      // Codes that differ by case are one SKU; ilike without wildcards is equality that doesn't mind.
      const domain = ['OR', ...missing.map((sku) => [['code', 'ilike', escaped(sku)]])];
      for (const row of await this.#tryton.search('product.product', domain, fields, signal)) {
        const code = String(row.code);
        // Of the accounting category, which may have them from its parent.
        const category = row['account_category.'] as { customer_taxes_used?: unknown } | null | undefined;
        const taxes = Array.isArray(category?.customer_taxes_used) ? (category.customer_taxes_used as number[]) : [];
        const product = { id: row.id, code, name: String(row.rec_name), unit: Number(row.default_uom), taxes };
        this.#products.set(code.toUpperCase(), product);
      }
    }
    return this.#products;
  }

  /** Asked for each time: a party may have been replaced by another since, whose code is then found under its own and the old one. */
  async parties(accounts: Iterable<string>, signal: AbortSignal): Promise<ReadonlyMap<string, Party>> {
    const parties = new Map<string, Party>();
    const codes = [...new Set(accounts)].map((a) => this.partyCode(a));
    if (codes.length > 0) {
      const fields = [
        'code',
        'customer_payment_term',
        'customer_location',
        'customer_tax_rule',
        'active',
        'replaced_by',
      ];
      const found = await this.#tryton.search('party.party', [['code', 'in', codes], EVEN_INACTIVE], fields, signal);
      const rows = found.filter(({ active }) => active !== false);
      /** Codes that are gone, and the party that stands for each. */
      let gone = found.flatMap(({ code, replaced_by: by }) => (typeof by === 'number' ? [{ code, by }] : []));
      for (let hops = 0; gone.length > 0 && hops < REPLACED_MAX; hops += 1) {
        const domain = [['id', 'in', [...new Set(gone.map(({ by }) => by))]], EVEN_INACTIVE];
        const others = new Map(
          (await this.#tryton.search('party.party', domain, fields, signal)).map((r) => [r.id, r]),
        );
        const next: typeof gone = [];
        for (const { code, by } of gone) {
          const other = others.get(by);
          if (other === undefined) continue;
          if (typeof other.replaced_by === 'number') next.push({ code, by: other.replaced_by });
          else if (other.active !== false) rows.push({ ...other, code });
        }
        gone = next;
      }
      const domain = [['party', 'in', rows.map(({ id }) => id)]];
      const addresses = await this.#tryton.search('party.address', domain, ['party', 'invoice', 'delivery'], signal, {
        order: [
          ['sequence', 'ASC NULLS FIRST'],
          ['id', 'ASC'],
        ],
      });
      for (const row of rows) {
        const own = addresses.filter(({ party }) => party === row.id);
        parties.set(String(row.code), {
          id: row.id,
          code: String(row.code),
          invoiceAddress: (own.find(({ invoice }) => invoice === true) ?? own[0])?.id ?? null,
          deliveryAddress: (own.find(({ delivery }) => delivery === true) ?? own[0])?.id ?? null,
          paymentTerm: idOrNull(row.customer_payment_term),
          customerLocation: idOrNull(row.customer_location),
          hasTaxRule: row.customer_tax_rule != null,
        });
      }
    }
    return parties;
  }

  async currency(code: string, signal: AbortSignal): Promise<number | undefined> {
    if (!this.#currencies.has(code))
      for (const { id } of await this.#tryton.search('currency.currency', [['code', '=', code]], ['code'], signal))
        this.#currencies.set(code, id);
    return this.#currencies.get(code);
  }

  /** By our location. @throws XD_CONNECTOR_REFUSED naming a warehouse that isn't there */
  async warehouses(signal: AbortSignal): Promise<ReadonlyMap<string, Warehouse>> {
    this.#forget();
    this.#warehouses ??= this.#readWarehouses(signal).catch((error: unknown) => {
      this.#warehouses = undefined;
      throw error;
    });
    return this.#warehouses;
  }

  async #readWarehouses(signal: AbortSignal): Promise<Map<string, Warehouse>> {
    const fields = ['code', 'storage_location', 'output_location', 'input_location'];
    const rows = await this.#tryton.search('stock.location', [['type', '=', 'warehouse']], fields, signal);
    const found = new Map<string, Warehouse>();
    for (const [location, code] of Object.entries(this.#settings.warehouses)) {
      const row = rows.find((candidate) => candidate.code === code);
      if (row !== undefined)
        found.set(location, {
          id: row.id,
          code,
          storage: Number(row.storage_location),
          output: Number(row.output_location),
          input: Number(row.input_location),
        });
    }
    return found;
  }

  /**
   * What this Tryton has of how goods travel: its modules say, not its release. Without `stock_package` and `stock_package_shipping`
   * there are no tracking numbers, without `stock_shipment_cost` no carriers.
   */
  async travel(signal: AbortSignal): Promise<Travel> {
    this.#forget();
    this.#travel ??= this.#readTravel(signal).catch((error: unknown) => {
      this.#travel = undefined;
      throw error;
    });
    return this.#travel;
  }

  /** Whether products have codes of others beside their own: its release says. */
  async hasIdentifiers(signal: AbortSignal): Promise<boolean> {
    this.#forget();
    this.#identifiers ??= this.#has('product.product', ['identifiers'], signal).then(
      (found) => found.has('identifiers'),
      (error: unknown) => {
        this.#identifiers = undefined;
        throw error;
      },
    );
    return this.#identifiers;
  }

  /** Module `account_credit_limit`. */
  hasCreditLimits(signal: AbortSignal): Promise<boolean> {
    return this.#partiesHave('credit_limit_amount', signal);
  }

  /** Module `sale_price_list`. */
  hasPriceLists(signal: AbortSignal): Promise<boolean> {
    return this.#partiesHave('sale_price_list', signal);
  }

  #partiesHave(field: string, signal: AbortSignal): Promise<boolean> {
    this.#forget();
    const known = this.#ofParties.get(field);
    if (known !== undefined) return known;
    const asked = this.#has('party.party', [field], signal).then(
      (found) => found.has(field),
      (error: unknown) => {
        this.#ofParties.delete(field);
        throw error;
      },
    );
    this.#ofParties.set(field, asked);
    return asked;
  }

  async #has(model: string, fields: string[], signal: AbortSignal): Promise<Set<string>> {
    const found = await this.#tryton.ask(`model.${model}.fields_get`, [fields], signal);
    return new Set(Object.keys((found ?? {}) as object));
  }

  async #readTravel(signal: AbortSignal): Promise<Travel> {
    const has = (model: string, fields: string[]) => this.#has(model, fields, signal);
    const shipment = await has('stock.shipment.out', ['packages', 'carrier']);
    const names = ['shipping_reference', 'shipping_tracking_url'];
    const known = shipment.has('packages') ? await has('stock.package', names) : new Set<string>();
    return { carrier: shipment.has('carrier'), packageFields: names.filter((name) => known.has(name)) };
  }

  #forget(): void {
    if (performance.now() - this.#since < REMEMBERED_MS) return;
    this.#since = performance.now();
    this.#products.clear();
    this.#warehouses = undefined;
    this.#travel = undefined;
    this.#identifiers = undefined;
    this.#ofParties.clear();
  }
}

/** For (i)like: what is a wildcard there is itself here. */
export function escaped(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

export function idOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** `sale.line,12` of a reference field, when it is of that model. */
export function idOfReference(value: unknown, model: string): number | null {
  if (typeof value !== 'string' || !value.startsWith(`${model},`)) return null;
  const id = Number(value.slice(model.length + 1));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

export type { Row };

/** The buyer's and the merchant's side of the Medusa shop that test/peers starts, for live tests. Shares no code with the connector. */
import { join } from 'node:path';
import { readUp, stateFolder } from './lib/manager.ts';

export interface Seed {
  url: string;
  secretKey: string;
  publishableKey: string;
  salesChannels: { web: string; marketplace: string };
  region: string;
  locations: Record<string, { id: string; option: string }>;
}

export interface ShopItem {
  sku: string;
  inventory: string;
  variant: string;
  product: string;
}

/** The shop's answers, of which tests name what they need. */
// biome-ignore lint/suspicious/noExplicitAny: somebody else's JSON; what is not as expected fails the assertion on it
export type Json = Record<string, any>;

/** The shop's keys where it is up; otherwise why not. */
export async function shopUp(): Promise<{ seed: Seed; url: string } | string> {
  const folder = join(stateFolder(), process.env.MEDUSA_NAME ?? 'medusa');
  const seed = readUp(folder) as unknown as Seed | undefined;
  if (seed === undefined) return `no Medusa was started here (npm run peers -- up medusa)`;
  const url = process.env.MEDUSA_URL ?? seed.url;
  return (await answers(url)) ? { seed, url } : `Medusa does not answer at ${url}`;
}

export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

export class Shop {
  readonly seed: Seed;
  readonly url: string;
  constructor(seed: Seed, url: string) {
    this.seed = seed;
    this.url = url;
  }

  async #call(
    headers: Record<string, string>,
    method: string,
    path: string,
    body?: unknown,
    at = this.url,
  ): Promise<Json> {
    const res = await fetch(at + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await res.text();
    if (!res.ok) throw new Error(`${method} ${path} answered ${res.status} ${text.slice(0, 300)}`);
    return JSON.parse(text) as Json;
  }

  admin(method: string, path: string, body?: unknown): Promise<Json> {
    const basic = Buffer.from(`${this.seed.secretKey}:`).toString('base64');
    return this.#call({ authorization: `Basic ${basic}` }, method, path, body);
  }

  store(method: string, path: string, body?: unknown, at?: string): Promise<Json> {
    return this.#call({ 'x-publishable-api-key': this.seed.publishableKey }, method, path, body, at);
  }

  get east(): string {
    return this.seed.locations['DC-EAST']!.id;
  }
  get west(): string {
    return this.seed.locations['DC-WEST']!.id;
  }

  async item(sku: string): Promise<ShopItem> {
    const { inventory_items } = await this.admin('GET', `/admin/inventory-items?sku=${sku}&fields=id,sku`);
    const { variants } = await this.admin('GET', `/admin/product-variants?sku=${sku}&fields=id,sku,product_id`);
    return { sku, inventory: inventory_items[0].id, variant: variants[0].id, product: variants[0].product_id };
  }

  async levels(inventory: string): Promise<Record<string, { stocked: number; reserved: number }>> {
    const { inventory_item } = await this.admin('GET', `/admin/inventory-items/${inventory}?fields=*location_levels`);
    return Object.fromEntries(
      (inventory_item.location_levels as Json[]).map((level) => [
        level.location_id,
        { stocked: level.stocked_quantity, reserved: level.reserved_quantity },
      ]),
    );
  }

  async setStock(inventory: string, east: number, west: number): Promise<void> {
    const update = [
      { inventory_item_id: inventory, location_id: this.east, stocked_quantity: east },
      { inventory_item_id: inventory, location_id: this.west, stocked_quantity: west },
    ];
    await this.admin('POST', '/admin/inventory-items/location-levels/batch', { update });
  }

  /** A cart that lacks nothing but its completion. */
  async readyCart(lines: readonly { variant: string; quantity: number }[], email?: string): Promise<string> {
    const { cart } = await this.store('POST', '/store/carts', {
      region_id: this.seed.region,
      sales_channel_id: this.seed.salesChannels.web,
      email: email ?? `b${Math.random().toString(36).slice(2)}@example.com`,
      shipping_address: {
        first_name: 'Ada',
        last_name: 'Buyer',
        address_1: '1 Main St',
        city: 'Austin',
        country_code: 'us',
        postal_code: '73301',
      },
      items: lines.map(({ variant, quantity }) => ({ variant_id: variant, quantity })),
    });
    const option = this.seed.locations['DC-EAST']!.option;
    await this.store('POST', `/store/carts/${cart.id}/shipping-methods`, { option_id: option });
    const { payment_collection } = await this.store('POST', '/store/payment-collections', { cart_id: cart.id });
    const provider_id = 'pp_system_default';
    await this.store('POST', `/store/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id });
    return cart.id as string;
  }

  async complete(cart: string, at?: string): Promise<Json> {
    const answer = await this.store('POST', `/store/carts/${cart}/complete`, {}, at);
    if (answer.type !== 'order') throw new Error(`no order: ${JSON.stringify(answer.error).slice(0, 300)}`);
    return answer.order as Json;
  }
}

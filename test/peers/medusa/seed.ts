/** A fresh Medusa shop gets channels, locations, shipping, the SKUs and their stock, all through its admin API. */
import type { Keys } from '../lib/kind.ts';
import { centsOf, openingEast, openingWest, SKUS, skuOf, skus } from '../skus.ts';
import { medusaAdmin, medusaApi } from './client.ts';

const PRODUCTS_PER_CALL = 40;
const LEVELS_PER_CALL = 60;

export async function seedMedusa(url: string): Promise<Keys> {
  const count = Number(process.env.MEDUSA_SKUS ?? SKUS);
  const login = { email: 'admin@example.com', password: 'admin-pw' };
  const { token } = await medusaApi(url).post('/auth/user/emailpass', login);
  const user = medusaApi(url, { authorization: `Bearer ${token}` });
  const secretKey: string = (await user.post('/admin/api-keys', { title: 'crossdock', type: 'secret' })).api_key.token;
  const admin = medusaAdmin(url, secretKey);

  const web = (await admin.post('/admin/sales-channels', { name: 'Webshop' })).sales_channel.id;
  const marketplace = (await admin.post('/admin/sales-channels', { name: 'Marketplace' })).sales_channel.id;
  const region = await admin.post('/admin/regions', {
    name: 'North America',
    currency_code: 'usd',
    countries: ['us', 'ca'],
    payment_providers: ['pp_system_default'],
  });
  await admin.post('/admin/tax-regions', { country_code: 'us', provider_id: 'tp_system' });
  const profile =
    (await admin.get('/admin/shipping-profiles')).shipping_profiles[0] ??
    (await admin.post('/admin/shipping-profiles', { name: 'Default', type: 'default' })).shipping_profile;

  const east = await addLocation('DC-EAST', 'Newark', [web, marketplace]);
  const west = await addLocation('DC-WEST', 'Oakland', [web]);
  const store = (await admin.post('/admin/api-keys', { title: 'storefront', type: 'publishable' })).api_key;
  await admin.post(`/admin/api-keys/${store.id}/sales-channels`, { add: [web, marketplace] });

  const products = skus(count).map((n) => ({
    title: `Item ${skuOf(n)}`,
    handle: skuOf(n).toLowerCase(),
    status: 'published',
    shipping_profile_id: profile.id,
    sales_channels: [{ id: web }, { id: marketplace }],
    options: [{ title: 'Pack', values: ['Each'] }],
    variants: [
      {
        title: 'Each',
        sku: skuOf(n),
        manage_inventory: true,
        options: { Pack: 'Each' },
        prices: [{ currency_code: 'usd', amount: centsOf(n) / 100 }],
      },
    ],
  }));
  for (let n = 0; n < count; n += PRODUCTS_PER_CALL)
    await admin.post('/admin/products/batch', { create: products.slice(n, n + PRODUCTS_PER_CALL) });

  const items = (await admin.get(`/admin/inventory-items?limit=${count + 50}`)).inventory_items as {
    id: string;
    sku: string;
  }[];
  const levels = items.flatMap(({ id, sku }) => {
    const n = Number(sku.slice(4));
    return [
      { inventory_item_id: id, location_id: east.id, stocked_quantity: openingEast(n) },
      { inventory_item_id: id, location_id: west.id, stocked_quantity: openingWest(n) },
    ];
  });
  for (let n = 0; n < levels.length; n += LEVELS_PER_CALL)
    await admin.post('/admin/inventory-items/location-levels/batch', {
      create: levels.slice(n, n + LEVELS_PER_CALL),
      update: [],
      delete: [],
    });

  return {
    secretKey,
    publishableKey: store.token,
    salesChannels: { web, marketplace },
    region: region.region.id,
    locations: { 'DC-EAST': east, 'DC-WEST': west },
    products: count,
    levels: levels.length,
  };

  async function addLocation(name: string, city: string, channels: string[]): Promise<{ id: string; option: string }> {
    const address = { address_1: '1 Dock Rd', city, country_code: 'us' };
    const { id } = (await admin.post('/admin/stock-locations', { name, address })).stock_location;
    await admin.post(`/admin/stock-locations/${id}/sales-channels`, { add: channels });
    await admin.post(`/admin/stock-locations/${id}/fulfillment-providers`, { add: ['manual_manual'] });
    await admin.post(`/admin/stock-locations/${id}/fulfillment-sets`, { name: `${name} shipping`, type: 'shipping' });
    const [set] = (await admin.get(`/admin/stock-locations/${id}?fields=*fulfillment_sets`)).stock_location
      .fulfillment_sets;
    const zones = await admin.post(`/admin/fulfillment-sets/${set.id}/service-zones`, {
      name: `${name} NA`,
      geo_zones: ['us', 'ca'].map((country_code) => ({ type: 'country', country_code })),
    });
    const option = await admin.post('/admin/shipping-options', {
      name: `Ground from ${name}`,
      service_zone_id: zones.fulfillment_set.service_zones[0].id,
      shipping_profile_id: profile.id,
      provider_id: 'manual_manual',
      price_type: 'flat',
      type: { label: 'Ground', description: 'Ground', code: 'ground' },
      prices: [{ currency_code: 'usd', amount: 9 }],
      rules: [
        { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
        { attribute: 'is_return', value: 'false', operator: 'eq' },
      ],
    });
    return { id, option: option.shipping_option.id };
  }
}

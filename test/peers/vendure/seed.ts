/** A populated Vendure shop gets a second location, a second channel, the SKUs and their stock, through its admin API. */
import type { Keys } from '../lib/kind.ts';
import { centsOf, openingEast, openingWest, SKUS, skuOf, skus } from '../skus.ts';
import { vendureAdmin } from './client.ts';

const FAILED = '...on ErrorResult{errorCode message}';

export async function seedVendure(url: string): Promise<Keys> {
  const admin = await vendureAdmin(url);
  const found = await admin.ask(
    '{channels{items{id code token}} stockLocations{items{id}} zones{items{id}} taxCategories{items{id}}}',
  );
  const [first, east, zone, tax] = [
    ...[found.channels.items[0], found.stockLocations.items[0]],
    ...[found.zones.items[0].id, found.taxCategories.items[0].id],
  ];
  await admin.ask('mutation($i:UpdateStockLocationInput!){updateStockLocation(input:$i){id}}', {
    i: { id: east.id, name: 'DC-EAST' },
  });
  const west = await admin.ask('mutation($i:CreateStockLocationInput!){createStockLocation(input:$i){id}}', {
    i: { name: 'DC-WEST' },
  });
  const money = {
    defaultCurrencyCode: 'USD',
    availableCurrencyCodes: ['USD'],
    defaultTaxZoneId: zone,
    defaultShippingZoneId: zone,
  };
  await admin.ask(`mutation($i:UpdateChannelInput!){updateChannel(input:$i){__typename ${FAILED}}}`, {
    i: { id: first.id, ...money },
  });
  const marketplace = await admin.ask(
    `mutation($i:CreateChannelInput!){createChannel(input:$i){__typename ...on Channel{id token} ${FAILED}}}`,
    {
      i: {
        ...{ code: 'marketplace', token: 'marketplace-token', pricesIncludeTax: false },
        ...{ defaultLanguageCode: 'en', availableLanguageCodes: ['en'], ...money },
      },
    },
  );
  const count = Number(process.env.VENDURE_SKUS ?? SKUS);
  const ids: string[] = [];
  // One by one: ids stay in the order of the SKUs.
  for (const n of skus(count)) {
    const sku = skuOf(n);
    const product = await admin.ask('mutation($i:CreateProductInput!){createProduct(input:$i){id}}', {
      i: {
        enabled: true,
        translations: [{ languageCode: 'en', name: `Item ${sku}`, slug: sku.toLowerCase(), description: '' }],
      },
    });
    await admin.ask('mutation($i:[CreateProductVariantInput!]!){createProductVariants(input:$i){id}}', {
      i: [
        {
          ...{ productId: product.id, sku, price: centsOf(n), taxCategoryId: tax },
          ...{ trackInventory: 'TRUE', outOfStockThreshold: 0, useGlobalOutOfStockThreshold: false },
          translations: [{ languageCode: 'en', name: `Item ${sku}` }],
          stockLevels: [
            { stockLocationId: east.id, stockOnHand: openingEast(n) },
            { stockLocationId: west.id, stockOnHand: openingWest(n) },
          ],
        },
      ],
    });
    ids.push(product.id);
  }
  await admin.ask('mutation($i:AssignProductsToChannelInput!){assignProductsToChannel(input:$i){id}}', {
    i: { channelId: marketplace.id, productIds: ids, priceFactor: 1.12 },
  });
  return {
    stockLocations: { 'DC-EAST': east.id, 'DC-WEST': west.id },
    channels: { default: first.token, marketplace: marketplace.token },
    products: count,
  };
}

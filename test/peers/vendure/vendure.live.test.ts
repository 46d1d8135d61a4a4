/** What connectors rely on in the shop, asked of the shop itself. */
import { expect, it } from 'vitest';
import { live } from '../live.ts';
import { openingEast, openingWest, SKUS, skuOf, skus } from '../skus.ts';

const LEVELS =
  'query($n:Int!){productVariants(options:{take:100,skip:$n,sort:{sku:ASC}}){items{id sku stockLevels{stockLocationId stockOnHand stockAllocated}}}}';

interface Variant {
  id: string;
  sku: string;
  stockLevels: { stockLocationId: string; stockOnHand: number; stockAllocated: number }[];
}

live('Vendure', ['vendure'], ({ vendure }) => {
  it('has the SKUs with the stock they were seeded with', async () => {
    await vendure.reset();
    const admin = await vendure.vendureAdmin();
    const pages = [await admin.ask(LEVELS, { n: 0 }), await admin.ask(LEVELS, { n: 100 })];
    const places = vendure.keys.stockLocations as Record<string, string>;
    const at = (one: Variant, name: string) =>
      one.stockLevels.find((level) => level.stockLocationId === places[name])?.stockOnHand;
    const found = (pages as { items: Variant[] }[])
      .flatMap((page) => page.items)
      .map((one) => [one.sku, at(one, 'DC-EAST'), at(one, 'DC-WEST')]);
    expect(found).toEqual(skus(SKUS).map((n) => [skuOf(n), openingEast(n), openingWest(n)]));
  });

  it('lets more units be paid than there are when buyers come together', async () => {
    const admin = await vendure.vendureAdmin();
    const failed = '__typename ...on ErrorResult{errorCode message}';
    const [units, buyers] = [5, 12];
    const { items } = await admin.ask('{productVariants(options:{filter:{sku:{eq:"SKU-0010"}}}){items{id}}}');
    const places = vendure.keys.stockLocations as Record<string, string>;
    const stockLevels = [
      { stockLocationId: places['DC-EAST'], stockOnHand: units },
      { stockLocationId: places['DC-WEST'], stockOnHand: 0 },
    ];
    const input = { i: [{ id: items[0].id, stockLevels }] };
    await admin.ask('mutation($i:[UpdateProductVariantInput!]!){updateProductVariants(input:$i){id}}', input);
    const ready = [];
    for (let n = 0; n < buyers; n++) {
      const shop = vendure.vendureShop();
      const add = `mutation($v:ID!){addItemToOrder(productVariantId:$v,quantity:1){${failed}}}`;
      await shop.ask(add, { v: items[0].id });
      await shop.ask(`mutation($c:CreateCustomerInput!){setCustomerForOrder(input:$c){${failed}}}`, {
        c: { emailAddress: `buyer${n}@example.com`, firstName: 'Ada', lastName: 'Buyer' },
      });
      await shop.ask(`mutation($a:CreateAddressInput!){setOrderShippingAddress(input:$a){${failed}}}`, {
        a: { streetLine1: '1 Main St', city: 'Austin', postalCode: '73301', countryCode: 'US' },
      });
      const [method] = await shop.ask('{eligibleShippingMethods{id}}');
      await shop.ask(`mutation($m:[ID!]!){setOrderShippingMethod(shippingMethodId:$m){${failed}}}`, { m: [method.id] });
      await shop.ask(`mutation{transitionOrderToState(state:"ArrangingPayment"){${failed}}}`);
      ready.push(shop);
    }
    const pay = `mutation{addPaymentToOrder(input:{method:"standard-payment",metadata:{}}){${failed}}}`;
    const paid = (await Promise.allSettled(ready.map((shop) => shop.ask(pay)))).filter(
      (one) => one.status === 'fulfilled',
    );
    expect(paid.length).toBeGreaterThan(units);
  });
});

/** What connectors rely on in the ERP, asked of the ERP itself. */
import { expect, it } from 'vitest';
import { live } from '../live.ts';
import { SKUS, skuOf, skus } from '../skus.ts';

live('Tryton', ['tryton'], ({ tryton }) => {
  it('has the SKUs, three locations that ship, and a party for each shop', async () => {
    const session = await tryton.tryton();
    // Other files make products of their own in the same Tryton.
    const products = await session.searchRead('product.product', [['code', 'like', 'SKU-%']], ['code']);
    expect(products.map((one: { code: string }) => one.code).sort()).toEqual(skus(SKUS).map(skuOf));
    const codes = (await session.searchRead('stock.location', [['type', '=', 'warehouse']], ['code'])) as {
      code: string;
    }[];
    expect(codes.map(({ code }) => code).sort()).toEqual(['3PL-CHI', 'DC-EAST', 'DC-WEST']);
    const shops = await session.searchRead('party.party', [['code', 'in', ['SHOP-MEDUSA', 'SHOP-VENDURE']]], ['id']);
    expect(shops).toHaveLength(2);
  });

  it('takes the same reference twice: a create that is sent again makes a second order', async () => {
    const session = await tryton.tryton();
    const [party] = await session.searchRead('party.party', [['code', '=', 'CUST-0001']], ['addresses']);
    const reference = 'twice/1';
    const order = {
      ...{ party: party.id, reference, company: tryton.keys.company, currency: tryton.keys.currency },
      ...{ invoice_address: party.addresses[0], shipment_address: party.addresses[0] },
    };
    for (const _ of [1, 2]) await session.model('sale.sale', 'create', [order]);
    expect(await session.searchRead('sale.sale', [['reference', '=', reference]], ['state'])).toHaveLength(2);
  });

  it('forgets what was written when it is reset', async () => {
    await tryton.reset();
    const session = await tryton.tryton();
    expect(await session.searchRead('sale.sale', [], ['id'])).toEqual([]);
  });
});

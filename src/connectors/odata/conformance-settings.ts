/** What an estate declares of the systems of `conformance.ts`. */
import type { OdataSettings } from './settings.ts';

const keyset = { kind: 'keyset', overlapMs: 120_000, id: 'Id' } as const;

const salesOrder: NonNullable<OdataSettings['deliveries']>[string] = {
  ...{ set: 'Orders', reference: 'CustomerReference' },
  body: {
    jsonata: `{'SoldToParty': account, 'Currency': currency,
      'to_Item': {'results': [lines.{'Material': sku, 'RequestedQuantity': $string(quantity)}]}}`,
  },
  answer: { fields: { number: '/Id' } },
};

const linesOf = (set: string): NonNullable<OdataSettings['deliveries']>[string] => ({
  ...{ set, reference: 'CustomerReference' },
  body: {
    jsonata: `{'SalesOrder': order, 'to_Item': {'results': [lines.{'Item': lineNo, 'AddsTo': addsTo, 'Material': sku,
      'Quantity': $string(quantity)}]}}`,
  },
  answer: { fields: { number: '/Id' } },
});

const stock: NonNullable<OdataSettings['availability']> = {
  ...{ set: 'Stock', key: 'Material', filter: "Plant eq '1010'", quantity: 'Number' },
  body: { fields: { Number: { from: '/quantity', as: 'decimal' } } },
};

/** @param url of the system, which gives its tokens itself */
export function settings(url: string, pageMax: number): OdataSettings {
  return {
    version: '4',
    auth: { kind: 'oauth2', tokenUrl: `${url}/oauth/token`, clientId: 'hub', client: 'body' },
    batch: { form: 'json', itemsMax: 20 },
    feeds: {
      orders: {
        ...{ kind: 'order', set: 'SalesOrders', filter: 'State eq 1', pageMax },
        // SQL Server sorts guids in its own way.
        paging: { ...keyset, at: 'ModifiedOn', idType: 'guid', ties: 'time' },
        map: {
          fields: {
            number: '/OrderNo',
            company: { value: 'uk' },
            account: '/Customer/AccountNumber',
            currency: '/Currency',
            orderedAt: { from: '/CreatedOn', as: 'time' },
          },
          lists: {
            lines: {
              from: '/Lines',
              fields: {
                lineNo: { from: '/LineNo', as: 'integer' },
                sku: { from: '/Product', as: 'sku' },
                quantity: { from: '/Quantity', as: 'quantity' },
                unitPrice: { from: '/Price', as: 'decimal' },
              },
            },
          },
        },
      },
      accounts: {
        ...{ kind: 'account', set: 'Accounts', pageMax, paging: { ...keyset, at: 'ModifiedOn' } },
        map: {
          fields: {
            account: '/AccountNumber',
            company: { value: 'uk' },
            name: '/Name',
            changedAt: { from: '/ModifiedOn', as: 'time' },
          },
        },
      },
      movements: {
        ...{ kind: 'movement', set: 'Movements', pageMax, paging: { kind: 'delta', id: 'Id' } },
        map: {
          fields: {
            id: '/Id',
            movement: '/Type',
            sku: { from: '/Material', as: 'sku' },
            location: '/Place',
            quantity: { from: '/Quantity', as: 'quantity' },
            reference: '/Reference',
            at: { from: '/PostedAt', as: 'time' },
          },
        },
      },
      products: {
        ...{ kind: 'product', set: 'Products', pageMax },
        paging: { kind: 'pages', id: 'Id', at: 'ChangedAt', overlapMs: 120_000 },
        map: { fields: { sku: '/Product', unit: '/BaseUnit', changedAt: { from: '/ChangedAt', as: 'time' } } },
      },
    },
    deliveries: {
      sales_order: salesOrder,
      order_change: linesOf('OrderAdditions'),
      order_cancellation: linesOf('OrderCancellations'),
    },
    availability: stock,
    prices: {
      ...{ set: 'Prices', key: 'Material' },
      body: { fields: { Price: '/unitPrice', Currency: '/currency' } },
      same: { fields: { unitPrice: { from: '/Price', as: 'decimal' }, currency: '/Currency' } },
    },
    orderStatus: {
      ...{ set: 'OrderStates', key: 'OrderNo', body: { fields: { Note: '/status' } } },
      same: { fields: { status: '/Note' } },
    },
  };
}

export function settingsV2(pageMax: number): OdataSettings {
  return {
    version: '2',
    auth: { kind: 'basic', user: 'HUB' },
    ...{ csrf: true, merge: 'tunnel', batch: { form: 'multipart', itemsMax: 20 } },
    feeds: {
      products: {
        ...{ kind: 'product', set: 'A_Product', pageMax, paging: { ...keyset, at: 'ChangedAt' } },
        map: { fields: { sku: '/Product', unit: '/BaseUnit', changedAt: { from: '/ChangedAt', as: 'time' } } },
      },
      documents: {
        ...{ kind: 'document', set: 'A_BillingDocument', pageMax, paging: { kind: 'pages', id: 'Id' } },
        map: {
          fields: {
            document: { from: '/Type', table: 'types' },
            number: '/BillingDocument',
            order: '/Order',
            currency: '/Currency',
            totalMinor: { from: '/Total', as: 'minor' },
            at: { from: '/PostedAt', as: 'time' },
          },
          lists: {
            lines: {
              from: '/Items/results',
              fields: {
                lineNo: { from: '/Line', as: 'integer' },
                quantity: { from: '/Quantity', as: 'quantity' },
                amountMinor: { from: '/Amount', as: 'minor' },
              },
            },
          },
          tables: { types: { codes: { F2: 'invoice', G2: 'credit_note' } } },
        },
      },
    },
    deliveries: { sales_order: salesOrder },
    availability: stock,
  };
}

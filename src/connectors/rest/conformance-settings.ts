/** What an estate declares of the systems of `conformance.ts`. */
import { laterFeeds } from './conformance-later.ts';
import type { RestSettings } from './settings.ts';

type Settings = RestSettings;

/** @param url of the system, which gives its tokens itself */
export function settings(url: string, clientId: string, pageMax: number): Settings {
  const lines = { from: '/goods', fields: { lineNo: '/line', sku: '/sku', quantity: '/quantity' } };
  return {
    auth: { kind: 'oauth2', tokenUrl: `${url}/oauth/token`, clientId },
    feeds: {
      orders: {
        ...{ kind: 'order', path: '/orders', list: '/data', pageMax },
        query: { changed_from: '{at}', after: '{id}', limit: '{limit}' },
        paging: { kind: 'keyset', at: '/changed', id: '/id', ties: 'id', overlapMs: 120_000 },
        map: {
          fields: {
            number: '/no',
            company: { value: 'uk' },
            account: '/buyer/code',
            currency: '/cur',
            orderedAt: { from: '/created', as: 'time' },
          },
          lists: {
            lines: {
              from: '/rows',
              fields: {
                lineNo: { from: '/pos', as: 'integer' },
                sku: { from: '/item', as: 'sku' },
                quantity: { from: '/n', unit: '/uom', as: 'quantity' },
                unitPrice: { from: '/net', as: 'decimal' },
              },
            },
            charges: {
              from: '/extras',
              fields: {
                ...{ kind: { from: '/type', table: 'charges' }, code: '/code' },
                amountMinor: { from: '/amount', as: 'minor' },
              },
            },
            taxes: {
              from: '/vat',
              fields: {
                lineNo: { from: '/pos', as: 'integer', optional: true },
                charge: { from: '/extra', as: 'integer', optional: true },
                ...{ code: '/code', rate: '/rate' },
                baseMinor: { from: '/of', as: 'minor' },
                taxMinor: { from: '/amount', as: 'minor' },
              },
            },
          },
          tables: { charges: { codes: { CARRIAGE: 'freight', BONUS: 'allowance' } } },
          units: { PCE: '1' },
        },
      },
      prices: {
        ...{ kind: 'price', path: '/price-changes', list: '/data', pageMax, query: { from: '{at}', limit: '{limit}' } },
        paging: {
          ...{ kind: 'keyset', at: '/changed', id: '/id', ties: 'time', numericIds: true },
          ...{ form: 'local', overlapMs: 120_000 },
        },
        map: {
          fields: {
            sku: { from: '/sku', as: 'sku' },
            company: { value: 'uk' },
            currency: '/currency',
            unitPrice: { from: '/net', as: 'decimal' },
            changedAt: { from: '/changed', as: 'time', zone: 'UTC' },
          },
        },
      },
      movements: {
        ...{ kind: 'movement', path: '/movements', list: '/items', pageMax },
        query: { page: '{page}', size: '{limit}', since: '{since}' },
        paging: { kind: 'page', id: '/id', more: '/hasMore', change: { at: '/changed', overlapMs: 120_000 } },
        map: movementMap,
      },
      shipments: {
        ...{ kind: 'shipped', path: '/shipments', list: '/list', pageMax, query: { token: '{token}' } },
        paging: { kind: 'token', id: '/id', next: '/next' },
        map: {
          fields: {
            id: '/id',
            reference: '/fulfilment',
            at: { from: '/left', as: 'time', zone: 'Europe/Berlin' },
            shipment: '/parcel',
            tracking: { from: '/tracking', optional: true },
          },
          lists: { lines },
        },
      },
      ...laterFeeds(pageMax),
    },
    deliveries: {
      sales_order: {
        write: {
          path: '/orders/import',
          body: { fields: { ref: '/reference', buyer: '/account', total: { from: '/totalMinor', as: 'any' } } },
          key: '/ref',
          answer: { fields: { number: '/no' } },
        },
        locate: { path: '/orders/import', query: { refs: '{keys}' }, list: '/data', key: '/ref' },
        answer: { fields: { number: '/no' } },
      },
      order_change: {
        write: {
          path: '/orders/additions',
          body: {
            jsonata:
              '{"ref": reference, "order": order, "rows": lines.{"pos": lineNo, "item": sku, "n": quantity, "of": addsTo}}',
          },
          batch: { itemsMax: 20, list: '/items', results: '/results', key: '/ref', ...codes },
        },
        locate: { path: '/orders/additions/find', body: { jsonata: '{"refs": [keys]}' }, list: '/data', key: '/ref' },
      },
      order_cancellation: {
        write: {
          path: '/orders/cancellations',
          body: { jsonata: '{"ref": reference, "order": order, "rows": lines.{"pos": lineNo, "n": quantity}}' },
          batch: { itemsMax: 20, list: '/items', results: '/results', key: '/ref', ...codes },
        },
        locate: {
          path: '/orders/cancellations/find',
          body: { jsonata: '{"refs": [keys]}' },
          list: '/data',
          key: '/ref',
        },
      },
      shipment_posting: {
        write: {
          path: '/postings',
          body: { fields: { ref: '/reference', order: '/order', at: '/shippedAt' } },
          batch: { itemsMax: 20, list: '/items', results: '/results', key: '/ref', ...codes },
        },
        locate: { path: '/postings/find', body: { jsonata: '{"refs": [keys]}' }, list: '/data', key: '/ref' },
      },
    },
    availability: {
      write: {
        path: '/stock',
        body: { jsonata: '{"sku": sku, "expected": from, "level": quantity}' },
        batch: { itemsMax: 20, list: '/items', results: '/results', key: '/sku', ...codes },
      },
      readBack: { path: '/stock', query: { skus: '{keys}' }, list: '/data', key: '/sku' },
      quantity: '/level',
    },
    prices: {
      write: {
        ...{ method: 'PUT', path: '/prices/{key}', key: '/sku' },
        body: { fields: { price: '/unitPrice', currency: '/currency' } },
      },
      readBack: { path: '/prices', query: { skus: '{keys}' }, list: '/data', key: '/sku' },
      same: { fields: { unitPrice: { from: '/price', as: 'decimal' }, currency: '/currency' } },
    },
    orderStatus: {
      write: { method: 'PATCH', path: '/orders/{key}/state', key: '/no', body: { fields: { state: '/status' } } },
      readBack: { path: '/orders/states', query: { nos: '{keys}' }, list: '/data', key: '/no' },
      same: { fields: { status: '/state' } },
    },
    hint: { header: 'X-Signature', encoding: 'hex', prefix: 'sha256=' },
    probe: { path: '/ping', has: '/release' },
  };
}

const codes = { status: '/code', confirmed: ['ok'], conflict: ['conflict'], refused: ['bad'], message: '/text' };

const movementMap: NonNullable<Settings['feeds']>[string]['map'] = {
  fields: {
    id: '/id',
    movement: '/what',
    sku: { from: '/sku', as: 'sku' },
    location: '/place',
    quantity: { from: '/quantity', as: 'quantity' },
    reference: '/reference',
    at: { from: '/booked', as: 'time' },
  },
};

export function further(pageMax: number): Settings {
  return {
    auth: { kind: 'apiKey', in: 'header', name: 'X-Api-Key' },
    feeds: {
      movements: {
        ...{ kind: 'movement', path: '/movements', list: '/items', pageMax },
        query: { offset: '{offset}', limit: '{limit}', since: '{since}' },
        paging: { kind: 'offset', id: '/id', change: { at: '/changed', overlapMs: 120_000 } },
        map: movementMap,
      },
      documents: {
        ...{ kind: 'document', path: '/documents', list: '', pageMax },
        paging: { kind: 'link', id: '/id', recheck: true },
        map: {
          fields: {
            document: { from: '/type', table: 'documents' },
            number: '/number',
            order: '/order',
            currency: '/currency',
            totalMinor: { from: '/total', as: 'minor' },
            at: { from: '/posted', as: 'time' },
          },
          lists: {
            lines: {
              from: '/rows',
              fields: {
                lineNo: { from: '/line', as: 'integer' },
                quantity: { from: '/quantity', as: 'quantity' },
                amountMinor: { from: '/amount', as: 'minor' },
              },
            },
          },
          tables: { documents: { codes: { INV: 'invoice', CRN: 'credit_note' } } },
        },
      },
    },
    probe: { path: '/ping', has: '/release' },
  };
}

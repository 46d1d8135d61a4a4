import { defineEstate, env } from 'crossdock';

/**
 * An American hardware wholesaler: Tryton owns product, price, credit, stock and orders; a Medusa and a Vendure shop sell the same
 * stock, and the ERP's opportunities become orders. See the README beside it.
 */

const locations = ['EAST', 'WEST'];
const sells = { company: 'HW', sells: 'by_itself', numberMeans: 'net_available', locations, tolerance: 0.2 } as const;

export default defineEstate({
  name: 'tryton-medusa-vendure',
  companies: {
    HW: { currency: 'USD', timeZone: 'America/New_York' },
  },
  locations: {
    EAST: { company: 'HW', region: 'east', priority: 1 },
    WEST: { company: 'HW', region: 'west', priority: 2 },
  },
  systems: {
    erp: {
      connector: 'tryton',
      url: env('TRYTON_URL'),
      token: env('TRYTON_TOKEN'),
      settings: {
        user: 'crossdock',
        companyCode: 'HW',
        warehouses: { EAST: 'DC-EAST', WEST: 'DC-WEST' },
        trackingNotes: 'Tracking:',
      },
      limits: { callsPerSecond: 30, concurrency: 3, timeoutMs: 60_000 },
      effectHorizonMs: 5_000,
      pollMs: 1_000,
      pollMsMax: 10_000,
    },
    medusa: {
      connector: 'medusa',
      url: env('MEDUSA_URL'),
      token: env('MEDUSA_KEY'),
      webhookSecret: env('MEDUSA_WEBHOOK_SECRET'),
      settings: {
        company: 'HW',
        account: 'SHOP-MEDUSA',
        locations: { EAST: process.env.MEDUSA_EAST ?? '', WEST: process.env.MEDUSA_WEST ?? '' },
      },
      limits: { callsPerSecond: 15, concurrency: 3, timeoutMs: 20_000 },
      effectHorizonMs: 5_000,
      pollMs: 1_000,
      pollMsMax: 15_000,
    },
    vendure: {
      connector: 'vendure',
      url: env('VENDURE_URL'),
      token: env('VENDURE_PASSWORD'),
      webhookSecret: env('VENDURE_WEBHOOK_SECRET'),
      settings: {
        company: 'HW',
        account: 'SHOP-VENDURE',
        user: 'superadmin',
        locations: ['DC-EAST', 'DC-WEST'],
        settlePayments: true,
      },
      limits: { callsPerSecond: 30, concurrency: 3, timeoutMs: 20_000 },
      effectHorizonMs: 5_000,
      pollMs: 1_000,
      pollMsMax: 15_000,
    },
  },
  channels: {
    // Half of what is free for each: neither can be oversold by the other.
    // What a shop sold beyond that by itself is taken back there, or sent as something else.
    medusa: { ...sells, system: 'medusa', share: 0.5, onOversold: { policy: 'cancel' } },
    vendure: {
      ...sells,
      system: 'vendure',
      share: 0.5,
      onOversold: { policy: 'substitute', otherwise: 'backorder' },
    },
    crm: { company: 'HW', system: 'erp', sells: 'asks', locations },
  },
  routing: { orders: 'erp', fulfilment: 'erp', accounts: 'erp' },
});

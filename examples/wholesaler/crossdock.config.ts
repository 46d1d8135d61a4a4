import { defineEstate, env } from 'crossdock';

/** A British gift wholesaler: one company, three locations, five systems, four ways to sell. See the README beside it. */

const token = env('SIM_TOKEN');
const pollMs = 100;
const effectHorizonMs = 1_000;
const limits = { callsPerSecond: 400, concurrency: 4, timeoutMs: 2_000 };
const common = { token, pollMs, effectHorizonMs, limits };
const locations = ['LON', 'MAN', 'GLA'];

export default defineEstate({
  name: 'wholesaler',
  companies: {
    UK: { currency: 'GBP', timeZone: 'Europe/London' },
  },
  locations: {
    LON: { company: 'UK', region: 'south', priority: 1 },
    MAN: { company: 'UK', region: 'north', priority: 2 },
    GLA: { company: 'UK', region: 'scotland', priority: 3 },
  },
  systems: {
    erp: { connector: 'sim-erp', url: env('ERP_URL'), ...common },
    crm: { connector: 'sim-crm', url: env('CRM_URL'), ...common },
    wms: { connector: 'sim-wms', url: env('WMS_URL'), ...common },
    shop: { connector: 'sim-shop', url: env('SHOP_URL'), webhookSecret: env('SHOP_WEBHOOK_SECRET'), ...common },
    marketplace: { connector: 'sim-marketplace', url: env('MARKETPLACE_URL'), ...common },
  },
  channels: {
    // The two that sell by themselves may believe 0.35 and 0.3 of what is free; the rest is there for those who ask.
    shop: {
      company: 'UK',
      system: 'shop',
      sells: 'by_itself',
      numberMeans: 'net_available',
      locations,
      share: 0.35,
      tolerance: 0.3,
    },
    marketplace: {
      company: 'UK',
      system: 'marketplace',
      sells: 'by_itself',
      numberMeans: 'on_hand',
      locations,
      share: 0.3,
      tolerance: 0.3,
    },
    crm: { company: 'UK', system: 'crm', sells: 'asks', locations },
    api: { company: 'UK', sells: 'asks', locations },
  },
  routing: { orders: 'erp', fulfilment: 'wms', accounts: 'crm' },
  // What holds while a system is away: `crossdock drill erp-away --minutes 10` shows it.
  degradedModes: {
    erp: { afterSeconds: 60, acceptOrderMinorMax: 2_000_00 },
    wms: { afterSeconds: 300, marginUnits: 1, marginPercent: 5 },
    crm: { afterSeconds: 300 },
  },
  holds: {
    credit: { owner: 'credit control', dueMinutes: 240 },
    price: { owner: 'sales desk', dueMinutes: 120 },
    manual: { owner: 'sales desk' },
    degraded: { owner: 'sales desk', dueMinutes: 60 },
  },
  freshness: {
    'availability:shop': { targetMs: 2_000 },
    'availability:marketplace': { targetMs: 2_000 },
    'sales_order:erp': { targetMs: 5_000 },
    'fulfilment:wms': { targetMs: 5_000 },
    'order_status:crm': { targetMs: 5_000 },
    'order_status:shop': { targetMs: 5_000 },
    'order_status:marketplace': { targetMs: 5_000 },
    'price:shop': { targetMs: 10_000 },
    'price:marketplace': { targetMs: 10_000 },
  },
});

import { defineEstate } from '../../src/estate/index.ts';

export const SKUS = 5_000;

export function skuCode(n: number): string {
  return `S${String(n).padStart(5, '0')}`;
}

export const availabilityEstate = defineEstate({
  name: 'bench',
  companies: { ACME: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: {
    NORTH: { company: 'ACME', region: 'UK', priority: 1 },
    SOUTH: { company: 'ACME', region: 'UK', priority: 2 },
  },
  systems: {},
  channels: { DIRECT: { company: 'ACME', sells: 'asks', locations: ['NORTH', 'SOUTH'] } },
  routing: {},
});

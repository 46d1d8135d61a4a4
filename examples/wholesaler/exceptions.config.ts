import { defineEstate } from 'crossdock';
import wholesaler from './crossdock.config.ts';

/**
 * The same wholesaler with rules for what goes otherwise: credit, prices, substitutes, goods that are not found or come back. `npm start -- --mutate`
 * runs it with buyers that change their minds.
 */
const { systems, channels, locations } = wholesaler;
const shown = { settings: { showsChanges: true } };
const inspected = { returns: { inspect: true } };

export default defineEstate({
  ...wholesaler,
  locations: Object.fromEntries(
    Object.entries(locations).map(([code, location]) => [code, { ...location, ...inspected }]),
  ),
  systems: {
    ...systems,
    shop: { ...systems.shop!, ...shown },
    marketplace: { ...systems.marketplace!, ...shown },
  },
  channels: {
    ...channels,
    // Who sells by itself has been paid at the price it showed.
    shop: { ...channels.shop!, prices: { check: 'accept' } },
    marketplace: { ...channels.marketplace!, prices: { check: 'accept' } },
    // Salespeople may go a good way below the list; callers of the API only so far that a slip of the ERP is seen.
    crm: {
      ...channels.crm!,
      credit: 'check',
      prices: { check: 'accept' },
      onShortPick: { policy: 'resource', otherwise: 'backorder' },
    },
    api: {
      ...channels.api!,
      credit: 'check',
      prices: { check: 'hold', tolerancePercent: '300' },
      substitutes: 'allow',
      onShortPick: { policy: 'resource', otherwise: 'cancel' },
    },
  },
  holds: { credit: { owner: 'credit desk' }, price: { owner: 'sales desk' } },
  credit: { onOver: 'hold', freshMs: 60_000 },
});

/** A channel with what it does not declare filled in. */
import type { DeclaredEstate } from './declared-estate.ts';
import type { ChannelCharging, ChannelEntry, DeclaredCharging, LocationEntry } from './entries.ts';
import { channelSourcing } from './sourcing.ts';

export function channelEntryOf(
  id: Pick<ChannelEntry, 'channelId' | 'code' | 'companyId'>,
  declared: DeclaredEstate['channels'][string],
  estate: DeclaredEstate,
  locations: readonly LocationEntry[],
): ChannelEntry {
  return {
    ...id,
    system: declared.system ?? null,
    sellsByItself: declared.sells === 'by_itself',
    numberMeans: declared.numberMeans ?? 'net_available',
    locationIds: [...locations]
      .sort((a, b) => a.priority - b.priority || a.locationId - b.locationId)
      .map((location) => location.locationId),
    share: declared.share ?? 1,
    cap: declared.cap ?? null,
    buffer: declared.buffer ?? 0,
    horizonDays: declared.horizonDays ?? 0,
    tolerance: declared.tolerance ?? 0,
    onShort: declared.onShort ?? 'backorder',
    onShortPick: {
      policy: declared.onShortPick?.policy ?? 'resource',
      otherwise: declared.onShortPick?.otherwise ?? 'backorder',
    },
    onOversold: {
      policy: declared.onOversold?.policy,
      otherwise: declared.onOversold?.otherwise ?? (declared.onShort === 'refuse' ? 'cancel' : 'backorder'),
    },
    sharedRisk: declared.risk === 'shared',
    holdsQuantities: declared.onOrderRule === 'hold',
    soldIn: new Map(Object.entries(declared.soldIn ?? {}).map(([sku, unit]) => [sku.toUpperCase(), unit])),
    reservationMaxSeconds: declared.reservationMaxSeconds ?? 3600,
    substitutes: declared.substitutes ?? 'never',
    ...channelSourcing(declared, estate),
    prices: {
      check: declared.prices?.check ?? 'off',
      tolerancePercent: declared.prices?.tolerancePercent ?? '0',
      toleranceMinor: declared.prices?.toleranceMinor ?? 0,
      list: declared.prices?.list ?? null,
    },
    checksCredit: declared.credit === 'check',
    returns: declared.returns ?? null,
    tax: declared.tax === undefined ? null : { toleranceMinor: 0, ...declared.tax },
    charging: chargingOf(declared.charges),
  };
}

function chargingOf({ freight, other, restockingFee: fee }: DeclaredCharging = {}): ChannelCharging {
  const keep = { onCancel: 'keep', onReturn: 'keep' } as const;
  return {
    freight: { ...keep, ...freight },
    other: { ...keep, ...other },
    restockingFee: fee === undefined ? null : { code: 'RESTOCKING', exceptReasons: [], ...fee },
  };
}

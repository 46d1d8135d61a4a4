import { explainAvailability, explainPast } from '../../api/index.ts';
import { fail } from '../../canonical/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** What both explanations have in common; the one of now says more. */
export interface Explained {
  sku: string;
  channel: string;
  asOf?: string;
  at?: string;
  atp: number | null;
  unproven?: string[];
  rule: { sells: string; locations: string[]; share: number; buffer: number; cap: number | null; formula: string };
  locations: {
    location: string;
    served: boolean;
    onHand: number | null;
    reserved: number | null;
    allocated: number | null;
    exposed: number | null;
    safetyStock: number | null;
    outsideDeducted: number | null;
    free?: number;
  }[];
  numbers?: { channel: string; shown: number | null; sending: number | null; readBackAt: string | null }[];
  exposures?: { channel: string; location: string; quantity: number }[];
  reservations?: {
    open: { reservationId: string; channel: string; location: string; quantity: number; expiresAt: string }[];
  };
  allocations?: {
    truncated: boolean;
    open: { order: string; lineNo: number; location: string; quantity: number; fulfilment: string | null }[];
  };
  outside?: {
    open: {
      source: string;
      location: string;
      order: string | null;
      lineNo: number | null;
      open: number;
      ours: number | null;
      deducted: number;
    }[];
  };
  backorders?: { units: number; orders: number };
  supply?: {
    promisable: number;
    announced: {
      supply: string;
      location: string;
      quantity: number;
      received: number;
      committed: number;
      dueAt: string;
      counted: boolean;
    }[];
  };
  movements?: {
    kind: string;
    location: string;
    quantity: number;
    effect: number;
    source: string;
    occurredAt: string;
  }[];
  freshness?: {
    sources: { system: string; feed: string; readToEndAt: string | null; ageMs: number | null }[];
    published: { destination: string; told: boolean; confirmedAt: string | null; error: string | null }[];
  };
}

export async function explain(
  { db, directory }: Opened,
  code: string,
  options: { channel: string; at?: string },
): Promise<Explained> {
  const channel = directory.channels.get(options.channel);
  if (channel === undefined)
    fail(
      'XD_UNKNOWN_CHANNEL',
      `no channel ${options.channel}; there are ${[...directory.channels.keys()].join(', ')}`,
      { place: 'channel' },
    );
  const sku = code.toUpperCase();
  await directory.loadSkus([sku]);
  const skuId = directory.findSkuId(sku);
  if (skuId === undefined) fail('XD_UNKNOWN_SKU', `no SKU ${code}`, { place: 'sku' });
  if (options.at === undefined) return (await explainAvailability({ db, directory }, channel, skuId)) as Explained;
  if (!TIME.test(options.at) || Number.isNaN(Date.parse(options.at)))
    fail('XD_VALUE_INVALID', `--at must be a time such as 2026-03-02T09:00:00Z, not ${options.at}`, { place: 'at' });
  return (await explainPast({ db, directory }, channel, skuId, new Date(options.at).toISOString())) as Explained;
}

export function explained(e: Explained): string {
  const { rule } = e;
  const parts = [
    `${e.sku} in ${e.channel} ${e.at === undefined ? `as of ${e.asOf}` : `as it was known at ${e.at}`}: ${e.atp ?? 'not proven'}`,
    `rule: ${rule.formula}`,
    `      locations ${rule.locations.join(', ')}; share ${rule.share}, buffer ${rule.buffer}, cap ${rule.cap ?? 'none'}`,
    table(
      ['location', 'on hand', 'reserved', 'allocated', 'exposed', 'safety', 'outside', 'free', ''],
      e.locations.map((l) => [
        l.location,
        l.onHand,
        l.reserved,
        l.allocated,
        l.exposed,
        l.safetyStock,
        l.outsideDeducted,
        l.free,
        l.served ? '' : 'not served',
      ]),
    ),
  ];
  const section = (name: string, heads: string[], rows: (string | number | null)[][] | undefined) => {
    if (rows !== undefined && rows.length > 0) parts.push(`${name}\n${table(heads, rows).replace(/^/gm, '  ')}`);
  };
  section(
    'numbers shown',
    ['channel', 'shown', 'on its way', 'read back'],
    e.numbers?.map((n) => [n.channel, n.shown, n.sending, n.readBackAt]),
  );
  section(
    'set aside',
    ['channel', 'location', 'units'],
    e.exposures?.map((x) => [x.channel, x.location, x.quantity]),
  );
  section(
    'holds',
    ['reservation', 'channel', 'location', 'units', 'until'],
    e.reservations?.open.map((r) => [r.reservationId, r.channel, r.location, r.quantity, r.expiresAt]),
  );
  section(
    `allocations${e.allocations?.truncated ? ' (the first)' : ''}`,
    ['order', 'line', 'location', 'units', 'fulfilment'],
    e.allocations?.open.map((a) => [a.order, a.lineNo, a.location, a.quantity, a.fulfilment]),
  );
  section(
    'allocated by other systems',
    ['source', 'order', 'line', 'location', 'open', 'ours', 'deducted'],
    e.outside?.open.map((x) => [x.source, x.order, x.lineNo, x.location, x.open, x.ours, x.deducted]),
  );
  if (e.backorders !== undefined)
    parts.push(`backorders: ${e.backorders.units} units in ${e.backorders.orders} orders`);
  section(
    `to come: ${e.supply?.promisable} of it may be promised`,
    ['supply', 'location', 'units', 'received', 'committed', 'due', 'inside the horizon'],
    e.supply?.announced.map((s) => [
      s.supply,
      s.location,
      s.quantity,
      s.received,
      s.committed,
      s.dueAt,
      s.counted ? 'yes' : 'no',
    ]),
  );
  section(
    'latest movements',
    ['kind', 'location', 'units', 'effect', 'source', 'at'],
    e.movements?.map((m) => [m.kind, m.location, m.quantity, m.effect, m.source, m.occurredAt]),
  );
  section(
    'sources',
    ['system', 'feed', 'read to the end', 'age ms'],
    e.freshness?.sources.map((s) => [s.system, s.feed, s.readToEndAt, s.ageMs]),
  );
  section(
    'told',
    ['destination', 'newest', 'confirmed', 'error'],
    e.freshness?.published.map((p) => [p.destination, p.told ? 'yes' : 'no', p.confirmedAt, p.error]),
  );
  for (const reason of e.unproven ?? []) parts.push(`not proven: ${reason}`);
  return parts.join('\n');
}

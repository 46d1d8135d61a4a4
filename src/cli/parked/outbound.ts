/** Parked deliveries and publications: how they are named, listed and shown. What is done with them is the outbound room's. */
import { InvalidArgumentError } from 'commander';
import {
  getDelivery,
  getPublication,
  listParkedDeliveries,
  listParkedPublications,
  type ParkedDelivery,
  type ParkedPublication,
  type PublicationName,
  replayDelivery,
  replayPublication,
  resolveDelivery,
  resolvePublication,
} from '../../outbound/index.ts';
import type { Database } from '../../store/index.ts';
import { table } from '../table.ts';

/** What an id of `parked ls` names. */
export type Named = { record: number } | { delivery: number } | { publication: PublicationName };
export type NamedOutbound = Exclude<Named, { record: number }>;

/** `17`, `delivery/17`, `publication/shop/price/17`. */
export function named(text: string): Named {
  const record = /^\d{1,15}$/.exec(text);
  if (record !== null) return { record: Number(text) };
  const delivery = /^delivery\/(\d{1,15})$/.exec(text);
  if (delivery !== null) return { delivery: Number(delivery[1]) };
  const publication = /^publication\/([^/]+)\/([^/]+)\/(\d{1,15})$/.exec(text);
  if (publication !== null)
    return {
      publication: { destination: publication[1]!, kind: publication[2]!, key: Number(publication[3]) },
    };
  throw new InvalidArgumentError('must be an id of parked ls: 17, delivery/17 or publication/shop/price/17');
}

export function idOf(one: NamedOutbound): string {
  if ('delivery' in one) return `delivery/${one.delivery}`;
  const { destination, kind, key } = one.publication;
  return `publication/${destination}/${kind}/${key}`;
}

export interface Outbound {
  deliveries: ParkedDelivery[];
  publications: ParkedPublication[];
}

/** Those that are parked now; of a class when that is `parked` or `refused`, and none of any other. */
export async function listOutbound(
  db: Database,
  { class: kind, system, limit }: { class?: string; system?: string; limit: number },
): Promise<Outbound> {
  const state = kind === undefined ? null : kind === 'parked' || kind === 'refused' ? kind : undefined;
  if (state === undefined) return { deliveries: [], publications: [] };
  const common = { system: system ?? null, limit };
  return {
    deliveries: await listParkedDeliveries(db, { ...common, state }),
    publications: state === 'refused' ? [] : await listParkedPublications(db, common),
  };
}

export function namesOf({ deliveries, publications }: Outbound): NamedOutbound[] {
  return [
    ...deliveries.map(({ deliveryId }) => ({ delivery: deliveryId })),
    ...publications.map(({ destination, kind, key }) => ({ publication: { destination, kind, key } })),
  ];
}

export function outboundListed({ deliveries, publications }: Outbound): string[] {
  const rows = [
    ...deliveries.map((d) => [
      idOf({ delivery: d.deliveryId }),
      d.state,
      d.destination,
      `${d.kind} ${d.reference}`,
      d.recordedAt.toISOString(),
      d.holdsUp,
      d.error?.slice(0, 120),
    ]),
    ...publications.map((p) => [
      idOf({ publication: p }),
      p.state,
      p.destination,
      `${p.kind} ${p.what ?? p.key}`,
      p.changedAt.toISOString(),
      0,
      p.error?.slice(0, 120),
    ]),
  ];
  return rows.length === 0 ? [] : [table(['id', 'class', 'system', 'what', 'since', 'holds up', 'reason'], rows)];
}

export function showOutbound(db: Database, one: NamedOutbound): Promise<ParkedDelivery | ParkedPublication> {
  return 'delivery' in one ? getDelivery(db, one.delivery) : getPublication(db, one.publication);
}

export function replayOutbound(db: Database, one: NamedOutbound): Promise<ParkedDelivery | ParkedPublication> {
  return 'delivery' in one ? replayDelivery(db, one.delivery) : replayPublication(db, one.publication);
}

export function resolveOutbound(
  db: Database,
  one: NamedOutbound,
  resolution: string,
): Promise<ParkedDelivery | ParkedPublication> {
  return 'delivery' in one
    ? resolveDelivery(db, one.delivery, resolution)
    : resolvePublication(db, one.publication, resolution);
}

/** Every field as a line; what is an object, indented. */
export function outboundShown(one: NamedOutbound, shown: ParkedDelivery | ParkedPublication): string {
  const lines = Object.entries(shown)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const isObject = typeof value === 'object' && !(value instanceof Date);
      const text =
        value instanceof Date ? value.toISOString() : isObject ? JSON.stringify(value, null, 2) : String(value);
      return isObject ? `  ${name}\n${text.replace(/^/gm, '    ')}` : `  ${name.padEnd(16)} ${text}`;
    });
  return [idOf(one), ...lines].join('\n');
}

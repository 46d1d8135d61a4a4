/**
 * I9, from what each system kept in the order in which it was told: the truth of a system shows only the newest. The states it
 * was told are judged along the machine (I8) in the same pass.
 */
import { truth } from '../pages.ts';
import { rows } from './hub.ts';
import type { Machine } from './machine.ts';
import { journalOf, type World } from './world.ts';

/** The last thing that a system was told of a key. */
interface Last {
  version: number;
  status: string | undefined;
}
interface Entry {
  do?: string;
  id?: string;
  number?: string;
  sku?: string;
  reference?: string;
  fulfilment?: string;
  version?: number;
  status?: string;
}

const ACTS = ['upsert', 'status', 'price', 'cancellation', 'change', 'return', 'cancel'];

export async function judgeVersions(world: World, machine: Machine): Promise<void> {
  const { I8, I9 } = world.promises;
  const { cancellations, cancels, changes } = world.seen;
  const held = new Map<string, number>();
  for (const system of ['crm', 'shop', 'marketplace', 'erp', 'wms'] as const) {
    const last = new Map<string, Last>();
    for await (const entry of journalOf<Entry>(world, system, ACTS)) {
      if (entry.do === 'cancellation') count(cancellations, entry.reference!);
      if (entry.do === 'change' && system === 'erp') count(changes, entry.reference!);
      if (entry.do === 'cancel') count(cancels, entry.reference!);
      const told = versionOf(entry);
      if (told === undefined) continue;
      const { key, version } = told;
      I9.look('versions told');
      const before = last.get(key);
      if (before === undefined) I9.look('keys');
      else if (version < before.version)
        I9.wrong(`${system}: ${key} went back from version ${before.version} to ${version}`);
      const { status } = entry;
      if (status !== undefined) {
        I8.look('states told');
        const from = before?.status;
        if (!machine.next.has(status)) I8.wrong(`${system}: ${key} was told ${status}, which is no state`);
        else if (from !== undefined && from !== status && !machine.next.get(from)?.has(status))
          I8.wrong(`${system}: ${key} was told ${status} after ${from}`);
      }
      last.set(key, { version, status });
    }
    if (system !== 'erp' && system !== 'wms') await judgeHeld(world, system, last, held);
  }
  await judgePublications(world, held);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What is told in versions. Documents about an order, and cancels of a fulfilment, end with the version of the fact they tell. */
function versionOf({ do: what, id, number, sku, reference, fulfilment, version }: Entry) {
  switch (what) {
    case 'upsert':
      return { key: `order ${id}`, version: version! };
    case 'status':
      return { key: `order ${number}`, version: version! };
    case 'price':
      return { key: `price of ${sku}`, version: version! };
    case 'cancellation':
    case 'change':
    case 'return': {
      const parts = /^[ACR]\/(\d+)\/(\d+)$/.exec(reference!);
      return parts === null ? undefined : { key: `documents of order ${parts[1]}`, version: Number(parts[2]) };
    }
    case 'cancel':
      return { key: `cancels of ${fulfilment}`, version: Number(reference!.slice(reference!.lastIndexOf('/') + 1)) };
    default:
      return undefined;
  }
}

/** Each endpoint shows the newest it was told. @param held version by publication, to be filled */
async function judgeHeld(
  { names, urls, seen, promises: { I9 } }: World,
  system: 'crm' | 'shop' | 'marketplace',
  last: ReadonlyMap<string, Last>,
  held: Map<string, number>,
): Promise<void> {
  const judge = (name: string, version: number): void => {
    I9.same('versions held', `${system}: version of ${name}`, last.get(name)?.version ?? 0, version);
  };
  for (const [key, version] of seen.orders[system]) {
    judge(`order ${key}`, version);
    const reference = system === 'crm' ? key : `${system}/${key}`;
    held.set(`${system}/order_status/${names.byReference.get(reference)?.orderId}`, version);
  }
  if (system === 'crm') return;
  const skuIds = new Map([...names.skus].map(([id, code]) => [code, id]));
  for await (const { key, version } of truth<{ key: string; version: number }>(urls[system], 'prices')) {
    judge(`price of ${key}`, version);
    held.set(`${system}/price/${skuIds.get(key)}`, version);
  }
}

/** What the hub calls confirmed is what the endpoint holds, or older. */
async function judgePublications(
  { client, names, promises: { I9 } }: World,
  held: ReadonlyMap<string, number>,
): Promise<void> {
  type Row = {
    destination: number;
    kind: string;
    key: number;
    version: number;
    confirmed: number;
    sending: number | null;
  };
  const publications = `select destination_id as destination, kind, key, version, confirmed_version as confirmed,
                               sending_version as sending from publication`;
  for await (const { destination, kind, key, version, confirmed, sending } of rows<Row>(client, publications)) {
    I9.look('publications');
    const name = `${names.destinations.get(destination)}/${kind}/${key}`;
    if (confirmed > version || (sending ?? 0) > version)
      I9.wrong(`publication ${name}: confirmed ${confirmed}, sending ${sending}, beyond version ${version}`);
    // A number has no version at the other end. Of a SKU without a price there is nothing to tell.
    const there = held.get(name);
    if (kind === 'availability' || (there === undefined && kind === 'price')) continue;
    if ((there ?? 0) < confirmed)
      I9.wrong(`publication ${name}: confirmed ${confirmed}, the endpoint holds ${there ?? 'nothing'}`);
    if ((there ?? 0) > version) I9.wrong(`publication ${name}: the endpoint holds ${there}, beyond version ${version}`);
  }
}

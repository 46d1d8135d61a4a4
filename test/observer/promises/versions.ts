/**
 * I9, from what each system kept in the order in which it was told: the truth of a system shows only the newest. The states it
 * was told are judged along the machine (I8) in the same pass.
 */
import { truth } from '../pages.ts';
import { rows } from './hub.ts';
import type { Machine } from './machine.ts';
import { journalOf, type SystemName, type World } from './world.ts';

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

export async function judgeVersions(world: World, machine: Machine): Promise<void> {
  const { I8, I9 } = world.promises;
  for (const system of ['crm', 'shop', 'marketplace', 'erp', 'wms'] as const) {
    const last = new Map<string, Last>();
    for await (const entry of journalOf<Entry>(world, system)) {
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
    await judgeHeld(world, system, last);
  }
  await judgePublications(world);
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
    case 'return': {
      const parts = /^[CR]\/(\d+)\/(\d+)$/.exec(reference!);
      return parts === null ? undefined : { key: `documents of order ${parts[1]}`, version: Number(parts[2]) };
    }
    case 'cancel':
      return { key: `cancels of ${fulfilment}`, version: Number(reference!.slice(reference!.lastIndexOf('/') + 1)) };
    default:
      return undefined;
  }
}

/** Each endpoint shows the newest it was told. */
async function judgeHeld(world: World, system: SystemName, last: ReadonlyMap<string, Last>): Promise<void> {
  const { urls, promises } = world;
  const { I9 } = promises;
  if (system === 'erp' || system === 'wms') return;
  type Held = { key: string; version?: number; statusVersion?: number };
  const judge = async (kind: string, nameOf: (key: string) => string): Promise<void> => {
    for await (const held of truth<Held>(urls[system], kind)) {
      const name = nameOf(held.key);
      const version = held.statusVersion ?? held.version ?? 0;
      I9.same('versions held', `${system}: version of ${name}`, last.get(name)?.version ?? 0, version);
    }
  };
  await judge('orders', (key) => `order ${key}`);
  if (system !== 'crm') await judge('prices', (key) => `price of ${key}`);
}

/** What the hub calls confirmed is what the endpoint holds, or older. */
async function judgePublications({ client, names, urls, promises: { I9 } }: World): Promise<void> {
  const held = new Map<string, number>();
  for await (const { key, version } of truth<{ key: string; version: number }>(urls.crm, 'orders'))
    held.set(`crm/order_status/${names.byReference.get(key)?.orderId}`, version);
  const skuIds = new Map([...names.skus].map(([id, code]) => [code, id]));
  for (const system of ['shop', 'marketplace'] as const) {
    for await (const { key, statusVersion } of truth<{ key: string; statusVersion: number }>(urls[system], 'orders'))
      held.set(`${system}/order_status/${names.byReference.get(`${system}/${key}`)?.orderId}`, statusVersion);
    for await (const { key, version } of truth<{ key: string; version: number }>(urls[system], 'prices'))
      held.set(`${system}/price/${skuIds.get(key)}`, version);
  }
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

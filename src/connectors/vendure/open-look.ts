/** Looks at everything that is open: changes that no time tells are handed over. */
import type { Shop } from './client.ts';
import { GATE } from './doubtful.ts';
import { readOpenOrders } from './levels.ts';
import { ORDER_FIELDS } from './map.ts';
import { joined, type OpenLook } from './source.ts';

const BY_ID = `query ($ids: [String!]) {
  orders(options: { filter: { id: { in: $ids } }, take: 100 }) { totalItems items { ${ORDER_FIELDS} } }
}`;
const IDS_MAX = 100;

/** How soon after one look the next may be, and when it is due though nothing says so. */
const PAUSE_MS = 1_000;

export interface OpenLookOptions {
  /** Without a sign of a change a look comes this often; changes that the shop's people make leave none. */
  everyMs: number;
  now?: () => number;
}

export function openLook(shop: Shop, options: OpenLookOptions): OpenLook {
  const { everyMs, now = () => performance.now() } = options;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let sign = '';
  let handed = new Map<string, string>();
  let given: { name: string; changes: Map<string, string> } | undefined;

  return {
    async look(taken, signal) {
      if (given?.name === taken) handed = new Map([...handed, ...given.changes]);
      given = undefined;
      const since = now() - lookedAt;
      if (since < PAUSE_MS) return undefined;
      const { data } = await shop.ask(GATE, {}, signal);
      const seen = JSON.stringify(data);
      if (seen === sign && since < everyMs) return undefined;
      lookedAt = now();
      const open = await readOpenOrders(shop, signal);
      sign = seen;
      for (const id of handed.keys()) if (!open.changed.has(id)) handed.delete(id);
      const fresh = new Map([...open.changed].filter(([id, change]) => handed.get(id) !== change));
      if (fresh.size === 0) return undefined;
      const bodies: Buffer[] = [];
      const ids = [...fresh.keys()];
      for (let from = 0; from < ids.length; from += IDS_MAX)
        bodies.push((await shop.ask(BY_ID, { ids: ids.slice(from, from + IDS_MAX) }, signal)).body);
      given = { name: String(Date.now()), changes: fresh };
      return { name: given.name, body: joined(bodies) };
    },
  };
}

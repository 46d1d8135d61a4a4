import { channel } from './channel.ts';
import { countOf, eachFound, eachItem, type Item, integerOrNull, textOf } from './lib/items.ts';
import { business, type Call, type Entry, type Kit, type System, truthOf } from './lib/system.ts';
import { WebhookSender } from './lib/webhook.ts';

const INVENTORY_MAX = 250;

/** Sells by itself, capped by its number: what it may sell from now on. Each sale takes the number down. */
export function shop(
  kit: Kit,
  webhook: { url?: string | undefined; secret: string; flushed: () => Promise<void> | undefined },
): System {
  const numbers = new Map<string, number>();
  const common = channel(
    kit,
    {
      available: (sku) => numbers.get(sku) ?? 0,
      sold: (sku, units) => numbers.set(sku, numbers.get(sku)! - units),
    },
    { setPrice: '/prices/set', findPrice: '/prices/lookup' },
  );
  const sender =
    webhook.url === undefined ? undefined : new WebhookSender(kit, webhook.url, webhook.secret, webhook.flushed);

  const restore = (entry: Entry): void => {
    if (entry.do === 'inventory') numbers.set(entry.sku as string, entry.to as number);
    else common.restore(entry);
  };

  const set = (item: Item, call: Call): object => {
    const sku = textOf(item, 'sku');
    const from = integerOrNull(item, 'from');
    const to = countOf(item, 'to', 0);
    const available = numbers.get(sku) ?? null;
    if (available !== from) return { sku, status: 409, available };
    if (!call.lost()) {
      kit.keep({ do: 'inventory', sku, to });
      numbers.set(sku, to);
    }
    return { sku, status: 200, available: to };
  };

  return {
    feedPath: '/events',
    routes: [
      business('POST', '/inventory/set', (call) =>
        eachItem(call.body, 'items', INVENTORY_MAX, 'sku', (item) => set(item, call)),
      ),
      business('POST', '/inventory/lookup', ({ body }) =>
        eachFound(body, 'skus', INVENTORY_MAX, (sku) => {
          const available = numbers.get(sku);
          return available === undefined ? [] : [{ sku, available }];
        }),
      ),
      ...common.routes,
    ],
    restore,
    restoreRecord: common.restoreRecord,
    resume: () => sender?.start(),
    pending: () => sender?.pending() ?? 0,
    stats: () => ({ ...common.stats(), ...(sender && { webhooks: sender.stats() }) }),
    truths: {
      orders: common.ordersTruth,
      prices: common.pricesTruth,
      numbers: truthOf(numbers, (available) => ({ available })),
    },
  };
}

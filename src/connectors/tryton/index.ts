import { CrossdockError } from '../../canonical/index.ts';
import { type Connector, defineConnector, ownReferences } from '../kit/index.ts';
import { creditSource } from './credit.ts';
import { declaration } from './declaration.ts';
import { Lookups } from './lookups.ts';
import { quoteDesk } from './quotes.ts';
import { Tryton } from './rpc.ts';
import type { Settings } from './settings.ts';
import { type Snapshots, snapshots } from './snapshot.ts';
import { sources } from './source.ts';
import { orderStatus } from './states.ts';
import { deliveries } from './warehouse.ts';

/** Tryton 6.0: orders, warehouse, invoices and opportunities of one company. */
export const tryton = defineConnector(declaration, (context) => {
  const settings = context.settings as Settings;
  const rpc = new Tryton(context, settings);
  const lookups = new Lookups(rpc, settings);
  const { channel, limits } = context;
  const sinks = { tryton: rpc, lookups, limits, channel };
  return {
    // A success is a commit; what it answers is there.
    confirmedBy: 'answer',
    sources: sources({
      tryton: rpc,
      lookups,
      settings,
      system: context.system,
      channel,
      own: ownReferences(context.referenceEnding),
    }),
    deliveries: { ...deliveries(sinks) },
    credit: creditSource(rpc, lookups, settings),
    quotes: quoteDesk(rpc, lookups, limits),
    ...(channel !== null && { orderStatus: orderStatus(sinks, channel) }),
    async probe(signal) {
      try {
        const found = await lookups.warehouses(signal);
        const missing = Object.entries(settings.warehouses).filter(([location]) => !found.has(location));
        if (missing.length > 0)
          return { ok: false, detail: `no warehouse ${missing.map(([, code]) => code).join(', ')}` };
        return { ok: true, detail: `signs in, company ${await rpc.company(signal)}, ${found.size} warehouses` };
      } catch (error) {
        // An operator wants the reason, not a stack.
        if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
        throw error;
      }
    },
    /** Masters and stock, whole: what no feed of the kit's carries yet. */
    snapshots: snapshots(rpc, lookups, settings),
    pausedMs: () => rpc.client.pausedMs,
    close: () => rpc.client.close(),
  };
});

export type TrytonConnector = Connector & { snapshots: Snapshots };

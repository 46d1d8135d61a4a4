/**
 * The outside judge of a mutated run: orders that were changed, cancelled in part, picked short, returned, held for credit or price, or served
 * with substitutes. It shares no code with the hub. It reads the file as the feeder does, what people asked for from the systems where they
 * asked, and what each system holds at the end; then it says whether one story explains all of it, to the unit and the penny.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { type MutationRates, mutate } from '../../../sim/feeder/mutations.ts';
import { planFeed } from '../../../sim/feeder/plan.ts';
import { readOrders } from '../../../sim/feeder/reader.ts';
import type { Finding } from '../findings.ts';
import { Findings } from '../findings.ts';
import { stats } from '../pages.ts';
import { connectHub, type HubEvidence, judgePromises, type PromiseName, type Verdict } from '../promises/index.ts';
import { Source } from '../source.ts';
import { type CreditCounts, judgeCredit } from './credit.ts';
import { readErp, readShown } from './held.ts';
import { Judge } from './judge.ts';
import { judgePrices, type PriceCounts } from './prices.ts';
import { judgeRefusals } from './refusals.ts';
import { judgeWarehouse, type MutatedWarehouse } from './warehouse.ts';
import { readWishes } from './wishes.ts';

export interface MutatedOptions {
  shop: string;
  marketplace: string;
  crm: string;
  erp: string;
  wms: string;
  orders: string;
  limitOrders?: number | undefined;
  seed: number;
  rates: MutationRates;
  hub: HubEvidence;
}
export interface MutatedObservation {
  holds: boolean;
  findings: Finding[];
  counts: {
    findings: Record<string, number>;
    orders: { ordered: number; inErp: number; held: number; givenUp: number };
    changes: { asked: number; applied: number; setAside: Record<string, number> };
    units: Record<
      'ordered' | 'added' | 'refused' | 'cancelled' | 'shipped' | 'returned' | 'substituted' | 'open',
      number
    >;
    amounts: Record<'ordered' | 'cancelled' | 'invoiced' | 'credited', number>;
    wms: MutatedWarehouse['counts'];
    everHeld: Record<string, number>;
    credit: CreditCounts;
    prices: PriceCounts;
    oversell: number;
  };
  promises: Record<PromiseName, Verdict>;
}

type Hold = { reference: string; kind: string; isOpen: boolean };
const HOLDS = `select c.code || '/' || o.external_no as reference, h.kind, h.state = 'open' as "isOpen" from order_hold h join sales_order o using (order_id)
  join channel c on c.channel_id = o.channel_id`;

export async function observeMutated(options: MutatedOptions): Promise<MutatedObservation> {
  const { database } = options.hub;
  if (typeof database !== 'string') return look(options, database);
  const client = await connectHub(database);
  try {
    await client.query('begin isolation level repeatable read read only');
    return await look(options, client);
  } finally {
    await client.end();
  }
}

async function look(options: MutatedOptions, client: pg.ClientBase): Promise<MutatedObservation> {
  const source = await Source.read(options.orders, options.limitOrders);
  const findings = new Findings();
  const wishes = await readWishes({ urls: options, answered: options.hub.answered, client });
  const held = new Map<string, string[]>();
  const everHeld: Record<string, number> = {};
  for (const { reference, kind, isOpen } of (await client.query<Hold>(HOLDS)).rows) {
    everHeld[kind] = (everHeld[kind] ?? 0) + 1;
    if (isOpen) held.set(reference, [...(held.get(reference) ?? []), kind]);
  }
  const own = join(options.hub.journals, 'wms', 'wms.ndjson');
  const journal = existsSync(own) ? own : join(options.hub.journals, 'wms.ndjson');
  const warehouse = await judgeWarehouse(source, findings, options.wms, journal);
  const erp = await readErp(options.erp);
  const crm = await readShown(options.crm);
  const shown = new Map([
    ...(await readShown(options.shop, 'shop/')),
    ...(await readShown(options.marketplace, 'marketplace/')),
  ]);
  const { table } = await readOrders(options.orders, { limitOrders: options.limitOrders });
  const plan = planFeed(table, options.seed);
  const { substitutes, changes } = mutate(plan, options.rates);
  const judge = new Judge({ source, findings, wishes, held, warehouse, erp, crm, shown, substitutes });
  judge.all();
  judgeRefusals(findings, { wishes, warehouse, erp, source, planned: changes });
  const credit = await judgeCredit(findings, options.erp, { held, wishes, crm, erp, source });
  const prices = await judgePrices(findings, options.erp, {
    held,
    wishes,
    source,
    plan,
    erp,
  });
  const askedBeyondStock = await judgeStats(findings, options);
  const promises = await judgePromises(
    { ...options.hub, database: client },
    { urls: options, source, warehouse, askedBeyondStock },
  );
  const setAside: Record<string, number> = {};
  for (const [key, reason] of wishes.setAside)
    if (key.startsWith('change/')) setAside[reason] = (setAside[reason] ?? 0) + 1;
  return {
    holds: findings.none && Object.values(promises).every((verdict) => verdict.holds),
    findings: findings.list,
    counts: {
      findings: findings.counts,
      ...judge.counts,
      changes: {
        asked: wishes.changes.size + Object.values(setAside).reduce((a, b) => a + b, 0),
        applied: wishes.changes.size,
        setAside,
      },
      wms: warehouse.counts,
      everHeld,
      credit,
      prices,
      oversell: judge.oversold + askedBeyondStock,
    },
    promises,
  };
}

async function judgeStats(findings: Findings, options: MutatedOptions): Promise<number> {
  let askedBeyondStock = 0;
  for (const name of ['shop', 'marketplace', 'crm', 'erp', 'wms'] as const) {
    const found = (await stats(options[name])) as Record<string, number>;
    for (const code of ['backwards', 'duplicates', 'pending']) findings.same(code, name, name, 0, found[code]);
    if (name === 'wms') {
      askedBeyondStock = found.askedBeyondStock!;
      findings.same('asked_beyond_stock', name, name, 0, askedBeyondStock);
    }
  }
  return askedBeyondStock;
}

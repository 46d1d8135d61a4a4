/**
 * The promises I1 to I11, judged by somebody who shares no code with the hub: from its rows, from each system's own truth, from
 * what each system kept of what it was told, and from what callers were answered.
 */
import type pg from 'pg';
import type { Source } from '../source.ts';
import type { Warehouse } from '../warehouse.ts';
import { judgeAmounts } from './amounts.ts';
import { judgeBills } from './bills.ts';
import { connectHub, readNames } from './hub.ts';
import { readMachine } from './machine.ts';
import { judgeMessages } from './messages.ts';
import { judgeOrders } from './orders.ts';
import { judgeOutbound } from './outbound.ts';
import { judgeStock } from './stock.ts';
import { PROMISES, type PromiseName, type Verdict } from './verdict.ts';
import { judgeVersions } from './versions.ts';
import { newPromises, nothingSeen, type SystemName, type World } from './world.ts';

export { connectHub } from './hub.ts';
export { PROMISES, type PromiseName, type Verdict } from './verdict.ts';

export interface HubEvidence {
  /** A server, or a connection in whose transaction is looked. */
  database: string | pg.ClientBase;
  journals: string;
  answered: string;
}
type Known = { urls: Record<SystemName, string>; source: Source; warehouse: Warehouse; askedBeyondStock: number };

export async function judgePromises(evidence: HubEvidence, known: Known): Promise<Record<PromiseName, Verdict>> {
  if (typeof evidence.database !== 'string') return judge(evidence.database, evidence, known);
  const client = await connectHub(evidence.database);
  try {
    // All that is read is of one moment.
    await client.query('begin isolation level repeatable read read only');
    return await judge(client, evidence, known);
  } finally {
    await client.end();
  }
}

async function judge(
  client: pg.ClientBase,
  evidence: HubEvidence,
  known: Known,
): Promise<Record<PromiseName, Verdict>> {
  const { journals, answered } = evidence;
  const world: World = {
    client,
    journals,
    answered,
    ...known,
    names: await readNames(client),
    promises: newPromises(),
    seen: nothingSeen(),
  };
  const machine = readMachine();
  // These two read the long lists, of which the others need the names.
  await judgeAmounts(world);
  await judgeVersions(world, machine);
  await judgeStock(world);
  await judgeMessages(world);
  await judgeOutbound(world);
  await judgeOrders(world, machine);
  await judgeBills(world);
  return Object.fromEntries(PROMISES.map((name) => [name, world.promises[name].verdict])) as Record<
    PromiseName,
    Verdict
  >;
}

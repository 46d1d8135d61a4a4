/** What goes wrong while buyers buy: Crossdock is killed five times, the ERP is away for two minutes, a shop starts anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from './hub.ts';
import type { World } from './world.ts';

export const ERP_AWAY_MS = 120_000;
const BETWEEN_KILLS_MS = 15_000;
const KILLS_WHILE_AWAY = 3;
const KILLS_AFTER = 2;

export interface Faults {
  kills: number;
  erpAwaySeconds: number;
  shopRestarts: number;
}

export async function goWrong(world: World, hub: Hub, say: (line: string) => void): Promise<Faults> {
  const kill = async (times: number) => {
    for (let n = 0; n < times; n++) {
      await sleep(BETWEEN_KILLS_MS);
      await hub.killAndStart();
      say('Crossdock was killed and started');
    }
  };
  await sleep(BETWEEN_KILLS_MS);
  await world.crash('tryton');
  const away = performance.now();
  say('Tryton is away');
  await Promise.all([
    kill(KILLS_WHILE_AWAY),
    (async () => {
      await sleep(2 * BETWEEN_KILLS_MS);
      await world.crash('vendure');
      await world.start('vendure');
      say('Vendure was killed and started');
    })(),
    sleep(ERP_AWAY_MS),
  ]);
  await world.start('tryton');
  const erpAwaySeconds = Math.round((performance.now() - away) / 1000);
  say(`Tryton is back after ${erpAwaySeconds} s`);
  await kill(KILLS_AFTER);
  return { kills: KILLS_WHILE_AWAY + KILLS_AFTER, erpAwaySeconds, shopRestarts: 1 };
}

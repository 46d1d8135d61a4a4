import { setTimeout as sleep } from 'node:timers/promises';

const AWAY_PAUSE_MS = 1_000;
const AWAY_TRIES_MAX = 200;

/** A system that is away or being started again is waited for. */
export async function whileAway<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TypeError) || tries === AWAY_TRIES_MAX) throw error;
      await sleep(AWAY_PAUSE_MS);
    }
}

import { CrossdockError } from '../canonical/index.ts';
import type { Connector } from '../connectors/kit/index.ts';

/** Whether the system asked to be left alone: what is begun now would be refused before it is sent. */
export function isPaused(connector: Connector): boolean {
  return (connector.pausedMs?.() ?? 0) > 0;
}

/** How long the system asked us to wait, where the error says so. */
export function retryAfterMsOf(error: unknown): number | undefined {
  const asked = error instanceof CrossdockError ? error.details.retryAfterMs : undefined;
  return typeof asked === 'number' ? asked : undefined;
}

/** When to try again: a doubling pause of which half is chance; what the system asked for wins when it is longer. */
export function retryPauseMs(attempts: number, retryAfterMs: number | undefined, random: () => number): number {
  const pause = Math.min(60_000, 50 * 2 ** Math.min(attempts, 12));
  return Math.max(retryAfterMs ?? 0, Math.round(pause / 2 + (random() * pause) / 2));
}

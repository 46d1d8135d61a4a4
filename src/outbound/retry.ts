/** When to try again: a doubling pause of which half is chance; what the system asked for wins when it is longer. */
export function retryPauseMs(attempts: number, retryAfterMs: number | undefined, random: () => number): number {
  const pause = Math.min(60_000, 50 * 2 ** Math.min(attempts, 12));
  return Math.max(retryAfterMs ?? 0, Math.round(pause / 2 + (random() * pause) / 2));
}

/** With `--statements`: how often each named statement ran and how long its caller waited, on stderr at the end. */
import pg from 'pg';

interface Waited {
  count: number;
  ms: number;
}

export function watchStatements(): () => string {
  const byName = new Map<string, Waited>();
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const watched = function (this: pg.Client, ...args: unknown[]): unknown {
    const [config] = args as [string | { name?: string; text?: string } | undefined];
    const name = typeof config === 'string' ? config.slice(0, 40) : (config?.name ?? config?.text?.slice(0, 40) ?? '?');
    const started = performance.now();
    const answer = original.apply(this, args);
    if (answer instanceof Promise)
      answer.then(
        () => {
          const waited = byName.get(name) ?? { count: 0, ms: 0 };
          waited.count++;
          waited.ms += performance.now() - started;
          byName.set(name, waited);
        },
        () => {},
      );
    return answer;
  };
  pg.Client.prototype.query = watched as unknown as typeof pg.Client.prototype.query;
  return () =>
    [...byName]
      .sort((a, b) => b[1].ms - a[1].ms)
      .slice(0, 40)
      .map(
        ([name, { count, ms }]) =>
          `${Math.round(ms).toString().padStart(8)} ms ${String(count).padStart(7)} x ${(ms / count).toFixed(2).padStart(8)} ms  ${name}`,
      )
      .join('\n');
}

import type { Command } from 'commander';
import { EXIT, paint, printResult, say, startProgress } from './output.ts';

export function register(program: Command): void {
  program
    .command('verify')
    .description('prove the promises I1 to I11 from the database')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--orders-max <n>', 'replay the facts of at most so many orders (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when a promise is broken. Changes nothing and may run beside a working hub.')
    .action(async (options: { databaseUrl?: string; ordersMax?: string; json?: boolean }) => {
      const ordersMax = options.ordersMax === undefined ? undefined : Number(options.ordersMax);
      if (ordersMax !== undefined && !(Number.isSafeInteger(ordersMax) && ordersMax >= 0)) {
        say(`--orders-max must be a whole number, not ${options.ordersMax}`);
        process.exitCode = EXIT.usage;
        return;
      }
      const { connectDatabase } = await import('./connect.ts');
      const { checkPromises, promiseNames } = await import('../ops/index.ts');
      const { Database } = await import('../store/index.ts');
      const connected = await connectDatabase({
        ...(options.databaseUrl && { url: options.databaseUrl }),
        demo: 'last',
        log: say,
      });
      const db = new Database({ url: connected.url, poolMax: 2, applicationName: 'crossdock verify' });
      const progress = startProgress('verify', 100);
      const started = performance.now();
      try {
        const promises = await checkPromises(db, {
          ...(ordersMax !== undefined && { ordersMax }),
          onProgress: (done, total) => progress.update((100 * done) / total),
        });
        progress.end();
        const seconds = Math.round((performance.now() - started) / 100) / 10;
        const ok = promiseNames.every((name) => promises[name].holds);
        const lines = promiseNames.map((name) => {
          const { holds, checked, violations, examples, how } = promises[name];
          const mark = paint(holds ? 'green' : 'red', holds ? 'holds ' : 'broken', process.stdout);
          const head = `${name.padEnd(4)}${mark} ${String(checked).padStart(10)} checked ${String(violations).padStart(8)} broken  ${paint('dim', how, process.stdout)}`;
          return [head, ...examples.map((example) => `      ${example}`)].join('\n');
        });
        printResult({ ok, seconds, promises }, { ...options, text: () => [...lines, `${seconds} s`].join('\n') });
        if (!ok) process.exitCode = EXIT.findings;
      } catch (error) {
        const { withoutTables } = await import('./open.ts');
        throw withoutTables(error);
      } finally {
        progress.end();
        await db.end();
        await connected.close();
      }
    });
}

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Finding } from '../store/doctor.ts';
import { EXIT, paint, printResult, say } from './output.ts';

const CONFIG = 'crossdock.config.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description(
      'look for settings that can lose acknowledged data, for what holds the hub back, and for keys that do nothing',
    )
    .option('--config <file>', 'the estate file (default: crossdock.config.ts, if it is there)')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when an error was found. Changes nothing.')
    .action(async (options: { config?: string; databaseUrl?: string; json?: boolean }) => {
      const { connectDatabase } = await import('./connect.ts');
      const { runDoctor } = await import('../store/doctor.ts');
      const database = await connectDatabase({
        ...(options.databaseUrl && { url: options.databaseUrl }),
        demo: 'running',
        log: say,
      });
      try {
        const { dataDir, kind } = database;
        const where = { name: nameOf(database.url), kind, ...(dataDir && { dataDir }) };
        const ports = [Number(process.env.PORT ?? 8480)];
        const { findings } = await runDoctor(database.url, { ports, ...(dataDir && { dataDir }) });
        const config = options.config ?? (existsSync(CONFIG) ? CONFIG : undefined);
        if (config !== undefined) findings.push(...(await checkEstate(config)));
        const ok = findings.every((finding) => finding.level !== 'error');
        const colours = { ok: 'green', warning: 'yellow', error: 'red' } as const;
        const lines = findings.map(({ level, code, what, why, fix }) => {
          const head = `${paint(colours[level], level.padEnd(7), process.stdout)} ${code}: ${what}`;
          return level === 'ok' ? head : `${head}\n        why: ${why}\n        fix: ${fix}`;
        });
        const place = kind === 'given' ? 'the server named to it' : `the embedded server of ${dataDir}`;
        const head = `database ${where.name} on ${place}${kind === 'demo' ? ', that of the running demo' : ''}`;
        printResult({ ok, database: where, findings }, { ...options, text: () => [head, ...lines].join('\n') });
        if (!ok) process.exitCode = EXIT.findings;
      } finally {
        await database.close();
      }
    });
}

/** Whether the estate file is one, and what it declares that this version does not apply. */
async function checkEstate(config: string): Promise<Finding[]> {
  const { listUnapplied, loadEstate } = await import('../estate/index.ts');
  const { connectors } = await import('../connectors/index.ts');
  let unapplied: ReturnType<typeof listUnapplied>;
  try {
    unapplied = listUnapplied(await loadEstate(config, { connectors: connectors.keys() }));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return [
      { code: 'estate.valid', level: 'error', what, why: 'no hub starts over it', fix: 'put the named keys right' },
    ];
  }
  if (unapplied.length === 0)
    return [{ code: 'estate.applied', level: 'ok', what: `every key of ${config} is applied`, why: '', fix: '' }];
  return unapplied.map(({ path, meaning }) => ({
    code: 'estate.not_applied',
    level: 'warning',
    what: `${path} is declared, not applied by this version`,
    why: meaning,
    fix: 'leave it out, or keep it for a later version; nothing follows from it now',
  }));
}

/** The database's name alone: the address may hold a password. */
function nameOf(url: string): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).pathname.slice(1)) : 'of the connection string';
}

import type { Command } from 'commander';
import { EXIT, paint, printResult, say } from './output.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('look for settings that can lose acknowledged data, and for what holds the hub back')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when an error was found. Changes nothing.')
    .action(async (options: { databaseUrl?: string; json?: boolean }) => {
      const { connectDatabase } = await import('./connect.ts');
      const { runDoctor } = await import('../store/doctor.ts');
      const database = await connectDatabase({ ...(options.databaseUrl && { url: options.databaseUrl }), log: say });
      try {
        const { dataDir } = database;
        const ports = [Number(process.env.PORT ?? 8480)];
        const { findings } = await runDoctor(database.url, { ports, ...(dataDir && { dataDir }) });
        const ok = findings.every((finding) => finding.level !== 'error');
        const colours = { ok: 'green', warning: 'yellow', error: 'red' } as const;
        const lines = findings.map(({ level, code, what, why, fix }) => {
          const head = `${paint(colours[level], level.padEnd(7), process.stdout)} ${code}: ${what}`;
          return level === 'ok' ? head : `${head}\n        why: ${why}\n        fix: ${fix}`;
        });
        printResult({ ok, findings }, { ...options, text: () => lines.join('\n') });
        if (!ok) process.exitCode = EXIT.findings;
      } finally {
        await database.close();
      }
    });
}

import type { Command } from 'commander';
import { printResult, say } from './output.ts';

export function register(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to the schema of this version')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .action(async (options: { databaseUrl?: string; json?: boolean }) => {
      const { connectDatabase } = await import('./connect.ts');
      const { migrate } = await import('../store/migrate.ts');
      const database = await connectDatabase({ ...(options.databaseUrl && { url: options.databaseUrl }), log: say });
      try {
        const result = await migrate(database.url, { log: say });
        const text = () => `${result.applied.length} applied, ${result.already} were applied before`;
        printResult(result, { ...options, text });
      } finally {
        await database.close();
      }
    });
}

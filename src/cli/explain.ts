import type { Command } from 'commander';
import { printResult } from './output.ts';

export function register(program: Command): void {
  program
    .command('explain')
    .description('why a channel is shown this number of a SKU: every input, and how old it is')
    .argument('<sku>', 'our code')
    .requiredOption('--channel <code>', 'the channel')
    .option('--at <time>', 'as it was known at a moment, e.g. 2026-03-02T09:00:00Z')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .action(async (sku: string, options: { channel: string; at?: string; databaseUrl?: string; json?: boolean }) => {
      const { explain, explained } = await import('./explain/run.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'explain', async (opened) => {
        const result = await explain(opened, sku, options);
        printResult(result, { ...options, text: () => explained(result) });
      });
    });
}

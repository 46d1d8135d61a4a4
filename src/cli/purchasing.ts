import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

export function register(program: Command): void {
  program
    .command('purchasing')
    .description(
      'what waits, what is to come and to whom it is promised, and what is short, so that nothing is bought twice',
    )
    .argument('[sku]', 'one SKU, with its supplies')
    .option('--short', 'only what is short')
    .option('--company <code>', 'of one company')
    .option('--limit <n>', 'at most so many', count, 1_000)
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when something is short.')
    .action(
      async (
        sku: string | undefined,
        options: { short?: boolean; company?: string; limit: number; databaseUrl?: string; json?: boolean },
        command: Command,
      ) => {
        const { readPurchasing } = await import('../projections/index.ts');
        const { withDatabase } = await import('./open.ts');
        const { listed, shown } = await import('./purchasing/text.ts');
        await withDatabase(options, 'purchasing', async ({ db, directory }) => {
          const { company, short, limit } = options;
          if (company !== undefined && !directory.companies.has(company))
            command.error(`error: there is no company ${company}`, { exitCode: EXIT.usage });
          const outlook = await readPurchasing(db, { sku: sku?.toUpperCase(), company, short, limit });
          printResult({ outlook }, { ...options, text: () => (sku === undefined ? listed(outlook) : shown(outlook)) });
          if (outlook.some((row) => row.short > 0)) process.exitCode = EXIT.findings;
        });
      },
    );
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

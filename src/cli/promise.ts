import { type Command, InvalidArgumentError } from 'commander';
import { printResult } from './output.ts';

export function register(program: Command): void {
  const promise = program.command('promise').description('who is promised what, and from where');
  promise
    .command('show')
    .description('what an order is promised when, from where, and why')
    .argument('<order>', 'order id, channel/number, number, or ERP number')
    .option('--past', 'also what it was promised before')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .action(async (order: string, options: { past?: boolean; databaseUrl?: string; json?: boolean }) => {
      const { show, told } = await import('./promise/show.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'promise', async ({ db }) => {
        const result = await show(db, order, options.past === true);
        printResult(result, { ...options, text: () => told(result) });
      });
    });
  promise
    .command('rerun')
    .description(
      'decide anew who gets what there is and what is to come, by the class of their accounts (win, gain, redistribute, fill, lose)',
    )
    .option('--preview', 'change nothing: show who would gain and who would lose')
    .option('--sku <code>', 'only of this SKU; may be repeated', codes, [])
    .option('--limit <n>', 'show at most so many lines', count, 200)
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nUnits that the WMS was asked for stay where they are, and so does what orders on hold have, and what channels that sell by themselves were sold.\nShares, caps, buffers and quotas hold as for new orders; nobody loses what they have by them.',
    )
    .action(
      async (options: { preview?: boolean; sku: string[]; limit: number; databaseUrl?: string; json?: boolean }) => {
        const { rerun, shown } = await import('./promise/rerun.ts');
        const { withDatabase } = await import('./open.ts');
        await withDatabase(options, 'promise', async (opened) => {
          const result = await rerun(opened, options);
          printResult(result, { ...options, text: () => shown(result) });
        });
      },
    );
}

function codes(text: string, before: string[]): string[] {
  return [...before, text.toUpperCase()];
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

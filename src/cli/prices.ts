import { type Command, InvalidArgumentError } from 'commander';
import { printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const prices = program.command('prices').description('which price holds, and why');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');

  common(prices.command('show'))
    .description('the price of a SKU for an account, what it comes from, and why nothing else was used')
    .argument('<account>', 'our code')
    .argument('<sku>', 'our code')
    .option('--quantity <n>', 'base units', quantity, 1)
    .option('--date <day>', 'YYYY-MM-DD (default: today, where the company is)', day)
    .option('--channel <code>', 'with the list of this channel')
    .option('--company <code>', 'where accounts of several have this code')
    .option('--currency <code>', "default: the company's")
    .action(async (account: string, sku: string, options: Common & ShowOptions) => {
      const { show, shown } = await import('./prices/show.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'prices', async (opened) => {
        const found = await show(opened, account, sku, options);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });
}

export interface ShowOptions {
  quantity: number;
  date?: string;
  channel?: string;
  company?: string;
  currency?: string;
}

function quantity(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

function day(text: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isDay || new Date(text).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError('must be a day such as 2026-03-02');
  return text;
}

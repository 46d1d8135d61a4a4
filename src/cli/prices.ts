import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

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

  common(prices.command('prove'))
    .description('compare a sample of prices with what ERP, shops, CRM quotes, orders and invoices say')
    .option('--sample <n>', 'prices, and lines of orders, that are drawn', number(1, 10_000), 200)
    .option('--seed <n>', 'the same seed draws the same sample', number(0, 1_000_000_000), 1)
    .option('--account <code>', 'of one account')
    .option('--sku <code>', 'of one SKU')
    .option('--company <code>', 'where accounts of several have this code')
    .option('--tolerance-percent <decimal>', 'of the decided amount that is no difference', percent, '0')
    .option('--tolerance-minor <n>', 'minor units that are no difference', number(0, 1_000_000_000), 0)
    .option(
      '--config <file>',
      'the estate file, whose systems are asked (default: crossdock.config.ts, if it is there)',
    )
    .addHelpText(
      'after',
      '\nExit code 3 when something differs. Changes nothing; nothing is converted between currencies.',
    )
    .action(async (options: Common & ProveOptions) => {
      const { prove, proved } = await import('./prices/prove.ts');
      const { withDatabase } = await import('./open.ts');
      const { onShutdown } = await import('./shutdown.ts');
      const abort = new AbortController();
      const release = onShutdown(() => abort.abort());
      try {
        await withDatabase(options, 'prices', async (opened) => {
          const proof = await prove(opened, options, abort.signal);
          printResult(proof, { ...options, text: () => proved(proof) });
          if (proof.differences.length > 0) process.exitCode = EXIT.findings;
        });
      } finally {
        release();
      }
    });
}

export interface ProveOptions {
  sample: number;
  seed: number;
  account?: string;
  sku?: string;
  company?: string;
  tolerancePercent: string;
  toleranceMinor: number;
  config?: string;
}

function number(min: number, max: number) {
  return (text: string): number => {
    if (!/^\d{1,10}$/.test(text) || Number(text) < min || Number(text) > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    return Number(text);
  };
}

function percent(text: string): string {
  if (!/^\d{1,3}(\.\d{1,4})?$/.test(text)) throw new InvalidArgumentError('must be a decimal such as 0.5');
  return text;
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

import type { Command } from 'commander';
import { EXIT, printResult, say, startProgress } from './output.ts';

const columns = `
products  sku; description, unit, gtin
accounts  account; company, channel, name
prices    sku, unit_price; company, currency, price_list, valid_from, valid_to, quantity_min
contracts  contract, account; company, currency, valid_from, valid_to
contract-prices  contract, sku, unit_price; company, quantity_min, price_per
substitutes  sku, substitute
          (a row a substitute, best first; the rows of a SKU stand together and take the place of all it had)
stock     sku, location, quantity; movement (counted, received, adjusted), id, occurred_at, reference, supply, supply_source
supplies  id, sku, location, quantity, due_at; announced_at, source
orders    order, account, ordered_at, sku, quantity, unit_price; channel, company, currency, line_no
          (a row a line; the lines of an order stand together)`;

interface Options {
  company?: string;
  channel?: string;
  system?: string;
  rejects?: string;
  restart?: boolean;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('load')
    .description(
      'load products, accounts, prices, contracts, contract-prices, substitutes, stock, supplies or orders from a CSV file, gzip too',
    )
    .argument(
      '<kind>',
      'products, accounts, prices, contracts, contract-prices, substitutes, stock, supplies or orders',
    )
    .argument('<file>', 'CSV with a heading')
    .option('--company <code>', 'for rows that name none')
    .option('--channel <code>', 'for rows that name none')
    .option('--system <code>', 'whose codes these are, as in the crosswalk', 'file')
    .option('--rejects <file>', 'where bad rows go, with line and reason (default: beside the file)')
    .option('--restart', 'begin again instead of going on; what is there already is not loaded twice')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `\nColumns, those after the semicolon may be left out:${columns}\n\nEnded in the middle, the same command goes on. Exit code 3 when rows were rejected.`,
    )
    .action(async (kind: string, file: string, options: Options, command: Command) => {
      const { kindNames } = await import('./load/kinds.ts');
      const name =
        kindNames.find((known) => known === kind) ??
        command.error(`error: there is no kind ${kind}; there are ${kindNames.join(', ')}`);
      const { load } = await import('./load/run.ts');
      const { withDatabase } = await import('./open.ts');
      const { onShutdown } = await import('./shutdown.ts');
      const abort = new AbortController();
      const release = onShutdown(() => abort.abort());
      const progress = startProgress(`load ${kind}`, 100);
      try {
        const result = await withDatabase(options, 'load', (opened) => {
          const { company, channel, system, rejects, restart } = options;
          return load(opened, name, file, {
            ...(company !== undefined && { company }),
            ...(channel !== undefined && { channel }),
            ...(system !== undefined && { system }),
            ...(rejects !== undefined && { rejects }),
            ...(restart !== undefined && { restart }),
            signal: abort.signal,
            onProgress: (bytes, total, rows) => progress.update((100 * bytes) / Math.max(1, total), `${rows} rows`),
          });
        });
        progress.end();
        const { rows, applied, repeated, rejected, rejects, resumedAfter, complete } = result;
        const text = () =>
          [
            `${rows} rows: ${applied} applied, ${repeated} there already, ${rejected} rejected${rejects === null ? '' : ` (${rejects})`}`,
            ...(resumedAfter > 0 ? [`went on after row ${resumedAfter}`] : []),
          ].join('\n');
        printResult(result, { ...options, text });
        if (!complete) {
          say('ended before the end of the file; the same command goes on from here');
          process.exitCode = EXIT.failed;
        } else if (rejected > 0) process.exitCode = EXIT.findings;
      } finally {
        progress.end();
        release();
      }
    });
}

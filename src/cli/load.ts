import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult, say, startProgress } from './output.ts';

const columns = `
products  sku; description, unit, gtin, lifecycle (active, phase_out, discontinued), weight_g, length_mm, width_mm, height_mm,
          order_multiple, order_minimum, order_rounding (refuse, up, nearest, down, hold)
units     sku, unit, pack_level, numerator (base units in it); denominator, gtin
          (a row a unit; the rows of a SKU stand together and take the place of all it had)
accounts  account; company, channel, name, parent, payment_terms, hold (why its orders are held), price_list,
          priority_class (win, gain, redistribute, fill, lose), ship_complete (true, false), region
prices    sku, unit_price; company, currency, price_list, valid_from, valid_to, quantity_min, unit, price_per
contracts  contract, account; company, currency, valid_from, valid_to
contract-prices  contract, sku, unit_price; company, quantity_min, price_per
substitutes  sku, substitute
          (a row a substitute, best first; the rows of a SKU stand together and take the place of all it had)
kits      sku, component, quantity
          (a row a component; the rows of a SKU stand together and take the place of all it was made of)
addresses account, code, line1, country; company, name, line2, line3, city, postal_code
          (a row an address; the rows of an account stand together and take the place of all it had)
crosswalk kind (sku, account, location), outside_id, code; system (default: --system), valid_from, valid_to
stock     sku, location, quantity; movement (counted, received, adjusted), id, occurred_at, reference, supply, supply_source
supplies  id, sku, location, quantity, due_at; announced_at, source
credit    account, open_orders, open_invoices (amounts, 1200.50); company, currency, limit (none: no limit), as_of,
          orders (channel/number of those that the amounts contain, blanks between;
          order_lines: channel/number#line of lines that were added to them later)
quotas    sku, from, to; channel, region, account, ring_fenced, cap, borrow, lend (true, false)
          (one of ring_fenced and cap at least; the same node, SKU and from again changes it)
orders    order, account, ordered_at, sku, quantity, unit_price; channel, company, currency, line_no
          (a row a line; the lines of an order stand together)`;

interface Options {
  company?: string;
  channel?: string;
  system?: string;
  as?: string;
  rejects?: string;
  restart?: boolean;
  plan?: boolean;
  out?: string;
  apply?: string;
  undo?: string;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const load = program
    .command('load')
    .description(
      'load products, units, accounts, prices, contracts, contract-prices, substitutes, kits, addresses, crosswalk, stock, supplies, credit, quotas or orders from a CSV file, gzip too',
    )
    .argument(
      '[kind]',
      'products, units, accounts, prices, contracts, contract-prices, substitutes, kits, addresses, crosswalk, stock, supplies, credit, quotas or orders',
    )
    .argument('[file]', 'CSV with a heading')
    .option('--company <code>', 'for rows that name none')
    .option('--channel <code>', 'for rows that name none')
    .option('--system <code>', 'whose codes these are, as in the crosswalk (default: file)')
    .option('--as <system>', 'put products, accounts and prices in the name of this system: also what it owns')
    .option('--rejects <file>', 'where bad rows go, with line and reason (default: beside the file)')
    .option('--restart', 'begin again instead of going on; what is there already is not loaded twice')
    .option('--plan', 'load nothing: plan what would be added, changed field by field, and refused')
    .option('--out <file>', 'with --plan: write the whole plan there, JSON')
    .option('--apply <plan>', 'write what a plan says, where nothing has changed since; the same again goes on')
    .option('--undo <plan>', 'put back what was there before a plan was applied, where nothing has changed since')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `\nColumns, those after the semicolon may be left out:${columns}\n\nWhat is empty is not said; in products, accounts, kits and substitutes a - says that there is none.\nEnded in the middle, the same command goes on. Plans are by their number, or the file of --out. Exit code 3 when rows were rejected,\nor what was planned could not be done.`,
    )
    .action(async (kind: string | undefined, file: string | undefined, options: Options, command: Command) => {
      const usage = (text: string): never => command.error(`error: ${text}`, { exitCode: EXIT.usage });
      if (options.apply !== undefined || options.undo !== undefined) {
        if (kind !== undefined || options.plan || (options.apply !== undefined && options.undo !== undefined))
          usage('--apply and --undo take a plan and stand alone');
        const { runPlanned } = await import('./load/run-plan.ts');
        await runPlanned(options.apply !== undefined ? 'apply' : 'undo', (options.apply ?? options.undo)!, options);
        return;
      }
      if (kind === undefined || file === undefined) return usage('missing argument: a kind and a file');
      const { kindNames } = await import('./load/kinds.ts');
      const name =
        kindNames.find((known) => known === kind) ??
        usage(`there is no kind ${kind}; there are ${kindNames.join(', ')}`);
      if (options.plan && options.as !== undefined)
        usage('--as can not be planned: load in its name, or say it in its system');
      if (options.plan) {
        const { makePlan } = await import('./load/run-plan.ts');
        await makePlan(name, file, options);
        return;
      }
      if (options.out !== undefined) usage('--out goes with --plan');
      const { load } = await import('./load/run.ts');
      const { withDatabase } = await import('./open.ts');
      const { onShutdown } = await import('./shutdown.ts');
      const abort = new AbortController();
      const release = onShutdown(() => abort.abort());
      const progress = startProgress(`load ${kind}`, 100);
      try {
        const result = await withDatabase(options, 'load', (opened) => {
          const { company, channel, system, as, rejects, restart } = options;
          return load(opened, name, file, {
            ...(company !== undefined && { company }),
            ...(channel !== undefined && { channel }),
            ...(system !== undefined && { system }),
            ...(as !== undefined && { as }),
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

  const plans = load.command('plans').description('plans of loads');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  common(plans.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option('--limit <n>', 'at most so many', whole, 50)
    .action(async (_options: object, command: Command) => {
      const { listAll } = await import('./load/run-plan.ts');
      await listAll(command.optsWithGlobals());
    });
  common(plans.command('show'))
    .description('one of them: what it touches, its items and what became of each')
    .argument('<plan>', 'its number, or the file of --out')
    .option('--state <state>', 'only items that are planned, applied, stale, refused, undone or kept')
    .option('--limit <n>', 'at most so many items', whole, 50)
    .action(async (plan: string, _options: object, command: Command) => {
      const { showPlan } = await import('./load/run-plan.ts');
      await showPlan(plan, command.optsWithGlobals());
    });
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

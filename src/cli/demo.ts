/** `crossdock demo`: the hub, its database and the simulated estate from one command; with --orders, the main job. */
import { type Command, InvalidArgumentError } from 'commander';

export interface DemoOptions {
  orders?: string;
  limitOrders?: number;
  ordersPerSecond?: number;
  untilDrained: boolean;
  json: boolean;
  faults: 'none' | 'storm';
  seed: number;
  /** JSON of rates, '' for the usual ones; absent: orders come as the file has them. */
  mutate?: string;
  port?: number;
  dir: string;
}

export function register(program: Command): void {
  program
    .command('demo')
    .description('run the hub with a simulated ERP, CRM, WMS, shop and marketplace, and feed them orders')
    .option('--orders <file>', 'a year of orders (gzipped CSV); without it a small generated file is used')
    .option('--limit-orders <n>', 'stop after this many orders', whole)
    .option(
      '--orders-per-second <n>',
      'feed so many; 0: as fast as they are taken (default: 4 of the generated file when nobody waits for its end, else 0)',
      whole,
    )
    .option('--until-drained', 'end when nothing is pending, compare every system, print a summary', false)
    .option('--faults <profile>', 'none or storm', profile, 'none')
    .option('--seed <n>', 'seed of everything that is random', whole, 1)
    .option(
      '--mutate [rates]',
      'orders are changed, cancelled in part, picked short and returned, accounts go over credit, prices move; rates such as changed=0.05,cancelledInPart=0.05,shortPicked=0.03,returned=0.02,overCredit=10,substitutes=200,pricesDrifting=0.1',
      rates,
    )
    .option('--port <n>', 'port of the hub (PORT; 8480)', whole)
    .option('--dir <folder>', 'where database and systems keep their data', '.crossdock')
    .option('--json', 'one JSON document on stdout at the end', false)
    .action(async ({ mutate, ...rest }: Omit<DemoOptions, 'mutate'> & { mutate?: string | true }) => {
      const options: DemoOptions = { ...rest, ...(mutate !== undefined && { mutate: mutate === true ? '' : mutate }) };
      const { runDemo } = await import('./demo/run.ts');
      process.exitCode = await runDemo(options);
    });
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

const RATES = ['changed', 'cancelledInPart', 'shortPicked', 'returned', 'overCredit', 'substitutes', 'pricesDrifting'];

function rates(text: string): string {
  const given = text.split(',').map((one): [string, number] => {
    const [name = '', value = ''] = one.split('=');
    if (!RATES.includes(name) || !/^\d{1,6}(\.\d{1,6})?$/.test(value))
      throw new InvalidArgumentError(`must be name=number, separated by commas; names: ${RATES.join(', ')}`);
    return [name, Number(value)];
  });
  return JSON.stringify(Object.fromEntries(given));
}

function profile(text: string): 'none' | 'storm' {
  if (text !== 'none' && text !== 'storm') throw new InvalidArgumentError('must be none or storm');
  return text;
}

/** The observer's command. Prints one JSON document; exit 0 everything holds, 1 it could not look, 2 usage, 3 findings. */
import { parseArgs } from 'node:util';
import { observe } from './observe.ts';

const USAGE =
  'usage: main.ts --orders FILE [--limit-orders N] --shop URL --marketplace URL --crm URL --erp URL --wms URL [--database-url URL --journals DIR --answered FILE]';

function usage(reason: string): never {
  console.error(`${reason}\n${USAGE}`);
  process.exit(2);
}

function options() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      options: {
        orders: text,
        'limit-orders': text,
        shop: text,
        marketplace: text,
        crm: text,
        erp: text,
        wms: text,
        'database-url': text,
        journals: text,
        answered: text,
      },
    }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

const values = options();
const need = (name: 'orders' | 'shop' | 'marketplace' | 'crm' | 'erp' | 'wms'): string => {
  const value = values[name];
  if (value === undefined || value === '') usage(`--${name} is missing`);
  return name === 'orders' ? value : value.replace(/\/+$/, '');
};
const limit = values['limit-orders'];
if (limit !== undefined && !/^\d{1,9}$/.test(limit)) usage(`--limit-orders must be a whole number, found ${limit}`);
const { 'database-url': database, journals, answered } = values;
if ((database === undefined) !== (journals === undefined) || (database === undefined) !== (answered === undefined))
  usage('--database-url, --journals and --answered belong together');
const asked = {
  shop: need('shop'),
  marketplace: need('marketplace'),
  crm: need('crm'),
  erp: need('erp'),
  wms: need('wms'),
  orders: need('orders'),
  limitOrders: limit === undefined ? undefined : Number(limit),
  hub: database === undefined ? undefined : { database, journals: journals!, answered: answered! },
};
try {
  const observation = await observe(asked);
  process.stdout.write(`${JSON.stringify(observation, null, 2)}\n`);
  process.exitCode = observation.holds ? 0 : 3;
} catch (error) {
  const { message, cause } = error as Error;
  console.error(cause === undefined ? message : `${message}: ${(cause as Error).message}`);
  process.exitCode = 1;
}

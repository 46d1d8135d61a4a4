/**
 * Judges what `crossdock demo --mutate --until-drained` left in its folder: the systems are started again on what they kept, the database as
 * it is. Prints one JSON document; exit 0 everything holds, 1 it could not look, 2 usage, 3 findings.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { mutationRates } from '../../sim/feeder/mutations.ts';
import { SIM_KINDS, type SimKind, startSim } from '../../sim/index.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { observeMutated } from '../observer/mutated/observe.ts';

const USAGE = 'usage: judge-demo.ts --dir FOLDER --orders FILE [--limit-orders N] [--seed S] [--rates JSON]';

async function newestDemo(server: string): Promise<string> {
  const client = new pg.Client(server);
  await client.connect();
  const { rows } = await client.query(
    "select datname from pg_database where datname like 'crossdock_demo_%' order by 1 desc",
  );
  await client.end();
  const url = new URL(server);
  url.pathname = `/${rows[0].datname}`;
  return url.href;
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      dir: { ...text, default: '.crossdock' },
      orders: text,
      'limit-orders': text,
      seed: { ...text, default: '1' },
      rates: { ...text, default: '' },
    },
  });
  if (values.orders === undefined) {
    console.error(USAGE);
    return 2;
  }
  const dir = resolve(values.dir);
  const journals = join(dir, 'demo');
  const server = await startEmbeddedPostgres({ dir: join(dir, 'pg') });
  const sims = await Promise.all(
    SIM_KINDS.map((kind) => startSim(kind, { data: join(journals, kind), seed: values.seed })),
  );
  try {
    const urls = Object.fromEntries(sims.map(({ kind, url }) => [kind, url])) as Record<SimKind, string>;
    const observation = await observeMutated({
      ...urls,
      orders: values.orders,
      limitOrders: values['limit-orders'] === undefined ? undefined : Number(values['limit-orders']),
      seed: Number(values.seed),
      rates: mutationRates(values.rates),
      hub: { database: await newestDemo(server.url), journals, answered: join(journals, 'answered.ndjson') },
    });
    process.stdout.write(`${JSON.stringify(observation, null, 2)}\n`);
    return observation.holds ? 0 : 3;
  } finally {
    await Promise.all(sims.map((sim) => sim.close()));
    await server.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.stack ?? error.message);
    process.exit(1);
  },
);

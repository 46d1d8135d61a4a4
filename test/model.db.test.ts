/** Model-based runs: the real process over PostgreSQL beside a small model of it. See test/model/README.md. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPromises } from '../src/ops/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { Stage } from './model/play.ts';
import { shrink } from './model/shrink.ts';
import { runsOf, type Step } from './model/steps.ts';

const database = useDatabase();
const runs = Number(process.env.CROSSDOCK_MODEL_RUNS ?? 200);
/** Everyone's runs are the same; more of them, as every night, are others each time. */
const isNightly = process.env.CROSSDOCK_MODEL_RUNS !== undefined;
const seed = Number(process.env.CROSSDOCK_MODEL_SEED ?? (isNightly ? Date.now() % 2_147_483_647 : 11));
/** Only this one of them. */
const only = process.env.CROSSDOCK_MODEL_RUN;
const TOGETHER = 20;
/** What the runs are about happens in them. */
const REACHED = [
  ...['order.accepted', 'order.held', 'order.hold_released', 'order.hold_ended', 'order.lines_allocated'],
  ...['order.changed', 'order.lines_added', 'order.change_confirmed'],
  ...['order.cancel_asked', 'order.lines_cancelled', 'fulfilment.short_picked', 'order.exception_raised'],
  ...['stock.picked', 'shipment.confirmed', 'document.posted', 'credit.reported'],
  ...['return.authorised', 'return.received', 'return.inspected'],
  // Too seldom to be in every few hundred.
  ...(runs >= 2_000 ? ['order.change_too_late'] : []),
];
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(database.url, database.pool);
});
afterAll(() => stage.hub.close());

/** What it takes to see the difference, a step a line. */
async function show(steps: readonly Step[], run: number, message: string): Promise<never> {
  let told = message;
  const isAlone = (await stage.play([steps])).length > 0;
  if (!isAlone) told += '\n(alone it does not differ: it takes the runs beside it, all runs of the seed again)';
  const shorter =
    process.env.CROSSDOCK_MODEL_SHRINK === 'no' || !isAlone
      ? steps
      : await shrink(steps, async (list) => {
          const [difference] = await stage.play([list]);
          if (difference !== undefined) told = `at step ${difference.step + 1}: ${difference.message}`;
          return difference !== undefined;
        });
  throw new Error(
    `the process and the model differ in run ${run} (CROSSDOCK_MODEL_SEED=${seed} CROSSDOCK_MODEL_RUN=${run} plays it alone), ${steps.length} steps, shrunk to ${shorter.length}:\n${shorter.map((step) => `  ${JSON.stringify(step)}`).join('\n')}\n${told}`,
  );
}

it(
  `${only === undefined ? runs : 1} runs of at least 30 steps, facts shuffled, doubled and late: the process stands where the model stands (seed ${seed})`,
  async () => {
    let played = 0;
    let n = 0;
    for (const group of runsOf(seed, runs, TOGETHER)) {
      const first = n;
      n += group.length;
      const wanted = only === undefined ? group : group.filter((_, i) => first + i === Number(only));
      if (wanted.length === 0) continue;
      const [difference] = await stage.play(wanted);
      if (difference !== undefined) {
        const run = only === undefined ? first + difference.run : Number(only);
        await show(wanted[difference.run]!, run, `at step ${difference.step + 1}: ${difference.message}`);
      }
      for (const steps of wanted) {
        expect(steps.length).toBeGreaterThanOrEqual(30);
        played += steps.length;
      }
    }
    expect(played).toBeGreaterThanOrEqual(30);
    const { rows } = await database.pool.query('select distinct type from fact');
    if (only === undefined && runs >= 200)
      expect(rows.map(({ type }) => type)).toEqual(expect.arrayContaining(REACHED));
    expect(stage.hub.errors).toEqual([]);
    expect(await violations(database.pool)).toEqual({});
    const broken = Object.entries(await checkPromises(stage.hub.db)).filter(([, { holds }]) => !holds);
    expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  },
  300_000 + runs * 3_000,
);

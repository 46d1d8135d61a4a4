/** Model-based runs: the real process over PostgreSQL beside a small model of it. See test/model/README.md. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPromises } from '../src/ops/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { Stage } from './model/play.ts';
import { steps } from './model/steps.ts';

const database = useDatabase();
const runs = Number(process.env.CROSSDOCK_MODEL_RUNS ?? 200);
const seed = process.env.CROSSDOCK_MODEL_SEED;
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(database.url, database.pool);
});
afterAll(() => stage.hub.close());

it(
  `${runs} runs of at least 30 steps, facts shuffled, doubled and late: the process stands where the model stands`,
  async () => {
    const played = { steps: 0, facts: 0 };
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        await stage.play(list);
        played.steps += list.length;
        played.facts += list.filter((one) => one.do === 'deliver').length;
      }),
      { numRuns: runs, ...(seed !== undefined && { seed: Number(seed) }) },
    );
    expect(played.steps).toBeGreaterThanOrEqual(30 * runs);
    expect(stage.hub.errors).toEqual([]);
    expect(await violations(database.pool)).toEqual({});
    const broken = Object.entries(await checkPromises(stage.hub.db)).filter(([, { holds }]) => !holds);
    expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  },
  120_000 + runs * 3_000,
);

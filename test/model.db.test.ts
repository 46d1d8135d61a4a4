/** Model-based runs: the real process over PostgreSQL beside a small model of it. See test/model/README.md. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPromises } from '../src/ops/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { Stage } from './model/play.ts';
import { type Step, steps } from './model/steps.ts';

const database = useDatabase();
const runs = Number(process.env.CROSSDOCK_MODEL_RUNS ?? 200);
const seed = process.env.CROSSDOCK_MODEL_SEED;
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(database.url, database.pool);
});
afterAll(() => stage.hub.close());

/** What it takes to see the difference, a step a line. */
function tell(result: fc.RunDetails<[(Step | null)[]]>): void {
  if (!result.failed) return;
  const steps = (result.counterexample?.[0] ?? []).filter((one) => one !== null);
  const shown = steps.map((one) => `  ${JSON.stringify(one)}`).join('\n');
  const cause = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  throw new Error(
    `the process and the model differ after ${result.numRuns} runs (CROSSDOCK_MODEL_SEED=${result.seed}), shrunk ${result.numShrinks} times to ${steps.length} steps:\n${shown}\n${cause}`,
  );
}

it(
  `${runs} runs of at least 30 steps, facts shuffled, doubled and late: the process stands where the model stands`,
  async () => {
    let played = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        await stage.play(list);
        played += list.filter((one) => one !== null).length;
      }),
      {
        numRuns: runs,
        endOnFailure: process.env.CROSSDOCK_MODEL_SHRINK === 'no',
        ...(seed !== undefined && { seed: Number(seed) }),
        reporter: tell,
      },
    );
    expect(played).toBeGreaterThanOrEqual(29 * runs);
    expect(stage.hub.errors).toEqual([]);
    expect(await violations(database.pool)).toEqual({});
    const broken = Object.entries(await checkPromises(stage.hub.db)).filter(([, { holds }]) => !holds);
    expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  },
  120_000 + runs * 3_000,
);

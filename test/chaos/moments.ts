/** When something is killed: seeded, so that a run can be repeated as far as processes can. */
import { seeded } from '../../sim/feeder/random.ts';
import { type ChaosEstate, pause } from './estate.ts';

/** `share`: of what one of the kills that are left has of the work that is left, in thousandths. */
export type Moment = { after: 'facts' | 'orders'; share: number } | { after: 'ms'; ms: number };

/** About a third of what an order of the file brings about in all. */
const FACTS_PER_ORDER = 12;

/** Every fourth comes shortly after the one before it, while what was killed starts; the others when work has moved on. */
export function planMoments(seed: number, count: number): Moment[] {
  return Array.from({ length: count }, (_, i): Moment => {
    if (i % 4 === 3) return { after: 'ms', ms: seeded(seed, `delay/${i}`, 2_500) };
    return { after: i % 3 === 2 ? 'orders' : 'facts', share: seeded(seed, `moment/${i}`, 1_600) };
  });
}

/** @returns what was waited for, and whether there was still work to do; the moment has come either way */
export async function reach(
  estate: ChaosEstate,
  moment: Moment,
  options: { orders: number; left: number; msMax: number },
): Promise<{ what: string; busy: boolean }> {
  if (moment.after === 'ms') {
    await pause(moment.ms);
    return { what: `${moment.ms} ms`, busy: !(await estate.isAtRest()) };
  }
  const started = performance.now();
  let goal: { after: 'facts' | 'orders'; count: number; factsAtMost: number } | undefined;
  for (let looks = 1; ; looks++) {
    estate.check();
    const progress = await estate.progress();
    if (goal === undefined && progress !== undefined) {
      const ordersLeft = Math.max(0, options.orders - progress.orders);
      const after = ordersLeft === 0 ? 'facts' : moment.after;
      const each = (ordersLeft / options.left) * (after === 'facts' ? FACTS_PER_ORDER : 1);
      // Intake waits while work is old, and then all that is left comes at once: work that goes on is a moment as good as orders that come.
      const factsAtMost = progress.facts + (1 + 2 * Math.ceil(ordersLeft / options.left)) * FACTS_PER_ORDER;
      goal = { after, count: progress[after] + 1 + Math.floor((moment.share / 1_000) * each), factsAtMost };
    }
    const what = goal === undefined ? 'no look' : `${goal.count} ${goal.after}`;
    if (goal !== undefined && progress !== undefined) {
      if (progress[goal.after] >= goal.count) return { what, busy: true };
      if (progress.facts >= goal.factsAtMost) return { what: `${goal.factsAtMost} facts`, busy: true };
    }
    if (looks % 20 === 0 && (await estate.isAtRest())) return { what, busy: false };
    if (performance.now() - started > options.msMax)
      throw new Error(
        `${what} were not reached in ${options.msMax / 1000} s: ${JSON.stringify(progress)}, ${await estate.explain()}`,
      );
    await pause(10);
  }
}

/** Makes a run that shows a difference as short and plain as it can be made. */
import type { Step } from './steps.ts';

/** @param isShown plays a run, and says whether it still differs */
export async function shrink(
  steps: readonly Step[],
  isShown: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let best = steps;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = best.length - size; at > -size; at -= size) {
      const shorter = best.filter((_, i) => i < at || i >= at + size);
      if (shorter.length < best.length && (await isShown(shorter))) best = shorter;
    }
  for (const [i, step] of best.entries())
    for (const plainer of plainerOf(step)) {
      const list = best.with(i, plainer);
      if (await isShown(list)) best = list;
    }
  return best;
}

/** The same step with one thing of it as plain as can be. */
function* plainerOf(step: Step): Generator<Step> {
  for (const [name, value] of Object.entries(step))
    if (Array.isArray(value) && value.length > 1) yield { ...step, [name]: value.slice(0, 1) } as Step;
    else if (typeof value === 'boolean' && value) yield { ...step, [name]: false } as Step;
    else if (typeof value === 'number' && value > 1) yield { ...step, [name]: 1 } as Step;
}

import { describe, expect, it } from 'vitest';
import { runAll, Slots } from './slots.ts';

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

describe('slots', () => {
  it('never run more than their number, also when a job ends while others wait', async () => {
    let running = 0;
    let most = 0;
    const gates = Array.from({ length: 9 }, gate);
    const slots = new Slots(3, () => {});
    const begun: number[] = [];
    const jobs = gates.map(({ passed }, i) =>
      slots
        .begin(async () => {
          most = Math.max(most, ++running);
          await passed;
          running--;
        })
        .then(() => begun.push(i)),
    );
    await Promise.all(jobs.slice(0, 3));
    expect([begun, running]).toEqual([[0, 1, 2], 3]);
    gates[1]!.open();
    // Asked for in the very moment in which one ends: it goes behind those who wait.
    const late = slots.begin(async () => {
      most = Math.max(most, ++running);
      running--;
    });
    await jobs[3];
    expect(begun).toEqual([0, 1, 2, 3]);
    for (const { open } of gates) open();
    await Promise.all([...jobs, late]);
    await slots.settled();
    expect([most, running]).toEqual([3, 0]);
  });

  it('report what fails and go on', async () => {
    const errors: unknown[] = [];
    const done: number[] = [];
    await runAll(
      [1, 2, 3].map((n) => async () => {
        if (n === 2) throw new Error('two');
        done.push(n);
      }),
      1,
      (error) => errors.push(error),
    );
    expect([done, errors]).toEqual([[1, 3], [new Error('two')]]);
  });
});

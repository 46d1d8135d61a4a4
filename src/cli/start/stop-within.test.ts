import { expect, test } from 'vitest';
import { UnderWay } from '../../store/index.ts';
import { stopWithin } from './stop-within.ts';

test('a stop that is not over in time says what it waits for, and only that', async () => {
  const waits = new UnderWay();
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const late: string[][] = [];
  const stopping = stopWithin({
    msMax: 30,
    work: async () => {
      await waits.until('requests', Promise.resolve());
      await waits.until('leases', Promise.reject(new Error('away')));
      await Promise.all([waits.until('deliveries to erp', held), waits.until('poll erp', Promise.resolve())]);
    },
    underWay: () => waits.names,
    onLate: (names) => {
      late.push(names);
      end();
    },
  });
  await stopping;
  expect(late).toEqual([['deliveries to erp']]);
});

test('one that is over in time says nothing', async () => {
  const late: string[][] = [];
  await stopWithin({ msMax: 20, work: async () => {}, underWay: () => ['never'], onLate: (names) => late.push(names) });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(late).toEqual([]);
});

import { expect, it } from 'vitest';
import { type TurnKind, Turns } from './turns.ts';

it('the most pressing go first, and after three of a kind those behind have one', async () => {
  const turns = new Turns();
  const had: TurnKind[] = [];
  const leave = await turns.take('rest');
  const all = (['rest', 'intake', 'numbers'] as const).flatMap((kind) =>
    Array.from({ length: kind === 'rest' ? 2 : 5 }, async () => {
      const end = await turns.take(kind);
      had.push(kind);
      end();
    }),
  );
  leave();
  await Promise.all(all);
  const [n, i, r] = ['numbers', 'intake', 'rest'] as const;
  expect(had).toEqual([n, n, n, i, n, n, i, i, r, i, i, r]);
});

it('nobody overtakes those who wait, and a turn that is free is had at once', async () => {
  const turns = new Turns();
  const had: string[] = [];
  const first = await turns.take('rest');
  const second = turns.take('rest').then((end) => {
    had.push('second');
    end();
  });
  first();
  await turns.take('rest').then((end) => {
    had.push('third');
    end();
  });
  await second;
  expect(had).toEqual(['second', 'third']);
});

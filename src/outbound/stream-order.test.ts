import { describe, expect, it } from 'vitest';
import type { Fact } from '../log/index.ts';
import type { Tx } from '../store/index.ts';
import { inStreamOrder, PlannedStreams } from './stream-order.ts';

const fact = (stream: string, version: number): Fact => ({
  position: version,
  transactionId: '1',
  type: 'order.confirmed',
  stream,
  version,
  companyId: 1,
  occurredAt: '2026-03-02T10:00:00.000Z',
  recordedAt: new Date(0),
  data: {},
});

describe('what this process has planned', () => {
  it('is not asked for again, and everything else is', async () => {
    const asked: unknown[] = [];
    const tx = {
      xid: '1',
      query: async (_: unknown, values: readonly unknown[]) => {
        asked.push(values.slice(1, 3));
        return [];
      },
      write: () => {},
    } as unknown as Tx;
    const planned = new PlannedStreams();
    planned.enter(1);
    planned.add([fact('order/1', 2)]);
    await inStreamOrder(tx, 'outbound', [fact('order/1', 3), fact('order/2', 3), fact('order/3', 1)], planned);
    expect(asked).toEqual([['{"order/2"}', '{2}']]);
    await inStreamOrder(tx, 'outbound', [fact('order/1', 3)]);
    expect(asked).toHaveLength(2);
  });

  it('stands for all that came before it, only grows, and is forgotten when the log goes on from an earlier moment', () => {
    const planned = new PlannedStreams();
    planned.enter(1);
    planned.add([fact('order/a', 5), fact('order/a', 3), fact('stock/1@2', 9)]);
    expect([
      planned.has('order/a', 5),
      planned.has('order/a', 1),
      planned.has('order/a', 6),
      planned.has('stock/1@2', 9),
    ]).toEqual([true, true, false, false]);
    planned.enter(1);
    expect(planned.has('order/a', 5)).toBe(true);
    planned.enter(2);
    expect(planned.has('order/a', 1)).toBe(false);
  });

  it('is bounded: the older half goes', () => {
    const planned = new PlannedStreams();
    planned.enter(1);
    for (let i = 0; i < 30_001; i++) planned.add([fact(`order/${i}`, 1)]);
    const known = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => planned.has(`order/${from + i}`, 1)).filter(Boolean).length;
    expect([known(0, 10_000), known(20_000, 30_001)]).toEqual([0, 10_001]);
  });
});

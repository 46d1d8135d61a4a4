import { describe, expect, it } from 'vitest';
import { answer, cancel, change, confirm, pick, shortPick, submit, World } from './testing.ts';
import type { OrderCommand } from './types.ts';

describe('units that were asked to be stopped too late', () => {
  // The WMS had picked the only unit of line 1 when it was asked to stop it; that it was picked is not heard of yet.
  const given = () => {
    const order = new World([[1, 1, 1]]).given(
      submit({ quantity: 6 }),
      ...[confirm, cancel(6), change([[1, 1]]), { kind: 'confirm_change', lineNos: [100_001] } as const],
      answer(10, 0, 1),
    );
    order.shelf(1, 1).free = 1;
    return order.given({ kind: 'allocate_backorders', lineNos: [1, 100_001] });
  };

  it('are on their way back, and are not asked for again with those that were added', () => {
    const order = given().given(change([[1, 0]], { reference: 'CH2' }));
    expect([order.shown(1), order.shown(100_001)]).toEqual([
      '6 allocated 1 cancelled 5 expected 1',
      '1 allocated 1 asked 1',
    ]);
  });

  it('stand in for no unit that is picked: it is too late for that', () => {
    const order = given().given(pick(11, 1, 100_001));
    expect(order.when(change([[1, 0]], { reference: 'CH2' }))).toMatchObject({ ok: false, refused: 'too_late' });
  });
});

it('units that are asked to be stopped and were picked meanwhile take nothing from what can be stopped', () => {
  const order = new World([[1, 1, 9]]).given(
    ...[submit({ quantity: 5 }), confirm, cancel(4), pick(10, 5), change([[1, 4]])],
    { kind: 'confirm_change', lineNos: [100_001] },
  );
  order.given(change([[1, 2]], { reference: 'CH2' }));
  expect([order.shown(1), order.shown(100_001)]).toEqual(['5 picked 5 asked 4', '3 allocated 3 asked 2']);
});

it('units that were added are taken back in the order of their lines, however they were read', () => {
  const order = new World([[1, 1, 9]]).given(
    ...[submit({ quantity: 2 }), change([[1, 4]]), change([[1, 6]], { reference: 'CH2' }), confirm],
    { kind: 'confirm_change', lineNos: [100_001, 100_002] },
  );
  order.order!.lines = new Map([...order.order!.lines].reverse());
  order.given(cancel(3));
  expect([order.shown(1), order.shown(100_001), order.shown(100_002)]).toEqual([
    ...['2 allocated 2 asked 2', '2 allocated 2 asked 1', '2 allocated 2'],
  ]);
});

it('of units that are asked to be stopped, no more are given up than were not found: others are picked', () => {
  const order = new World([[1, 1, 4]]).given(
    submit({ quantity: 4 }),
    confirm,
    cancel(2),
    pick(10, 3),
    shortPick(10, 1),
  );
  expect(order.shown()).toBe('4 picked 3 asked 1 cancelled 1');
  order.given(answer(10, 0, 1));
  expect(order.shown()).toBe('4 picked 3 cancelled 1 expected 1');
});

describe('units that were added and that the ERP does not know yet', () => {
  const added = () => new World([[1, 1, 2]]).given(submit({ quantity: 2 }), confirm, change([[1, 7]]));
  const reassign = (wanted: { quantity: number }): OrderCommand => ({
    kind: 'reassign',
    lines: [
      { lineNo: 100_001, waiting: 5, promised: 0, release: [], take: [{ locationId: 1, ...wanted }], commitments: [] },
    ],
  });

  it('are given stock by a rerun, and are asked of the WMS once the ERP has them', () => {
    const order = added();
    order.shelf(1, 1).free = 5;
    order.given(reassign({ quantity: 5 }));
    expect(order.history.at(-1)).toMatchObject({ type: 'order.lines_reassigned' });
    order.given({ kind: 'confirm_change', lineNos: [100_001] });
    expect(order.history.at(-1)).toMatchObject({
      type: 'fulfilment.requested',
      lines: [{ lineNo: 100_001, quantity: 5 }],
    });
  });

  it('are given back at once, and the WMS is asked for none of them', () => {
    const order = added();
    order.shelf(1, 1).free = 5;
    order.given(reassign({ quantity: 5 }), cancel(6));
    expect([order.shown(1), order.shown(100_001)]).toEqual(['2 allocated 2 asked 1', '5 cancelled 5']);
  });
});

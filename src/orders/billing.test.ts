import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountMinor, taxMinor, taxOfBases, taxOfUnits } from '../canonical/index.ts';
import {
  answer,
  cancel,
  confirm,
  inspect,
  invoice,
  pick,
  receiveReturn,
  requestReturn,
  ship,
  submit,
  World,
} from './testing.ts';
import type { Charged, ChargePolicy, OrderCommand, OrderEvent, SubmitCommand, Taxed } from './types.ts';

const KEEP = { onCancel: 'keep', onReturn: 'keep' } as const;
const SHARE = { onCancel: 'share', onReturn: 'share' } as const;
const policy = (rest: Partial<ChargePolicy> = {}): ChargePolicy => ({
  ...{ freight: KEEP, other: KEEP, restockingFee: null },
  ...rest,
});
const none: Taxed = { amountMinor: 0, taxMinor: 0 };
const plus = (a: Taxed, b: Partial<Taxed>, sign = 1): Taxed => ({
  amountMinor: a.amountMinor + sign * (b.amountMinor ?? 0),
  taxMinor: a.taxMinor + sign * (b.taxMinor ?? 0),
});
const sumOf = (list: readonly Partial<Taxed>[]) => list.reduce<Taxed>((all, one) => plus(all, one), none);

/** Invoices what leaves as it is told to, and credits what it is asked to: goods, charges and tax. */
class Erp {
  invoiced = none;
  credited = none;
  readonly charges = new Map<number, Taxed>();
  readonly lines = new Map<number, Taxed>();
  #number = 0;

  /** @returns what it posts for an event */
  hears(event: OrderEvent, says: 'parts' | 'sum'): OrderCommand[] {
    if (event.type === 'shipment.confirmed')
      return [
        this.#post(
          'invoice',
          says,
          event.lines,
          (event.charges ?? []).map((part) => ({ charge: part.chargeNo, ...part })),
        ),
      ];
    if (event.type !== 'return.received' && event.type !== 'return.inspected') return [];
    if (event.type === 'return.received' ? event.inspection === 'before_credit' : event.inspection !== 'before_credit')
      return [];
    const lines = (
      event.lines as {
        lineNo: number;
        quantity?: number;
        restock?: number;
        amountMinor: number;
        askedMinor?: number;
        taxMinor?: number;
        askedTaxMinor?: number;
      }[]
    ).map(
      ({
        lineNo,
        quantity,
        restock,
        amountMinor: minor,
        askedMinor = minor,
        taxMinor: tax = 0,
        askedTaxMinor = tax,
      }) => ({
        ...{ lineNo, quantity: quantity ?? restock ?? 0, amountMinor: askedMinor, taxMinor: askedTaxMinor },
      }),
    );
    const charges = (event.charges ?? []).map(
      ({ chargeNo, amountMinor: minor, taxMinor: tax, askedMinor = minor, askedTaxMinor = tax }) => ({
        ...{ charge: chargeNo, amountMinor: askedMinor, taxMinor: askedTaxMinor },
      }),
    );
    const fee =
      event.fee === undefined
        ? []
        : [{ code: event.fee.code, amountMinor: -event.fee.amountMinor, taxMinor: -event.fee.taxMinor }];
    return [this.#post('credit_note', says, lines, [...charges, ...fee])];
  }

  #post(
    document: 'invoice' | 'credit_note',
    says: 'parts' | 'sum',
    lines: readonly { lineNo: number; quantity: number; amountMinor: number; taxMinor?: number }[],
    charges: readonly { charge?: number; code?: string; amountMinor: number; taxMinor: number }[],
  ): OrderCommand {
    const total = sumOf([...lines, ...charges]);
    const sign = document === 'invoice' ? 1 : -1;
    if (document === 'invoice') this.invoiced = plus(this.invoiced, total);
    else this.credited = plus(this.credited, total);
    for (const { charge, ...part } of charges)
      if (charge !== undefined) this.charges.set(charge, plus(this.charges.get(charge) ?? none, part, sign));
    for (const { lineNo, ...part } of lines) this.lines.set(lineNo, plus(this.lines.get(lineNo) ?? none, part, sign));
    const bare = <T extends { taxMinor?: number }>({ taxMinor: _, ...part }: T) => part;
    return {
      ...{ kind: 'post_document', document, source: 'erp', number: `D${++this.#number}`, currency: 'GBP' },
      totalMinor: total.amountMinor,
      lines: says === 'parts' ? [...lines] : lines.map(bare),
      charges: says === 'parts' ? [...charges] : charges.map(bare),
      ...(says === 'sum' && { taxMinor: total.taxMinor }),
    } as OrderCommand;
  }
}

function ordered(lines: { quantity: number; unitPrice: string }[], charged: Charged): SubmitCommand {
  return { ...submit(...lines.map((line, i) => ({ ...line, skuId: i + 1 }))), charged };
}

/** Tells the ERP what happens, and the order what the ERP posts. */
function play(world: World, erp: Erp, commands: readonly OrderCommand[], says: 'parts' | 'sum'): void {
  for (const command of commands) {
    const decision = world.when(command);
    expect(decision, JSON.stringify(command)).toMatchObject({ ok: true });
    if (!decision.ok) return;
    for (const event of decision.events)
      for (const posted of erp.hears(event, says)) {
        world.given(posted);
        // As the hub understood it: a sum is split into exactly what it was told.
        const last = world.history.at(-1) as Extract<OrderEvent, { type: 'document.posted' }>;
        const parts = sumOf([...last.lines, ...(last.charges ?? [])]);
        expect(parts.taxMinor).toBe(last.taxMinor ?? 0);
      }
    // Part by part never more is given back than was charged: nothing turns its sign.
    for (const left of erp.lines.values()) expect(Math.min(left.amountMinor, left.taxMinor)).toBeGreaterThanOrEqual(0);
    for (const [chargeNo, left] of erp.charges) {
      const sign = Math.sign(world.order!.billing!.charges.get(chargeNo)!.amountMinor);
      expect(Math.min(sign * left.amountMinor, sign * left.taxMinor) + 0).toBeGreaterThanOrEqual(0);
    }
  }
}

const freight = (amount: number, chargeNo = 1) => ({
  chargeNo,
  kind: 'freight' as const,
  code: 'STD',
  amountMinor: amount,
});
const allowance = (amount: number, chargeNo = 2) => ({
  chargeNo,
  kind: 'allowance' as const,
  code: 'PROMO',
  amountMinor: amount,
});
const orderTax = (rate: string, baseMinor: number) => ({
  ...{
    taxNo: 1,
    lineNo: null,
    chargeNo: null,
    code: 'VAT',
    rate,
    baseMinor,
    taxMinor: taxMinor(baseMinor, rate),
    ownMinor: null,
  },
});

describe('charges', () => {
  it('that stay whole are invoiced once, with the first goods, and end with the whole order alone', () => {
    const erp = new Erp();
    const world = new World([[1, 1, 10]]);
    world.given(
      ordered([{ quantity: 10, unitPrice: '1.00' }], { charges: [freight(500)], taxes: [orderTax('20', 1500)] }),
      confirm,
    );
    play(world, erp, [cancel(2), answer(10, 2, 0), pick(10, 8), ship(10, 3), ship(10, 5)], 'parts');
    expect(erp.charges.get(1)).toEqual({ amountMinor: 500, taxMinor: 100 });
    expect(erp.invoiced).toEqual({ amountMinor: 1300, taxMinor: 260 });
    play(world, erp, [requestReturn(8), receiveReturn(50, 8)], 'parts');
    expect(erp.credited).toEqual({ amountMinor: 800, taxMinor: 160 });

    const stopped = new World([[1, 1, 10]]);
    stopped.given(
      ordered([{ quantity: 10, unitPrice: '1.00' }], { charges: [freight(500)], taxes: [orderTax('20', 1500)] }),
    );
    stopped.given(cancel(4), { kind: 'cancel_order', reference: 'all' });
    const cancelled = stopped.history.filter((event) => event.type === 'order.lines_cancelled');
    expect(cancelled.map(({ charges = [] }) => charges)).toEqual([
      [],
      [{ chargeNo: 1, amountMinor: 500, taxMinor: 100 }],
    ]);
    expect(sumOf(cancelled.flatMap(({ lines }) => lines))).toEqual({ amountMinor: 1000, taxMinor: 200 });
    expect(stopped.order!.state).toBe('cancelled');
  });

  it('that follow the goods are invoiced, ended and refunded by the amount of those', () => {
    const erp = new Erp();
    const world = new World([[1, 1, 10]]);
    world.charging = policy({ freight: SHARE });
    world.given(
      ordered([{ quantity: 3, unitPrice: '1.00' }], { charges: [freight(100), allowance(-50)], taxes: [] }),
      confirm,
    );
    play(world, erp, [pick(10, 2), ship(10, 1), cancel(1, 1, 'C'), requestReturn(1), receiveReturn(50, 1)], 'parts');
    const parts = (type: OrderEvent['type']) =>
      world.history.flatMap((event) =>
        (event.type === type && 'charges' in event ? (event.charges as { amountMinor: number }[]) : []).map(
          (part) => part.amountMinor,
        ),
      );
    // 100 and -50 by thirds: 33 and 33 and 34, 17 and 16 and 17.
    expect(parts('shipment.confirmed')).toEqual([33, -17]);
    expect(parts('return.received')).toEqual([33, -17]);
    play(world, erp, [answer(10, 1, 0), ship(10, 1)], 'parts');
    expect(parts('order.lines_cancelled')).toEqual([33, -17]);
    expect(parts('shipment.confirmed')).toEqual([33, -17, 34, -16]);
    expect(erp.charges).toEqual(
      new Map([
        [1, { amountMinor: 34, taxMinor: 0 }],
        [2, { amountMinor: -16, taxMinor: 0 }],
      ]),
    );
  });

  it('cost a restocking fee, unless the reason says otherwise', () => {
    for (const [reason, fee] of [
      [null, { code: 'FEE', amountMinor: 30, taxMinor: 6 }],
      ['damaged', undefined],
    ] as const) {
      const world = new World([[1, 1, 10]]);
      world.charging = policy({ restockingFee: { percent: '15', code: 'FEE', exceptReasons: ['damaged'] } });
      world.given(
        ordered([{ quantity: 5, unitPrice: '1.00' }], { charges: [], taxes: [orderTax('20', 500)] }),
        confirm,
        pick(10, 5),
        ship(10, 5),
      );
      world.given({ ...requestReturn(2), reason } as OrderCommand, receiveReturn(50, 2));
      expect(world.history.at(-1)).toMatchObject({
        type: 'return.received',
        lines: [{ amountMinor: 200, taxMinor: 40 }],
      });
      expect((world.history.at(-1) as { fee?: object }).fee).toEqual(fee);
    }
  });

  it('are found in a document by number, code or kind; what was not agreed has no number', () => {
    const world = new World([[1, 1, 5]]).given(
      ordered([{ quantity: 5, unitPrice: '1.00' }], { charges: [freight(100), allowance(-50)], taxes: [] }),
      ...[confirm, pick(10, 5), ship(10, 5)],
    );
    const said = [
      { charge: 1, amountMinor: 1 },
      { code: 'PROMO', amountMinor: -2 },
      { kind: 'freight', code: 'UPS', amountMinor: 3 },
      { code: 'TIP', amountMinor: 4 },
      { charge: 9, amountMinor: 5 },
    ];
    world.given({ ...invoice(5, 500), charges: said, totalMinor: 511 } as OrderCommand);
    expect(
      (world.history.at(-1) as { charges: { chargeNo: number | null }[] }).charges.map(({ chargeNo }) => chargeNo),
    ).toEqual([1, 2, 1, null, null]);
    expect(world.order!.billing!.charges.get(1)!.invoiced).toEqual({ amountMinor: 4, taxMinor: 0 });
  });

  it('that were credited ahead are not asked for again', () => {
    const erp = new Erp();
    const world = new World([[1, 1, 10]]);
    world.charging = policy({ freight: SHARE });
    world.given(
      ordered([{ quantity: 4, unitPrice: '1.00' }], { charges: [freight(100)], taxes: [orderTax('20', 500)] }),
      confirm,
    );
    play(world, erp, [pick(10, 4), ship(10, 4)], 'parts');
    const ahead = { charge: 1, amountMinor: 60, taxMinor: 12 };
    world.given({
      ...invoice(2, 150),
      document: 'credit_note',
      number: 'C1',
      totalMinor: 210,
      lines: [{ lineNo: 1, quantity: 2, amountMinor: 150, taxMinor: 30 }],
      charges: [ahead],
    } as OrderCommand);
    world.given(requestReturn(4), receiveReturn(50, 4));
    expect(world.history.at(-1)).toMatchObject({
      lines: [{ amountMinor: 400, askedMinor: 250, taxMinor: 80, askedTaxMinor: 50 }],
      charges: [{ chargeNo: 1, amountMinor: 100, taxMinor: 20, askedMinor: 40, askedTaxMinor: 8 }],
    });
  });
});

interface Run {
  lines: { quantity: number; unitPrice: string }[];
  taxedBy: 'line' | 'order';
  rate: string;
  freight: number;
  off: number;
  keeps: ChargePolicy;
  inspects: 'before_credit' | 'after_credit' | undefined;
  says: 'parts' | 'sum';
  steps: { at: number; do: 'ship' | 'cancel' | 'return'; part: number }[];
}

const rule = fc.record({
  onCancel: fc.constantFrom('keep', 'share'),
  onReturn: fc.constantFrom('keep', 'share'),
} as const) as fc.Arbitrary<ChargePolicy['freight']>;
const runs = (lines: fc.Arbitrary<Run['lines']>): fc.Arbitrary<Run> =>
  fc.record({
    lines,
    taxedBy: fc.constantFrom('line', 'order'),
    rate: fc.constantFrom('20', '8.875', '5.5', '0'),
    freight: fc.integer({ min: 0, max: 2_000 }),
    off: fc.integer({ min: 0, max: 300 }),
    keeps: fc.record({ freight: rule, other: rule, restockingFee: fc.constant(null) }),
    inspects: fc.constantFrom('before_credit', 'after_credit', undefined),
    says: fc.constantFrom('parts', 'sum'),
    steps: fc.array(
      fc.record({
        at: fc.nat(10),
        do: fc.constantFrom('ship', 'cancel', 'return'),
        part: fc.integer({ min: 1, max: 100 }),
      }),
      { maxLength: 25 },
    ),
  } as const) as fc.Arbitrary<Run>;
const anyLines = fc.array(
  fc.record({
    quantity: fc.integer({ min: 1, max: 40 }),
    unitPrice: fc.constantFrom('1.335', '0.005', '0.001', '0.333', '19.995', '2.50', '0'),
  }),
  { minLength: 1, maxLength: 4 },
);
/** 1,920 units in four lines, of which the tax by line and the tax by order are 0.02 apart. */
const of1920 = fc.constant([1, 2, 3, 4].map(() => ({ quantity: 480, unitPrice: '0.333' })));

function chargedOf({ lines, taxedBy, rate, freight: freightMinor, off }: Run): Charged {
  const amounts = lines.map(({ quantity, unitPrice }) => amountMinor(unitPrice, quantity, 'GBP'));
  const charges = [
    freight(freightMinor),
    allowance(
      0 -
        Math.min(
          off,
          amounts.reduce((a, b) => a + b, 0),
        ),
    ),
  ];
  const bases = [...amounts, ...charges.map((charge) => charge.amountMinor)];
  const taxes: Charged['taxes'] = bases.map((baseMinor, i) => ({
    ...{ taxNo: i + 1, code: 'VAT', rate, baseMinor, taxMinor: taxMinor(baseMinor, rate), ownMinor: null },
    ...{ lineNo: i < lines.length ? i + 1 : null, chargeNo: i < lines.length ? null : i - lines.length + 1 },
  }));
  if (taxedBy === 'line') return { charges, taxes };
  const baseMinor = bases.reduce((a, b) => a + b, 0);
  return {
    charges,
    taxes: [{ ...taxes[0]!, lineNo: null, chargeNo: null, baseMinor, taxMinor: taxOfBases(bases, rate, 'order') }],
  };
}

/** Any shipments, cancels and returns, and in the end nothing left to do. */
function settle(run: Run): { world: World; erp: Erp } {
  const world = new World(run.lines.map(({ quantity }, i) => [i + 1, 1, quantity]));
  world.charging = run.keeps;
  world.inspection = run.inspects;
  const erp = new Erp();
  world.given(ordered(run.lines, chargedOf(run)), confirm);
  let references = 0;
  const does = (what: 'ship' | 'cancel' | 'return', lineNo: number, quantity: number) => {
    if (quantity <= 0) return;
    if (what === 'ship') play(world, erp, [pick(10, quantity, lineNo), ship(10, quantity, lineNo)], run.says);
    else if (what === 'cancel')
      play(world, erp, [cancel(quantity, lineNo, `C${++references}`), answer(10, quantity, 0, lineNo)], run.says);
    else {
      play(world, erp, [requestReturn(quantity, lineNo, `R${++references}`)], run.says);
      const returnId = Math.max(...world.order!.returns.keys());
      play(world, erp, [receiveReturn(returnId, quantity, lineNo)], run.says);
      if (run.inspects === undefined) return;
      const scrap = Math.floor(quantity / 2);
      play(world, erp, [inspect(returnId, { scrap, restock: quantity - scrap }, { lineNo })], run.says);
    }
  };
  const openOf = (lineNo: number) => world.line(lineNo).allocated;
  const backOf = (lineNo: number) => world.line(lineNo).shipped - world.line(lineNo).returned;
  for (const step of run.steps) {
    const lineNo = (step.at % run.lines.length) + 1;
    const most = step.do === 'return' ? backOf(lineNo) : openOf(lineNo);
    does(step.do, lineNo, Math.ceil((most * step.part) / 100));
  }
  run.lines.forEach((_, i) => void does(run.steps.length % 2 === 0 ? 'ship' : 'cancel', i + 1, openOf(i + 1)));
  return { world, erp };
}

function judge(run: Run): void {
  const { world, erp } = settle(run);
  const { order } = world;
  let goods = none;
  for (const line of order!.lines.values()) {
    const { quantity, cancelled, returned, unitPrice, taxMinor: tax, lineNo } = line;
    // What was agreed of the line, less what was cancelled from its beginning and what came back from its end.
    const kept = {
      amountMinor: amountMinor(unitPrice, quantity - returned, 'GBP') - amountMinor(unitPrice, cancelled, 'GBP'),
      taxMinor: taxOfUnits(tax, quantity - returned, quantity) - taxOfUnits(tax, cancelled, quantity),
    };
    expect(erp.lines.get(lineNo) ?? none, `line ${lineNo}`).toEqual(kept);
    const { shipped } = line;
    if (shipped === returned) expect(kept).toEqual(none);
    goods = plus(goods, kept);
  }
  const { billing, chargesMinor, taxMinor: agreedTax, totalMinor } = order!;
  let charges = none;
  for (const charge of billing!.charges.values()) {
    const { due, cancelled, refunded, invoiced, credited, chargeNo } = charge;
    // Once nothing is left to leave, all of it went one way or the other, and once.
    expect(plus(due, cancelled)).toEqual({ amountMinor: charge.amountMinor, taxMinor: charge.taxMinor });
    expect(invoiced).toEqual(due);
    expect(credited).toEqual(refunded);
    const kept = plus(due, refunded, -1);
    expect(erp.charges.get(chargeNo) ?? none).toEqual(kept);
    const { kind } = charge;
    const { onCancel, onReturn } = kind === 'allowance' ? SHARE : run.keeps.freight;
    const isAllBack = [...order!.lines.values()].every(({ shipped, returned }) => shipped === returned);
    if (isAllBack && onReturn === 'share' && onCancel === 'share') expect(kept).toEqual(none);
    if (order!.progress.shipped > 0 && onCancel === 'keep') expect(due.amountMinor).toBe(charge.amountMinor);
    if (order!.progress.shipped === 0) expect(kept).toEqual(none);
    charges = plus(charges, kept);
  }
  expect(plus(erp.invoiced, erp.credited, -1)).toEqual(plus(goods, charges));
  // All that was agreed is accounted for: kept, cancelled, or back.
  const agreed = { amountMinor: totalMinor, taxMinor: agreedTax };
  const cancelled = sumOf(
    world.history.flatMap((event) =>
      event.type === 'order.lines_cancelled' ? [...event.lines, ...(event.charges ?? [])] : [],
    ),
  );
  expect(plus(plus(erp.invoiced, cancelled), agreed, -1)).toEqual(none);
  expect(chargesMinor).toBe(
    sumOf([...billing!.charges.values()].map(({ amountMinor: minor }) => ({ amountMinor: minor }))).amountMinor,
  );
  expect(order!.state).toMatch(/^(closed|cancelled)$/);
}

describe('invoices less credit notes', () => {
  it('are the agreed amount of what was kept, after any shipments, cancels and returns', () => {
    fc.assert(fc.property(runs(anyLines), judge), { numRuns: 400 });
  });

  it('on 1,920 units whose tax by line and by order are 0.02 apart, to the minor unit', () => {
    const bases = [1, 2, 3, 4].map(() => amountMinor('0.333', 480, 'GBP'));
    expect(taxOfBases(bases, '8.875', 'line') - taxOfBases(bases, '8.875', 'order')).toBe(2);
    fc.assert(
      fc.property(runs(of1920), (run) => judge({ ...run, rate: '8.875' })),
      { numRuns: 150 },
    );
  });
});

/** What accounts owe, played beside a small model: reports late, doubled and out of order, cancels in parts, releases by rule and by people. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { cancel, moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import type { InboundItem } from '../canonical/index.ts';
import { creditItem } from '../connectors/kit/index.ts';
import { readCredit } from '../credit/index.ts';
import { checkPromises } from '../ops/index.ts';
import { listHolds, releaseHold, sweepCredit } from './index.ts';

const RUNS = 12;
const STEPS = 24;
const database = useDatabase();
let hub: SmallHub;
let run = 0;

beforeAll(async () => {
  const api = { company: 'acme', sells: 'asks' as const, locations: ['north'], credit: 'check' as const };
  hub = await SmallHub.open({
    url: database.url,
    estate: { ...smallEstate({ api }), credit: { freshMs: 86_400_000 } },
  });
  await hub.seed(['A']);
  await hub.receive('wms', [moved('stock', 'A', 'north', 10_000_000)]);
});
afterAll(async () => {
  const promises = await checkPromises(hub.db);
  expect(promises.I10.examples).toEqual([]);
  expect(promises.I8.examples).toEqual([]);
  await hub.close();
});

interface Known {
  units: number;
  isHeld: boolean;
  /** Shown by a report: it counts no more. */
  isShown: boolean;
}

/** The same rules, without locks, sets or SQL. */
class Model {
  limit = 0;
  openOrders = 0;
  openInvoices = 0;
  asOf = Number.NEGATIVE_INFINITY;
  readonly orders = new Map<string, Known>();

  get claimed(): number {
    let sum = 0;
    for (const { units, isHeld, isShown } of this.orders.values()) if (!isHeld && !isShown) sum += units * 100;
    return sum;
  }
  fits(units: number): boolean {
    return this.openOrders + this.openInvoices + this.claimed + units * 100 <= this.limit;
  }
  submit(no: string, units: number): void {
    this.orders.set(no, { units, isHeld: !this.fits(units), isShown: false });
  }
  report(at: number, limit: number, openOrders: number, openInvoices: number, shown: readonly string[]): void {
    if (at <= this.asOf) return;
    Object.assign(this, { asOf: at, limit, openOrders, openInvoices });
    for (const no of shown) {
      const known = this.orders.get(no);
      if (known !== undefined && !known.isHeld) known.isShown = true;
    }
  }
  sweep(): void {
    for (const known of this.orders.values())
      if (known.isHeld && known.units > 0 && this.fits(known.units)) known.isHeld = false;
  }
}

type Step =
  | { do: 'submit'; units: number }
  | { do: 'cancel'; which: number; units: number }
  | { do: 'report'; at: number; limit: number; openOrders: number; openInvoices: number; shown: number[] }
  | { do: 'again'; which: number }
  | { do: 'sweep' }
  | { do: 'person'; which: number };
const index = fc.nat(30);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('submit' as const), units: fc.integer({ min: 1, max: 40 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('cancel' as const),
        which: index,
        units: fc.integer({ min: 1, max: 15 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('report' as const),
        at: fc.integer({ min: 1, max: 500 }),
        limit: fc.integer({ min: 0, max: 15_000 }),
        openOrders: fc.integer({ min: 0, max: 6_000 }),
        openInvoices: fc.integer({ min: -1_000, max: 6_000 }),
        shown: fc.array(index, { maxLength: 6 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), which: index }) },
    { weight: 2, arbitrary: fc.constant({ do: 'sweep' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('person' as const), which: index }) },
  ),
  { minLength: STEPS, maxLength: STEPS },
);

async function play(list: readonly Step[]): Promise<void> {
  const name = `M${++run}`;
  const model = new Model();
  await hub.seed(['A'], [name]);
  await hub.directory.loadAccounts([{ companyId: 1, code: name }]);
  const accountId = hub.directory.findAccountId(1, name)!;
  const began = Date.now() - 3_600_000;
  const sent: { system: string; item: InboundItem }[] = [];
  const send = async (system: string, item: InboundItem) => {
    sent.push({ system, item });
    const [result] = await hub.receive(system, [item]);
    return result!.status;
  };
  const pick = (which: number): string | undefined => [...model.orders.keys()][which % Math.max(1, model.orders.size)];
  const report = async (step: Extract<Step, { do: 'report' }>) => {
    const { at, limit, openOrders, openInvoices } = step;
    const shown = step.shown.flatMap((which) => pick(which) ?? []);
    const draft = creditItem('erp', {
      ...{ kind: 'credit.reported', account: name, company: 'acme', currency: 'GBP', limitMinor: limit },
      ...{ openOrdersMinor: openOrders, openInvoicesMinor: openInvoices },
      ...{ asOf: new Date(began + at * 1_000).toISOString(), orders: shown.map((no) => `api/${no}`) },
    });
    await send('erp', { ...draft, itemNo: 0 });
    model.report(at, limit, openOrders, openInvoices, shown);
  };
  await report({ do: 'report', at: 0, limit: 10_000, openOrders: 0, openInvoices: 0, shown: [] });
  for (const [n, step] of list.entries()) {
    if (step.do === 'submit') {
      const no = `${name}-${n}`;
      await send('api', order('api', no, [{ sku: 'A', quantity: step.units }], { account: name }));
      model.submit(no, step.units);
    } else if (step.do === 'cancel') {
      const no = pick(step.which);
      if (no === undefined) continue;
      const known = model.orders.get(no)!;
      const status = await send('api', cancel('api', no, 1, step.units, `${name}-x${n}`));
      expect(status === 'applied').toBe(step.units <= known.units);
      if (status === 'applied') known.units -= step.units;
    } else if (step.do === 'report') await report(step);
    else if (step.do === 'again') {
      const old = sent[step.which % sent.length]!;
      await hub.receive(old.system, [old.item]);
    } else if (step.do === 'sweep') {
      await sweepCredit(hub.db, hub.deps);
      model.sweep();
    } else {
      const no = pick(step.which);
      const known = no === undefined ? undefined : model.orders.get(no);
      if (known === undefined || !known.isHeld || known.units === 0) continue;
      const hold = (await listHolds(hub.db, { state: 'open', kind: 'credit', limit: 1_000 })).find(
        ({ externalNo }) => externalNo === no,
      );
      await releaseHold(hub.db, hub.deps, hold!.holdId, { by: 'eve' });
      known.isHeld = false;
    }
    const credit = (await readCredit(hub.db, [accountId]))!;
    const held = (await listHolds(hub.db, { state: 'open', kind: 'credit', limit: 1_000 }))
      .map(({ externalNo }) => externalNo)
      .filter((no) => no.startsWith(`${name}-`))
      .sort();
    expect({
      step: n,
      claimed: credit.claimedMinor,
      limit: credit.limitMinor,
      orders: credit.openOrdersMinor,
      held,
    }).toEqual({
      ...{ step: n, claimed: model.claimed, limit: model.limit, orders: model.openOrders },
      held: [...model.orders].flatMap(([no, { isHeld, units }]) => (isHeld && units > 0 ? [no] : [])).sort(),
    });
  }
}

it('claims are what the model says, whatever comes in whatever order', { timeout: 240_000 }, async () => {
  await fc.assert(fc.asyncProperty(steps, play), { numRuns: RUNS, endOnFailure: true });
});

/** Who owns a field decides; what others say is refused and shown, or waits for a steward; echoes are no changes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nextStepOf } from '../src/api/next-steps.ts';
import type { AccountChanged, ProductChanged, RecordChanged } from '../src/canonical/index.ts';
import { recordItem } from '../src/connectors/kit/index.ts';
import {
  type DeclaredEstate,
  decideStewardship,
  listStewardship,
  putAccounts,
  putKits,
  putPrices,
  putProducts,
} from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const owners = {
  account: 'crm',
  'account.paymentTerms': 'erp',
  'account.hold': 'erp',
  'product.description': 'erp',
  'product.weightG': 'wms',
  price: 'erp',
};
const estateOf = (rules: Pick<DeclaredEstate, 'owners' | 'ownership'>) => ({ ...smallEstate(), ...rules });
let hub: SmallHub;
let other: SmallHub;
let n = 0;

/** As a start with this estate. */
const declare = async (rules: Pick<DeclaredEstate, 'owners' | 'ownership'>) => {
  const opened = await SmallHub.open({ url: database.url, estate: estateOf(rules), poolMax: 1 });
  await opened.close();
};
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate: estateOf({ owners }) });
  other = await SmallHub.open({ url: database.url, estate: estateOf({ owners }), holder: 'other' });
});
beforeEach(async () => {
  n++;
  await declare({ owners });
  await database.pool.query('delete from stewardship_item');
});
afterAll(async () => {
  await hub.close();
  await other.close();
});

const on = (day: number) => `2026-03-${String(day).padStart(2, '0')}T10:00:00Z`;
const tell = (system: string, ...records: RecordChanged[]) =>
  hub.receive(
    system,
    records.map((record) => ({ ...recordItem(system, record), itemNo: 0 })),
  );
const account = (code: string, day: number, fields: Partial<AccountChanged> = {}): RecordChanged => ({
  ...{ kind: 'account.changed', account: code, company: 'acme', changedAt: on(day) },
  ...fields,
});
const product = (sku: string, day: number, fields: Partial<ProductChanged> = {}): RecordChanged => ({
  ...{ kind: 'product.changed', sku, changedAt: on(day) },
  ...fields,
});
const price = (sku: string, unitPrice: string, day: number): RecordChanged => ({
  ...{ kind: 'price.changed', sku, company: 'acme', currency: 'GBP', unitPrice, changedAt: on(day) },
});
const one = async (query: string, values: unknown[]) => (await database.pool.query(query, values)).rows[0];
const accountOf = (code: string) =>
  one(
    `select a.name, p.code as parent, a.payment_terms as terms, a.hold_reason as hold, a.set_by from account a
       left join account p on p.account_id = a.parent_id where a.code = $1`,
    [code],
  );
const productOf = (sku: string) =>
  one('select description, weight_g::int as weight, set_by from sku where code = $1', [sku]);
const priceOf = async (sku: string) =>
  (await one('select unit_price::text as price from price join sku using (sku_id) where code = $1', [sku]))?.price;
const parked = async () =>
  (
    await database.pool.query(
      'select class, place, reason, wait_key from parked_record order by parked_id desc limit 1',
    )
  ).rows[0];
const factsOf = async (type: string) =>
  (await one('select count(*)::int as n from fact where type = $1', [type])).n as number;

describe('a field that a system owns', () => {
  it('is not taken from another: it is set aside with field, owner and values, and the rest of the record is taken', async () => {
    const code = `A${n}`;
    await tell('crm', account(code, 1, { name: 'Smith', paymentTerms: 'net10' }));
    expect(await parked()).toMatchObject({
      ...{ class: 'not_owner', place: 'paymentTerms' },
      reason: 'paymentTerms is owned by erp; crm says "net10", held is null',
    });
    expect(nextStepOf('parked_record', 'not_owner')).toMatch(/owner/);
    expect(await tell('erp', account(code, 2, { name: 'SMITH LTD', paymentTerms: 'net30' }))).toMatchObject([
      { status: 'parked', class: 'not_owner', place: 'name' },
    ]);
    expect(await accountOf(code)).toMatchObject({
      ...{ name: 'Smith', terms: 'net30' },
      set_by: { name: 'crm', paymentTerms: 'erp' },
    });
    // The same value is no quarrel.
    expect(await tell('erp', account(code, 3, { name: 'Smith', paymentTerms: 'net60' }))).toMatchObject([
      { status: 'applied' },
    ]);
    expect((await accountOf(code)).terms).toBe('net60');
  });

  it('is taken from its owner whatever another put there before, and whenever', async () => {
    const sku = `P${n}`;
    await declare({});
    await tell('shop', product(sku, 9, { description: 'of the shop', weightG: 5 }));
    await declare({ owners });
    await tell('erp', product(sku, 2, { description: 'of the ERP', weightG: 7 }));
    expect(await productOf(sku)).toMatchObject({ description: 'of the ERP', weight: 5 });
    // Two systems, each with its own fields: the later one's time says nothing of the other's.
    await tell('wms', product(sku, 8, { weightG: 9 }));
    await tell('erp', product(sku, 3, { description: 'newer' }));
    expect(await productOf(sku)).toMatchObject({
      description: 'newer',
      weight: 9,
      set_by: { description: 'erp', weightG: 'wms' },
    });
  });

  it('of a record that its owner has not told: waits for it, and runs by itself', async () => {
    const code = `W${n}`;
    expect(await tell('erp', account(code, 1, { paymentTerms: 'net30' }))).toMatchObject([
      { status: 'parked', class: 'unknown_account' },
    ]);
    expect(await accountOf(code)).toBeUndefined();
    await tell('crm', account(code, 2, { name: 'Late' }));
    expect(await hub.receiver.replayAwaited()).toBe(1);
    expect(await accountOf(code)).toMatchObject({ name: 'Late', terms: 'net30' });
  });

  it('is refused to people, with nothing written, unless they speak for its owner', async () => {
    const code = `H${n}`;
    await tell('crm', account(code, 1, { name: 'Jones' }));
    const put = (system?: string) =>
      putAccounts(hub.db, hub.directory, [
        { account: code, company: 'acme', paymentTerms: 'net7', ...(system !== undefined && { system }) },
      ]);
    await expect(put()).rejects.toMatchObject({ code: 'XD_NOT_OWNER', details: { place: 'accounts[0].paymentTerms' } });
    await expect(
      putAccounts(hub.db, hub.directory, [
        { account: code, company: 'acme', name: 'Jones' },
        { account: `N${n}`, company: 'acme' },
      ]),
    ).rejects.toMatchObject({ code: 'XD_NOT_OWNER', details: { place: 'accounts[1].account' } });
    expect(await put('erp')).toEqual({ written: 1 });
    expect(await accountOf(code)).toMatchObject({ terms: 'net7' });
    await expect(
      putPrices(hub.db, hub.directory, [{ company: 'acme', sku: 'X', currency: 'GBP', unitPrice: '1' }]),
    ).rejects.toThrow('no SKU');
    await putProducts(hub.db, [{ sku: `P${n}` }]);
    await expect(
      putPrices(hub.db, hub.directory, [{ company: 'acme', sku: `P${n}`, currency: 'GBP', unitPrice: '1.00' }]),
    ).rejects.toMatchObject({ code: 'XD_NOT_OWNER' });
  });

  it('two processes that write one record at once: each owner’s word holds, and nothing of either is lost', async () => {
    const code = `C${n}`;
    await tell('crm', account(code, 1, { name: 'start' }));
    const rounds = 12;
    await Promise.all([
      ...Array.from({ length: rounds }, (_, i) =>
        hub.receive('crm', [{ ...recordItem('crm', account(code, 2 + i, { name: `name ${2 + i}` })), itemNo: 0 }]),
      ),
      ...Array.from({ length: rounds }, (_, i) =>
        other.receive('erp', [
          { ...recordItem('erp', account(code, 2 + i, { paymentTerms: `net${2 + i}` })), itemNo: 0 },
        ]),
      ),
      ...Array.from({ length: rounds }, (_, i) =>
        other.receive('shop', [{ ...recordItem('shop', account(code, 2 + i, { name: `shop ${i}` })), itemNo: 0 }]),
      ),
    ]);
    const last = 1 + rounds;
    expect(await accountOf(code)).toMatchObject({ name: `name ${last}`, terms: `net${last}` });
    const { rows } = await database.pool.query(
      `select count(*)::int as n from parked_record where class = 'not_owner' and item -> 'command' ->> 'account' = $1`,
      [code],
    );
    expect(rows[0].n).toBe(rounds);
  });
});

describe('with a steward', () => {
  const steward = { owners, ownership: { account: 'steward', product: 'steward', price: 'steward' } } as const;
  beforeEach(() => declare(steward));
  const open = () => listStewardship(hub.db, { state: 'open' });
  const decide = (itemId: number, state: 'accepted' | 'rejected') =>
    decideStewardship(hub.db, hub.directory, itemId, { state, by: 'ann', reason: 'called them' });

  it('what another says waits, the newest of it; accepted it holds until the owner says something later', async () => {
    const code = `S${n}`;
    await tell('crm', account(code, 1, { name: 'Smith' }));
    expect(await tell('erp', account(code, 2, { name: 'Smith Ltd' }))).toMatchObject([{ status: 'applied' }]);
    await tell('erp', account(code, 4, { name: 'Smith & Co' }));
    await tell('erp', account(code, 3, { name: 'late' }));
    expect(await open()).toMatchObject([
      {
        domain: 'account',
        record: code,
        field: 'name',
        held: 'Smith',
        said: 'Smith & Co',
        system: 'erp',
        owner: 'crm',
      },
    ]);
    const { itemId } = (await open())[0]!;
    expect(await decide(itemId, 'accepted')).toMatchObject({
      state: 'accepted',
      decidedBy: 'ann',
      reason: 'called them',
    });
    expect(await decide(itemId, 'accepted')).toMatchObject({ state: 'accepted' });
    await expect(decide(itemId, 'rejected')).rejects.toMatchObject({ code: 'XD_REFUSED' });
    expect(await accountOf(code)).toMatchObject({ name: 'Smith & Co', set_by: { name: 'erp' } });
    // The owner's record as it was, read once more, does not take it back; its next change does.
    await tell('crm', account(code, 1, { name: 'Smith', region: 'north' }));
    expect((await accountOf(code)).name).toBe('Smith & Co');
    await tell('crm', account(code, 5, { name: 'Smithson' }));
    expect((await accountOf(code)).name).toBe('Smithson');
  });

  it('what was rejected is not asked again, what is held by now needs no answer', async () => {
    const [code, sku] = [`S${n}`, `P${n}`];
    await tell('crm', account(code, 1, { name: 'Smith' }));
    await tell('erp', account(code, 2, { name: 'Smith Ltd' }));
    await decide((await open())[0]!.itemId, 'rejected');
    await tell('erp', account(code, 3, { name: 'Smith Ltd', paymentTerms: 'net30' }));
    expect([await open(), (await accountOf(code)).name]).toEqual([[], 'Smith']);
    await tell('erp', account(code, 4, { name: 'Smyth' }));
    expect(await open()).toMatchObject([{ said: 'Smyth' }]);
    await tell('erp', account(code, 5, { name: 'Smith' }));
    expect(await open()).toEqual([]);
    await tell('erp', product(sku, 1, { description: 'x' }), price(sku, '2.00', 1));
    await tell('shop', price(sku, '2.50', 2));
    expect([await open(), await priceOf(sku)]).toMatchObject([
      [{ domain: 'price', record: `${sku}/base/GBP/-` }],
      '2.00',
    ]);
    await decide((await open())[0]!.itemId, 'accepted');
    expect(await priceOf(sku)).toBe('2.50');
  });

  it('of two people one decides, and what the system changed meanwhile is looked at again', async () => {
    const code = `S${n}`;
    await tell('crm', account(code, 1, { name: 'Smith' }));
    await tell('erp', account(code, 2, { name: 'Smith Ltd' }));
    const { itemId } = (await open())[0]!;
    const both = await Promise.allSettled([decide(itemId, 'accepted'), decide(itemId, 'rejected')]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { state } = (await listStewardship(hub.db, { record: code }))[0]!;
    expect((await accountOf(code)).name).toBe(state === 'accepted' ? 'Smith Ltd' : 'Smith');
  });
});

describe('accounts above accounts', () => {
  const put = (...pairs: [string, string | null][]) =>
    putAccounts(
      hub.db,
      hub.directory,
      pairs.map(([code, parent]) => ({ account: code, company: 'acme', parent })),
    );
  beforeEach(() => declare({}));
  const codes = (count: number) => Array.from({ length: count }, (_, i) => `T${n}-${i}`);

  it('lead to a top, at most eight deep, and never back', async () => {
    const chain = codes(9);
    await put(...chain.map((code): [string, null] => [code, null]));
    const pairs = chain.slice(1).map((code, i): [string, string] => [code, chain[i]!]);
    await put(...pairs.slice(0, 7));
    await expect(put(pairs[7]!)).rejects.toMatchObject({
      code: 'XD_VALUE_INVALID',
      message: expect.stringContaining('9 deep, at most 8'),
    });
    await expect(put([chain[0]!, chain[2]!])).rejects.toMatchObject({
      code: 'XD_ACCOUNT_CYCLE',
      details: { place: 'accounts[0].parent' },
      message: expect.stringContaining([0, 2, 1, 0].map((i) => chain[i]).join(' > ')),
    });
    await expect(put([chain[0]!, chain[0]!])).rejects.toMatchObject({ code: 'XD_ACCOUNT_CYCLE' });
    await expect(put([chain[0]!, 'NOBODY'])).rejects.toMatchObject({ code: 'XD_UNKNOWN_ACCOUNT' });
    expect((await accountOf(chain[0]!)).parent).toBeNull();
    await put([chain[2]!, null]);
    await put([chain[0]!, chain[8]!]);
  });

  it('two that would close a circle together: one of them is taken', async () => {
    const [a, b] = codes(2) as [string, string];
    await put([a, null], [b, null]);
    const both = await Promise.all([
      hub.receive('crm', [{ ...recordItem('crm', account(a, 1, { parent: b })), itemNo: 0 }]),
      other.receive('crm', [{ ...recordItem('crm', account(b, 1, { parent: a })), itemNo: 0 }]),
    ]);
    expect(
      both
        .flat()
        .map((result) => (result.status === 'parked' ? result.class : result.status))
        .sort(),
    ).toEqual(['account_cycle', 'applied']);
    expect([(await accountOf(a)).parent, (await accountOf(b)).parent].filter((parent) => parent !== null)).toHaveLength(
      1,
    );
  });

  it('one below an account that nobody knows yet is known, and stands there once that is told', async () => {
    const [a, b] = codes(2) as [string, string];
    expect(await tell('crm', account(a, 1, { name: 'child', parent: b }))).toMatchObject([
      { status: 'parked', class: 'unknown_account', place: 'parent' },
    ]);
    expect(await accountOf(a)).toMatchObject({ name: 'child', parent: null });
    await tell('crm', account(b, 1));
    expect(await hub.receiver.replayAwaited()).toBe(1);
    expect(await accountOf(a)).toMatchObject({ parent: b });
  });
});

describe('kits', () => {
  const kitOf = async (sku: string) =>
    (
      await database.pool.query(
        `select c.code || ' x' || quantity as line from kit_component join sku k on k.sku_id = kit_sku_id join sku c on c.sku_id = component_id
          where k.code = $1 order by 1`,
        [sku],
      )
    ).rows.map(({ line }) => line);
  const codes = (count: number) => Array.from({ length: count }, (_, i) => `K${n}-${i}`);
  const chained = (list: readonly string[]) =>
    list.slice(1).map((component, i) => ({ sku: list[i]!, kit: [{ sku: component, quantity: 2 }] }));
  beforeEach(() => declare({}));

  it('are made of other SKUs over at most five steps, and never of themselves', async () => {
    const list = codes(7);
    await hub.seed(list);
    await putKits(hub.db, chained(list.slice(0, 6)));
    expect(await kitOf(list[0]!)).toEqual([`${list[1]} x2`]);
    await expect(putKits(hub.db, chained(list.slice(5)))).rejects.toMatchObject({
      message: expect.stringContaining('6 steps, at most 5'),
    });
    await expect(putKits(hub.db, [{ sku: list[2]!, kit: [{ sku: list[0]!, quantity: 1 }] }])).rejects.toMatchObject({
      code: 'XD_KIT_CYCLE',
      details: { place: 'kits[0].kit' },
      message: expect.stringContaining([2, 0, 1, 2].map((i) => list[i]).join(' > ')),
    });
    const wrong = (kit: { sku: string; quantity: number }[]) => putKits(hub.db, [{ sku: list[6]!, kit }]);
    await expect(wrong([{ sku: 'NOPE', quantity: 1 }])).rejects.toMatchObject({ code: 'XD_UNKNOWN_SKU' });
    for (const quantity of [0, -1, 1.5, Number.NaN])
      await expect(wrong([{ sku: list[0]!, quantity }])).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
    await expect(wrong([{ sku: 'a', quantity: 1 }, { sku: 'A', quantity: 2 }])).rejects.toThrow('twice'); // biome-ignore format: one case
    await putKits(hub.db, [{ sku: list[0]!, kit: [] }]);
    expect(await kitOf(list[0]!)).toEqual([]);
  });

  it('told by a system: one of two that close a circle together is set aside with the way back', async () => {
    const [a, b] = codes(2) as [string, string];
    await hub.seed([a, b]);
    const told = (at: SmallHub, sku: string, component: string) =>
      at.receive('erp', [
        {
          ...recordItem('erp', product(sku, 1, { description: 'kit', kit: [{ sku: component, quantity: 1 }] })),
          itemNo: 0,
        },
      ]);
    const both = (await Promise.all([told(hub, a, b), told(other, b, a)])).flat();
    expect(both.map((result) => (result.status === 'parked' ? result.class : result.status)).sort()).toEqual([
      'applied',
      'kit_cycle',
    ]);
    expect((await parked()).reason).toMatch(/would be made of itself: K.* > K.* > K/);
    expect([...(await kitOf(a)), ...(await kitOf(b))]).toHaveLength(1);
    expect((await productOf(a)).description + (await productOf(b)).description).toBe('kitkit');
  });

  it('of a component that nobody knows yet waits for it', async () => {
    const [a, b] = codes(2) as [string, string];
    expect(await tell('erp', product(a, 1, { kit: [{ sku: b, quantity: 3 }] }))).toMatchObject([
      { status: 'parked', class: 'unknown_sku', place: 'kit' },
    ]);
    await tell('erp', product(b, 1));
    expect(await hub.receiver.replayAwaited()).toBe(1);
    expect(await kitOf(a)).toEqual([`${b} x3`]);
  });
});

it('what is held already is no change: no fact, no new owner of the value, nothing for a steward', async () => {
  const sku = `E${n}`;
  await declare({ owners: { price: 'erp' }, ownership: { price: 'steward' } });
  await tell('erp', product(sku, 1, { description: 'x' }), price(sku, '4.00', 1));
  const before = await factsOf('price.changed');
  await tell('shop', product(sku, 5, { description: 'x' }), price(sku, '4.000', 5));
  expect([await factsOf('price.changed'), await listStewardship(hub.db)]).toEqual([before, []]);
  expect((await productOf(sku)).set_by).toEqual({ description: 'erp' });
  // And so it holds back no older change of the one that set it.
  await tell('erp', product(sku, 3, { description: 'y' }), price(sku, '5.00', 3));
  expect([(await productOf(sku)).description, await priceOf(sku)]).toEqual(['y', '5.00']);
});

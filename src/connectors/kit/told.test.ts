import { describe, expect, it } from 'vitest';
import type { InboundItem } from '../../canonical/index.ts';
import { mapRecords, orderItem, readOr } from './items.ts';
import { type MapSettings, mappedItems, mappingOf } from './mapping/index.ts';
import { type RecordMap, recordReader } from './records.ts';
import { type MapStep, STEPS_MAX, type Told, tellItem } from './told.ts';

const settings: MapSettings = {
  fields: {
    number: '/no',
    company: { value: 'UK' },
    account: { from: ['/code', '/mail'], default: 'walk-in' },
    currency: { from: '/cur', table: 'currency' },
    orderedAt: { from: '/at', as: 'time', zone: 'Europe/Berlin' },
  },
  lists: {
    lines: {
      from: '/rows',
      fields: {
        sku: { from: '/item', as: 'sku' },
        quantity: { from: '/n', unit: '/uom', as: 'quantity' },
        unitPrice: { jsonata: '$string(net / 100)', as: 'decimal' },
      },
    },
  },
  tables: { currency: { codes: { '826': 'GBP' } } },
  units: { PCE: '1' },
  packs: { 'A-1': { CASE: '12' } },
};
const record = (no: string, changed: object = {}, line: object = {}) => ({
  ...{ no, cur: 826, at: '2026-03-01 09:30:00', mail: 'a@example.org' },
  rows: [{ item: 'a-1', n: 2, uom: 'CASE', net: 255, ...line }],
  ...changed,
});
const feed = (map: MapSettings = settings) =>
  ({ kind: 'order', mapping: mappingOf(map), system: 'shop', channel: 'web' }) as const;
const told = (records: unknown[], key: string, map?: MapSettings): Told => {
  const found = tellItem({ scope: 'order/web', key }, () => mappedItems(feed(map), records));
  expect(found).toBeTypeOf('object');
  return found as Told;
};
const lineOf = ({ field, step, by, input, output, refused }: MapStep) =>
  [field, step, by, input, refused === undefined ? output : `! ${refused}`] as const;

describe('a record that came through a mapping of the estate', () => {
  it('is told from its pointers to its command, with the input and output of each step', () => {
    const { item, steps, record: raw } = told([record('1'), record('2')], '2');
    expect(raw).toEqual(record('2'));
    expect(steps.slice(0, -1).map(lineOf)).toEqual([
      ['number', 'from', '/no', undefined, '2'],
      ['company', 'value', '', undefined, 'UK'],
      ['account', 'from', '/code', undefined, undefined],
      ['account', 'from', '/mail', undefined, 'a@example.org'],
      ['currency', 'from', '/cur', undefined, 826],
      ['currency', 'table', 'currency', 826, 'GBP'],
      ['orderedAt', 'from', '/at', undefined, '2026-03-01 09:30:00'],
      ['orderedAt', 'as', 'time', '2026-03-01 09:30:00', '2026-03-01T08:30:00.000Z'],
      ['lines', 'from', '/rows', record('2'), 1],
      ['lines/0/sku', 'from', '/item', undefined, 'a-1'],
      ['lines/0/sku', 'as', 'sku', 'a-1', 'A-1'],
      ['lines/0/quantity', 'from', '/n', undefined, 2],
      ['lines/0/quantity', 'unit', '"CASE"', 2, '24'],
      ['lines/0/quantity', 'as', 'quantity', '24', 24],
      ['lines/0/unitPrice', 'jsonata', '$string(net / 100)', record('2').rows[0], '2.55'],
      ['lines/0/unitPrice', 'as', 'decimal', '2.55', '2.55'],
    ]);
    expect(steps.at(-1)).toMatchObject({
      ...{ field: '', step: 'command', by: 'order.submitted' },
      input: { number: '2', currency: 'GBP', lines: [{ sku: 'A-1', quantity: 24, unitPrice: '2.55' }] },
      output: item.command,
    });
    expect(item).toEqual(mappedItems(feed(), [record('1'), record('2')])[1]);
  });

  it.each([
    [
      'a code that is not in the table',
      { cur: 999 },
      {},
      ['currency', 'table', 'currency', 999, '! is no code of the table currency'],
    ],
    [
      'a unit that nobody mapped',
      {},
      { uom: 'PAL' },
      ['lines/0/quantity', 'unit', '"PAL"', 2, '! is in the unit "PAL", which nobody mapped'],
    ],
    ['a field that is missing', { at: null }, {}, ['orderedAt', 'from', '/at', undefined, '! is missing']],
    [
      'a form that it is not of',
      { at: 'soon' },
      {},
      ['orderedAt', 'as', 'time', 'soon', '! must be a time such as 2026-03-01T09:30:00Z'],
    ],
  ])('ends at the step that refused it: %s', (_, changed, line, last) => {
    const { item, steps } = told([record('1', changed, line)], '1');
    expect(item.unreadable?.reason).toContain(String(last.at(-1)).slice(2));
    expect(lineOf(steps.at(-1)!)).toEqual(last);
  });

  it('ends at the expression that ran out of time, and its neighbour is told', () => {
    const endless: MapSettings = {
      ...settings,
      fields: {
        ...settings.fields,
        account: { jsonata: '($f := function($n) { $n > 0 ? $f($n) : 0 }; mail ? $f(1) : "a")' },
      },
    };
    const records = [record('1'), record('2', { mail: '' })];
    const { item, steps } = told(records, '1', endless);
    expect(lineOf(steps.at(-1)!).slice(0, 2)).toEqual(['account', 'jsonata']);
    expect(steps.at(-1)!.refused).toMatch(/longer than|1000 ms/);
    expect(item.unreadable?.reason).toContain(steps.at(-1)!.refused);
    const began = performance.now();
    expect(told(records, '2', endless).item.command).toMatchObject({ externalNo: '2', account: 'a' });
    // Only the record that is asked for is read: the other one's expression would have taken its second again.
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('that maps and still is no command ends at the command, with what was mapped', () => {
    const { steps } = told([record('1', {}, { n: 0, uom: 'PCE' })], '1');
    const last = steps.at(-1)!;
    expect(last).toMatchObject({
      ...{ step: 'command', by: '/0/lines/0/quantity', refused: 'must be given from 1 to 1000000000' },
      input: { number: '1', lines: [{ sku: 'A-1', quantity: 0 }] },
    });
  });

  it('tells of thousands of lines the first steps, and the last one always', () => {
    const rows = Array.from({ length: 2_000 }, (_, i) => ({
      item: `S${i}`,
      n: 1,
      uom: i === 1_999 ? 'PAL' : 'PCE',
      net: 100,
    }));
    const cheap: MapSettings = {
      ...settings,
      lists: { lines: { ...settings.lists!.lines!, fields: { ...settings.lists!.lines!.fields, unitPrice: '/net' } } },
    };
    const { steps, stepsLeftOut } = told([record('1', { rows })], '1', cheap);
    expect(steps).toHaveLength(STEPS_MAX);
    expect(stepsLeftOut).toBeGreaterThan(4_000);
    expect(steps.at(-1)).toMatchObject({ field: 'lines/1999/quantity', step: 'unit', by: '"PAL"' });
  });

  it('is not found under another key', () => {
    expect(tellItem({ scope: 'order/web', key: '7' }, () => mappedItems(feed(), [record('1')]))).toBeUndefined();
    expect(tellItem({ scope: 'order/other', key: '1' }, () => mappedItems(feed(), [record('1')]))).toBeUndefined();
  });
});

describe('a record of a file or a database', () => {
  const map: RecordMap = {
    as: 'order',
    fields: {
      externalNo: 'No',
      account: 'Cust',
      company: { value: 'UK' },
      currency: { from: 'Cur', codes: { '826': 'GBP' } },
      orderedAt: { from: 'Date', time: 'dd.MM.yyyy HH:mm', zone: 'Europe/Berlin' },
      sku: 'Item',
      quantity: { from: 'Qty', packs: { by: 'Unit', units: { CASE: 12 } } },
      unitPrice: { from: 'Price', decimal: ',' },
    },
  };
  const row = {
    No: '7',
    Cust: 'A1',
    Cur: '826',
    Date: '01.03.2026 09:30',
    Item: 'x1',
    Qty: '2',
    Unit: 'CASE',
    Price: '2,55',
  };
  const read = (...rows: object[]) =>
    recordReader(map, 'settings.map', 'legacy', 'web').read(
      rows.map((values, i) => ({ place: `/line/${i + 2}`, values: values as Record<string, unknown> })),
    );
  const tell = (key: string, ...rows: object[]) => tellItem({ scope: 'order/web', key }, () => read(...rows)) as Told;

  it('is told from its columns to its command', () => {
    const { item, steps, record: raw } = tell('7', { ...row, No: '6' }, row, { ...row, Item: 'x2' });
    expect(raw).toEqual([row, { ...row, Item: 'x2' }]);
    const first = steps.filter(({ field }) => field.startsWith('rows/0/'));
    expect(first.map(lineOf)).toEqual([
      ['rows/0/externalNo', 'from', 'No', undefined, '7'],
      ['rows/0/account', 'from', 'Cust', undefined, 'A1'],
      ['rows/0/company', 'value', '', undefined, 'UK'],
      ['rows/0/currency', 'from', 'Cur', undefined, '826'],
      ['rows/0/currency', 'table', 'codes', '826', 'GBP'],
      ['rows/0/orderedAt', 'from', 'Date', undefined, '01.03.2026 09:30'],
      ['rows/0/orderedAt', 'as', 'dd.MM.yyyy HH:mm Europe/Berlin', '01.03.2026 09:30', '2026-03-01T08:30:00.000Z'],
      ['rows/0/sku', 'from', 'Item', undefined, 'x1'],
      ['rows/0/quantity', 'from', 'Qty', undefined, '2'],
      ['rows/0/quantity', 'as', 'integer', '2', 2],
      ['rows/0/quantity', 'unit', '"CASE"', 2, 24],
      ['rows/0/unitPrice', 'from', 'Price', undefined, '2,55'],
      ['rows/0/unitPrice', 'as', 'decimal', '2,55', '2.55'],
    ]);
    expect(steps.filter(({ field }) => field === 'rows/1/sku')).toHaveLength(1);
    expect(steps.at(-1)).toMatchObject({ step: 'command', by: 'order.submitted', output: item.command });
  });

  it.each([
    [
      'a code',
      { Cur: '999' },
      ['rows/0/currency', 'table', 'codes', '999', '! is a code that nobody mapped; known: 826'],
    ],
    ['a unit', { Unit: 'PAL' }, ['rows/0/quantity', 'unit', '"PAL"', 2, '! is a unit that nobody mapped']],
    [
      'a number',
      { Price: '2.55' },
      ['rows/0/unitPrice', 'as', 'decimal', '2.55', '! must be a number with "," before its fraction'],
    ],
  ])('ends at the step that refused %s', (_, changed, last) => {
    const { steps } = tell('7', { ...row, ...changed });
    expect(lineOf(steps.at(-1)!)).toEqual(last);
  });

  it('whose key can not be read is told up to there', () => {
    const [item] = read({ ...row, No: 'a\ufffd' });
    const { steps } = tell(item!.key, row, { ...row, No: 'a\ufffd' });
    const why = 'is not in the declared encoding: change it in the estate or ask for the agreed one';
    expect(steps.map(lineOf)).toEqual([['externalNo', 'from', 'No', 'a\ufffd', `! ${why}`]]);
  });
});

describe('a record that code maps', () => {
  const orders = (records: readonly unknown[]): InboundItem[] =>
    mapRecords(records, '/orders', (raw) => [
      readOr(
        raw,
        'order/web',
        () => 'x',
        () =>
          orderItem({
            ...{ kind: 'order.submitted', channel: 'web', externalNo: (raw as { no: string }).no, company: 'UK' },
            ...{ account: 'A', currency: 'GBP', orderedAt: '2026-03-01T09:00:00Z', lines: [] },
          }),
      ),
    ]);

  it('is one step, from what came to the command', () => {
    const found = tellItem({ scope: 'order/web', key: '2' }, () => orders([{ no: '1' }, { no: '2' }])) as Told;
    expect(found.record).toEqual({ no: '2' });
    expect(found.steps).toEqual([
      { field: '', step: 'command', by: 'order.submitted', input: { no: '2' }, output: found.item.command },
    ]);
  });

  it('of two with one key is the one with the content that is asked for', () => {
    const rows = [record('1'), record('1', { mail: 'b@example.org' })];
    const [, second] = mappedItems(feed(), rows);
    const wanted = { scope: 'order/web', key: '1', fingerprint: second!.fingerprint };
    expect((tellItem(wanted, () => mappedItems(feed(), rows)) as Told).record).toEqual(rows[1]);
  });

  it('that throws leaves nobody listening', () => {
    expect(() =>
      tellItem({ scope: 'a', key: 'b' }, () => {
        throw new Error('no such page');
      }),
    ).toThrow('no such page');
    expect(mappedItems(feed(), [record('1')])[0]!.key).toBe('1');
  });
});

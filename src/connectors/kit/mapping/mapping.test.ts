import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { EXPRESSION_MS_MAX, expressionOf, MapSettings, mappedItems, mappingOf } from './index.ts';

const settings: MapSettings = {
  fields: {
    number: { from: '/no', as: 'text' },
    company: { value: 'uk' },
    account: { from: ['/buyer/code', '/buyer/mail'], default: 'walk-in' },
    currency: { from: '/cur', table: 'currency' },
    orderedAt: { from: '/at', as: 'time', zone: 'Europe/Berlin' },
  },
  lists: {
    lines: {
      from: '/rows',
      fields: {
        sku: { from: '/item', as: 'sku' },
        quantity: { from: '/n', unit: '/uom', as: 'quantity' },
        unitPrice: { jsonata: '$string($round(net / $record.divisor, 2))', as: 'decimal' },
      },
    },
  },
  tables: { currency: { codes: { '826': 'GBP', '978': 'EUR' } } },
  units: { PCE: '1', KG: '1000' },
  packs: { 'A-1': { CASE: '12' } },
};
const record = {
  no: 4711,
  cur: 978,
  at: '2026-03-01 09:30:00',
  buyer: { mail: 'a@example.org' },
  divisor: 100,
  rows: [
    { item: 'a-1', n: 2, uom: 'CASE', net: 255 },
    { item: 'B', n: '2.5', uom: 'KG', net: 1000 },
  ],
};
const mapping = mappingOf(settings);
const refusedOf = (raw: unknown, changed: Partial<MapSettings> = {}) =>
  mappingOf({ ...settings, ...changed }).explainMapping(raw).refused;

describe('a mapping that is declared', () => {
  it('is told apart from what is none by its schema', () => {
    const check = Compile(MapSettings);
    expect(check.Check(settings)).toBe(true);
    expect(check.Check({ fields: { a: { form: '/x' } } })).toBe(false);
    expect(check.Check({ fields: {}, units: { KG: 1000 } })).toBe(false);
  });

  it('takes fields, codes, units, packs, defaults and expressions', () => {
    expect(mapping.map(record, '')).toEqual({
      number: '4711',
      company: 'uk',
      account: 'a@example.org',
      currency: 'EUR',
      orderedAt: '2026-03-01T08:30:00.000Z',
      lines: [
        { sku: 'A-1', quantity: 24, unitPrice: '2.55' },
        { sku: 'B', quantity: 2500, unitPrice: '10' },
      ],
    });
    expect(mapping.map({ ...record, buyer: {} }, '').account).toBe('walk-in');
  });

  it('tells each step with what went in and what came out', () => {
    const { steps, result, refused } = mapping.explainMapping(record);
    expect(refused).toBeUndefined();
    expect(result).toEqual(mapping.map(record, ''));
    expect(steps.filter(({ field }) => field === 'lines/0/quantity')).toEqual([
      { field: 'lines/0/quantity', step: 'from', by: '/n', input: undefined, output: 2 },
      { field: 'lines/0/quantity', step: 'unit', by: '"CASE"', input: 2, output: '24' },
      { field: 'lines/0/quantity', step: 'as', by: 'quantity', input: '24', output: 24 },
    ]);
    expect(steps.find(({ step }) => step === 'table')).toEqual({
      ...{ field: 'currency', step: 'table', by: 'currency', input: 978, output: 'EUR' },
    });
  });

  it('tells the step at which it ended', () => {
    const explained = mapping.explainMapping({ ...record, cur: 840 }, '/3');
    expect(explained.refused).toEqual({
      reason: 'is no code of the table currency (currency)',
      place: '/3/cur',
      value: 840,
    });
    expect(explained.steps.at(-1)).toMatchObject({
      field: 'currency',
      step: 'table',
      refused: 'is no code of the table currency',
    });
    expect(explained.result).toBeUndefined();
  });

  it.each([
    ['a unit that nobody mapped', { n: 1, uom: 'BOX' }, 'is in the unit "BOX", which nobody mapped (quantity)'],
    [
      'a pack of another SKU',
      { n: 1, uom: 'CASE', item: 'B' },
      'is in the unit "CASE", which nobody mapped (quantity)',
    ],
    [
      "a unit named like an object's own parts",
      { n: 1, uom: 'constructor' },
      'is in the unit "constructor", which nobody mapped (quantity)',
    ],
    ['a part of a base unit', { n: '0.0005', uom: 'KG' }, 'is no whole number of base units (0.5) (quantity)'],
    ['a number that is none', { n: '1e3', uom: 'KG' }, 'must be a decimal number such as 12.5 (quantity)'],
    ['nothing', { n: null, uom: 'KG' }, 'is missing (quantity)'],
  ])('refuses %s', (_, line, reason) => {
    expect(refusedOf({ ...record, rows: [{ item: 'a-1', net: 1, ...line }] })).toMatchObject({
      reason,
      place: '/rows/0/n',
    });
  });

  it('computes without floats', () => {
    const as = (form: 'decimal' | 'minor' | 'number', value: unknown) =>
      mappingOf({ fields: { a: { from: '/a', as: form } } }).explainMapping({ a: value });
    expect(as('minor', 1.15).result).toEqual({ a: 115 });
    expect(as('minor', '4.35').result).toEqual({ a: 435 });
    expect(as('minor', '1.005').refused?.reason).toBe('must be an amount with at most two places (a)');
    expect(as('number', '12.50').result).toEqual({ a: 12.5 });
    expect(as('number', '12345678901234.567891').refused?.reason).toBe('has more digits than a JSON number holds (a)');
    expect(as('decimal', '-0.10').result).toEqual({ a: '-0.1' });
    // 90071992547409.93 is read as .94, and 12345678901234567890 as …8000: nobody can tell any more what was meant.
    for (const rounded of ['90071992547409.93', '12345678901234567890', '1e21', '0.30000000000000004'])
      for (const form of ['decimal', 'text'] as const)
        expect(
          mappingOf({ fields: { a: { from: '/a', as: form } } }).explainMapping(JSON.parse(`{"a":${rounded}}`)).refused,
        ).toMatchObject({ reason: 'has more digits than a JSON number holds (a)' });
    expect(as('decimal', 999999999999.125).result).toEqual({ a: '999999999999.125' });
    expect(as('decimal', 9007199254740991).refused?.reason).toBe('must be a decimal number such as 12.5 (a)');
    expect(as('decimal', 0.000001234).refused?.reason).toBeUndefined();
  });

  it.each([
    ['an hour that is shown twice, the first of them', '2026-10-25 02:30:00', '2026-10-25T00:30:00.000Z'],
    ['an hour that is left out', '2026-03-29 02:30:00', '2026-03-29T01:30:00.000Z'],
    ['the hour before', '2026-03-29 01:59:59', '2026-03-29T00:59:59.000Z'],
    ['OData v2', '/Date(1772357400000+0060)/', '2026-03-01T09:30:00.000Z'],
    ['an offset', '2026-03-01T09:30:00+01:00', '2026-03-01T08:30:00.000Z'],
  ])('reads times: %s', (_, at, utc) => {
    expect(mapping.map({ ...record, at }, '').orderedAt).toBe(utc);
  });

  it.each(['2026-02-30T09:30:00Z', '2026-02-30 09:30:00', '2026-02-29', '2026-06-31T09:30:00+02:00'])(
    'a day that does not exist is refused, not moved to the next month: %s',
    (at) => {
      const { refused } = mapping.explainMapping({ ...record, at });
      expect(refused?.reason).toBe('must be a time that exists (orderedAt)');
    },
  );

  it.each([
    [
      'from and jsonata',
      { a: { from: '/a', jsonata: 'a' } },
      'settings.map.fields.a needs one of from, jsonata and value',
    ],
    [
      'a table that is not there',
      { a: { from: '/a', table: 't' } },
      "settings.map.fields.a names the table t, which isn't there",
    ],
    ['a pointer that is none', { a: 'b' }, 'settings.map.fields.a: "b" is no JSON pointer'],
    [
      'a zone that is none',
      { a: { from: '/a', zone: 'Mars/North' } },
      "settings.map.fields.a names the time zone Mars/North, which isn't one",
    ],
    [
      'an expression that is none',
      { a: { jsonata: '$sum(' } },
      'settings.map.fields.a.jsonata is no JSONata expression: Expected ")" before end of expression',
    ],
    [
      'one that differs each time',
      { a: { jsonata: '$now()' } },
      'settings.map.fields.a.jsonata uses $now: the same record must give the same item each time',
    ],
  ])('is refused at start: %s', (_, fields, message) => {
    expect(() => mappingOf({ fields: fields as MapSettings['fields'] })).toThrow(message);
  });
});

describe('an expression', () => {
  const done = (source: string, input: unknown = {}) => expressionOf(source, 'here').evaluate(input);

  it.each([
    ['calls itself without end', '($f := function($x) { $f($x) }; $f(1))', {}],
    ['is a regular expression that tries everything', '$match(a, /(x+x+)+y/)', { a: 'x'.repeat(40) }],
    ['works through five million', '$reduce([1..5000000], function($a, $b) { $a + $b })', {}],
  ])('that %s is stopped, and the next one runs', (_, source, input) => {
    const before = performance.now();
    expect(done(source, input)).toEqual({ ok: false, reason: `did not end within ${EXPRESSION_MS_MAX} ms` });
    expect(performance.now() - before).toBeLessThan(EXPRESSION_MS_MAX + 2_000);
    expect(done('a + 1', { a: 1 })).toEqual({ ok: true, value: 2 });
  });

  it('that gives more than anybody asked for is refused', () => {
    expect(done('$pad("", 2000000, "x")')).toEqual({ ok: false, reason: 'gives more than 1048576 characters' });
  });

  it('reaches no prototype, no global and nothing that outlives it', () => {
    expect(done('a.constructor', { a: 'x' })).toEqual({ ok: true, value: undefined });
    expect(done('$lookup($, "__proto__")')).toEqual({ ok: true, value: undefined });
    expect(done('$ ~> |$|{"__proto__": {"polluted": true}}|', { a: 1 }).ok).toBeTypeOf('boolean');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(done('polluted', { a: 1 })).toEqual({ ok: true, value: undefined });
    expect(done('$process')).toEqual({ ok: true, value: undefined });
  });

  it('of a record nested deeper than can be written is refused, not taken for an empty one', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(done('a', deep)).toEqual({ ok: false, reason: 'is nested too deep' });
  });
});

describe('records as items', () => {
  const items = (records: unknown[]) =>
    mappedItems({ kind: 'order', mapping, system: 'shop', channel: 'web' }, records, '/value');

  it('one that cannot be mapped is set aside under its business key and holds none of the others up', () => {
    const [one, two, three] = items([
      record,
      { ...record, no: 2, rows: [{ item: 'A-1', n: 1, uom: 'BOX', net: 1 }] },
      'text',
    ]);
    expect(one).toMatchObject({ scope: 'order/web', key: '4711', command: { kind: 'order.submitted', company: 'uk' } });
    expect(one!.command).toMatchObject({
      lines: [
        { lineNo: 1, sku: 'A-1', quantity: 24 },
        { lineNo: 2, sku: 'B' },
      ],
    });
    expect(two).toMatchObject({ scope: 'order/web', key: '2', unreadable: { place: '/value/1/rows/0/n' } });
    expect(two!.command).toBeUndefined();
    expect(three).toMatchObject({ unreadable: { place: '/value/2/no', reason: 'is missing (number)' } });
  });

  it('a key that no database takes is none: the record is set aside under what it holds', () => {
    for (const no of ['47\0' + '11', '47\ud800', 'x'.repeat(5_000), ' \ufffd'])
      expect(items([{ ...record, no }])[0]).toMatchObject({
        key: expect.stringMatching(/^unreadable:/),
        unreadable: { place: '/value/0/number' },
      });
  });

  it('the same record has the same fingerprint, another price another one', () => {
    const [a, b, c] = items([record, structuredClone(record), { ...record, divisor: 50 }]);
    expect(a!.fingerprint).toBe(b!.fingerprint);
    expect(a!.fingerprint).not.toBe(c!.fingerprint);
  });

  it('invoices may say charges and tax, credit notes what is taken off them; a source that says none of it, says none', () => {
    const optional = (from: string) => ({ from, optional: true });
    const settings: MapSettings = {
      fields: {
        ...{ document: '/kind', number: '/no', order: '/order', currency: { value: 'GBP' }, at: '/at', total: '/net' },
        tax: optional('/vat'),
      },
      lists: {
        lines: {
          from: '/rows',
          fields: {
            lineNo: { from: '/n', as: 'integer' },
            quantity: { from: '/q', as: 'quantity' },
            amount: '/net',
            tax: optional('/vat'),
          },
        },
        charges: {
          from: '/extra',
          fields: { code: '/code', kind: optional('/kind'), amount: '/net', tax: optional('/vat') },
        },
      },
    };
    const { charges: _, ...uncharged } = settings.lists!;
    const of = (fields: object, lists: MapSettings['lists'] = settings.lists) =>
      mappedItems(
        {
          kind: 'document',
          mapping: mappingOf({ ...settings, ...(lists !== undefined && { lists }) }),
          system: 'erp',
          channel: null,
        },
        [
          {
            kind: 'invoice',
            no: 'I1',
            order: 'web/1',
            at: '2026-03-01T00:00:00Z',
            net: '14.00',
            rows: [{ n: 1, q: 2, net: '10.00' }],
            ...fields,
          },
        ],
      )[0]!;
    const charged = of({
      vat: '2.80',
      rows: [{ n: 1, q: 2, net: '10.00', vat: '2.00' }],
      extra: [
        { code: 'STD', kind: 'freight', net: '5.00', vat: '1.00' },
        { code: 'PROMO', net: '-1.00', vat: '-0.20' },
      ],
    });
    expect(charged.command).toMatchObject({
      ...{ kind: 'document.posted', totalMinor: 1400, taxMinor: 280, lines: [{ amountMinor: 1000, taxMinor: 200 }] },
      charges: [
        { kind: 'freight', code: 'STD', amountMinor: 500, taxMinor: 100 },
        { code: 'PROMO', amountMinor: -100, taxMinor: -20 },
      ],
    });
    const bare = of({}, uncharged);
    for (const name of ['charges', 'taxMinor']) expect(bare.command).not.toHaveProperty(name);
    // Tax that is said anew is another content.
    expect(
      new Set(
        [charged, bare, of({ vat: '2.80' }, uncharged), of({ vat: '2.81' }, uncharged), of({ extra: [] })].map(
          (one) => one.fingerprint,
        ),
      ).size,
    ).toBe(5);
    expect(of({ extra: [{ code: 'STD', net: '5.001' }] }).unreadable).toMatchObject({ place: '/0/charges/0/amount' });
    expect(of({ vat: 'some' }, uncharged).unreadable).toMatchObject({ place: '/0/tax' });
  });

  it('returns that are asked for, and what an inspection found, by our reference or by the request', () => {
    const of = (kind: 'return' | 'inspected', settings: MapSettings, raw: object) =>
      mappedItems({ kind, mapping: mappingOf(settings), system: 'wms', channel: 'web' }, [raw])[0]!;
    const asked = {
      fields: { order: '/order', reference: '/rma', at: '/at', reason: { from: '/why', optional: true } },
      lists: {
        lines: {
          from: '/rows',
          fields: { lineNo: { from: '/n', as: 'integer' }, quantity: { from: '/q', as: 'quantity' } },
        },
      },
    } as const satisfies MapSettings;
    const request = { order: '77', rma: 'RMA-1', at: '2026-03-01T00:00:00Z', why: 'damaged', rows: [{ n: 1, q: 2 }] };
    expect(of('return', asked, request)).toMatchObject({
      ...{ scope: 'return/web', key: 'RMA-1/77' },
      command: {
        kind: 'return.requested',
        channel: 'web',
        order: '77',
        reason: 'damaged',
        lines: [{ lineNo: 1, quantity: 2 }],
      },
    });
    expect(of('return', asked, { ...request, rows: [{ n: 1, q: 0 }] }).unreadable).toMatchObject({
      place: '/0/lines/0/quantity',
    });
    const units = Object.fromEntries(
      ['restock', 'scrap', 'quarantine'].map((name) => [name, { from: `/${name}`, as: 'quantity', optional: true }]),
    ) as NonNullable<MapSettings['fields']>;
    const looked = {
      fields: {
        id: '/id',
        at: '/at',
        by: '/by',
        reference: { from: '/ours', optional: true },
        channel: { from: '/shop', optional: true },
        order: { from: '/order', optional: true },
        request: { from: '/rma', optional: true },
      },
      lists: { lines: { from: '/rows', fields: { lineNo: { from: '/n', as: 'integer' }, ...units } } },
    } as const satisfies MapSettings;
    const found = { id: 'i1', at: '2026-03-02T00:00:00Z', by: 'ann', rows: [{ n: 1, restock: 1, scrap: 1 }] };
    expect(of('inspected', looked, { ...found, ours: 'R50' })).toMatchObject({
      ...{ scope: 'inspected/wms', key: 'i1' },
      command: { returnReference: 'R50', by: 'ann', lines: [{ lineNo: 1, restock: 1, scrap: 1, quarantine: 0 }] },
    });
    expect(of('inspected', looked, { ...found, shop: 'web', order: '77', rma: 'RMA-1' }).command).toMatchObject({
      ...{ returnReference: '', requestedAs: { channel: 'web', order: '77', reference: 'RMA-1' } },
    });
  });

  it('products, accounts and prices are records of their own', () => {
    const of = (kind: 'product' | 'account' | 'price', fields: MapSettings['fields'], record: unknown) =>
      mappedItems({ kind, mapping: mappingOf({ fields }), system: 'erp', channel: null }, [record])[0]!;
    const changedAt = { value: '2026-03-01T00:00:00Z' };
    const product = { sku: '/sku', changedAt, unit: { from: '/unit', optional: true } };
    expect(of('product', product, { sku: 'a', unit: 'PCE' })).toMatchObject({
      scope: 'product.changed/erp',
      command: { kind: 'product.changed', sku: 'A', unit: 'PCE', changedAt: '2026-03-01T00:00:00.000Z' },
    });
    expect(of('product', product, {}).unreadable).toEqual({ reason: 'is missing (sku)', place: '/0/sku', value: null });
    const account = { account: '/no', company: { value: 'uk' }, changedAt, name: '/name' };
    expect(of('account', account, { no: '7', name: 'Smith' }).command).toMatchObject({ account: '7', name: 'Smith' });
    const price = { sku: '/sku', company: { value: 'uk' }, currency: { value: 'GBP' }, changedAt };
    const unitPrice = { from: '/price', as: 'decimal' } as const;
    expect(of('price', { ...price, unitPrice }, { sku: 'A', price: 2.5 }).command).toMatchObject({ unitPrice: '2.5' });
    expect(of('price', { ...price, unitPrice }, { sku: 'A', price: -1 })).toMatchObject({
      key: 'A',
      unreadable: { place: '/0/unitPrice' },
    });
  });

  it('a contract comes with all of its prices, or says nothing of them', () => {
    const of = (settings: MapSettings, record: unknown) =>
      mappedItems({ kind: 'contract', mapping: mappingOf(settings), system: 'erp', channel: null }, [record])[0]!;
    const fields = {
      ...{ contract: '/no', account: '/for', company: { value: 'uk' }, changedAt: { value: '2026-03-01T00:00:00Z' } },
      validTo: { from: '/to', optional: true },
    } as const satisfies MapSettings['fields'];
    const lists = {
      prices: {
        from: '/parts',
        fields: { sku: '/no', unitPrice: { from: '/price', as: 'decimal' }, unit: { from: '/per', optional: true } },
      },
    } as const satisfies MapSettings['lists'];
    const record = { no: 'K1', for: 'A1', to: '2026-12-31', parts: [{ no: 'a', price: 12.5, per: 'box' }] };
    expect(of({ fields, lists }, record)).toMatchObject({
      scope: 'contract.changed/erp',
      key: expect.stringMatching(/^uk\/K1 2026-03-01T00:00:00.000Z /),
      command: {
        ...{ kind: 'contract.changed', contract: 'K1', account: 'A1', company: 'uk', validTo: '2026-12-31' },
        prices: [{ sku: 'A', unitPrice: '12.5', unit: 'box' }],
      },
    });
    expect(of({ fields }, record).command).not.toHaveProperty('prices');
    expect(of({ fields, lists }, { ...record, parts: [{ no: 'a', price: -1 }] }).unreadable?.place).toMatch(
      /unitPrice$/,
    );
  });

  it('what master data may say is said where it is mapped; a - is none, a ticked box a hold', () => {
    const optional = (from: string) => ({ from, optional: true });
    const changedAt = { value: '2026-03-01T00:00:00Z' };
    const of = (kind: 'product' | 'account', settings: MapSettings, record: unknown) =>
      mappedItems({ kind, mapping: mappingOf(settings), system: 'crm', channel: null }, [record])[0]!;
    const product = {
      fields: {
        sku: '/sku',
        changedAt,
        lifecycle: optional('/life'),
        weightG: { from: '/g', as: 'integer', optional: true },
      },
      lists: { kit: { from: '/parts', fields: { sku: '/no', quantity: { from: '/n', as: 'quantity' } } } },
    } as const satisfies MapSettings;
    expect(
      of('product', product, { sku: 'a', life: 'phase_out', g: 20, parts: [{ no: 'b', n: 2 }] }).command,
    ).toMatchObject({
      ...{ lifecycle: 'phase_out', weightG: 20, kit: [{ sku: 'B', quantity: 2 }] },
    });
    expect(of('product', product, { sku: 'a', life: 'gone', parts: [] }).unreadable).toMatchObject({
      place: '/0/lifecycle',
    });
    const account = {
      fields: {
        ...{
          account: '/no',
          company: { value: 'uk' },
          changedAt,
          parent: optional('/up'),
          paymentTerms: optional('/terms'),
        },
        hold: { from: '/blocked', as: 'boolean', optional: true },
      },
      lists: { addresses: { from: '/sites', fields: { code: '/id', line1: '/street', country: '/land' } } },
    } as const satisfies MapSettings;
    const site = { id: 'HQ', street: '1 High Street', land: 'GB' };
    expect(of('account', account, { no: '7', up: '-', blocked: 'yes', sites: [site] }).command).toMatchObject({
      ...{ parent: null, hold: 'on hold', addresses: [{ code: 'HQ', lines: ['1 High Street'], country: 'GB' }] },
    });
    const freed = of('account', account, { no: '7', blocked: 'no', terms: 'net30', sites: [] }).command;
    expect(freed).toMatchObject({ hold: null, paymentTerms: 'net30', addresses: [] });
    expect(freed).not.toHaveProperty('parent');
  });
});

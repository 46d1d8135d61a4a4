/** The one rule for amounts, said twice: in the language and in SQL. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amountMinor, minorPlacesByCurrency, minorPlacesOf } from '../src/canonical/index.ts';
import { useDatabase } from './helpers/database.ts';

const database = useDatabase();

it('each currency has as many places in SQL as in the language', async () => {
  const codes = [...minorPlacesByCurrency.keys(), 'GBP', 'EUR', 'USD', 'XXX'];
  const { rows } = await database.pool.query(
    'select code, minor_scale(code)::int as scale from unnest($1::text[]) as t(code)',
    [codes],
  );
  expect(rows).toEqual(codes.map((code) => ({ code, scale: 10 ** minorPlacesOf(code) })));
  // Nothing else has other places there.
  const { rows: others } = await database.pool.query(
    `select code from (select chr(a) || chr(b) || chr(c) as code from generate_series(65, 90) a, generate_series(65, 90) b, generate_series(65, 90) c) t
      where minor_scale(code) <> 100 order by code collate "C"`,
  );
  expect(others.map(({ code }) => code)).toEqual([...minorPlacesByCurrency.keys()].sort());
});

it('any amount is the same in SQL, also where a quotient of some digits would be rounded twice', async () => {
  const price = fc.tuple(fc.nat(99_999), fc.nat(999_999)).map(([w, f]) => `${w}.${String(f).padStart(6, '0')}`);
  const drawn = fc.sample(
    fc.tuple(price, fc.nat(1_000_000), fc.constantFrom('GBP', 'JPY', 'BHD', 'CLF'), fc.integer({ min: 1, max: 1e9 })),
    { numRuns: 2_000, seed: 27 },
  );
  const given = [
    // Two ten-millionths below a half.
    ['4999999', 499_999_900, 'GBP', 999_999_937],
    ['0.5', 1, 'JPY', 1],
    ['0.499999', 1, 'JPY', 1],
    ...drawn,
  ] as [string, number, string, number][];
  const { rows } = await database.pool.query(
    `select amount_minor(p::numeric, q, c, per)::text as minor
       from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) with ordinality as t(p, q, c, per, n) order by n`,
    [0, 1, 2, 3].map((column) => given.map((row) => row[column])),
  );
  expect(rows.map(({ minor }) => minor)).toEqual(
    given.map(([unitPrice, quantity, currency, per]) => String(amountMinor(unitPrice, quantity, currency, per))),
  );
});

it.each([
  ...['canonical/money', 'canonical/units', 'canonical/tax', 'ingest/translate-quantities', 'connectors/kit/one-unit'],
  ...['connectors/kit/said-units', 'orders/accepted', 'orders/decide', 'orders/take-back', 'master/units'],
])('no fraction comes about in %s', (file) => {
  const text = readFileSync(join(import.meta.dirname, '..', 'src', `${file}.ts`), 'utf8').replace(
    /\/\*[\s\S]*?\*\/|\/\/.*/g,
    '',
  );
  expect(text).not.toMatch(/parseFloat|toFixed|Math\.(round|trunc|floor)|[*/] ?1e?0+\b/);
});

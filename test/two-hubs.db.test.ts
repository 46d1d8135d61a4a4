/** Two hubs on one ERP, or one over a new database: each counts from one, and neither takes the other's work for its own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownReferences } from '../src/connectors/kit/index.ts';
import movesPage from '../src/connectors/tryton/fixtures/moves.json' with { type: 'json' };
import { joinMoves, mapMoves } from '../src/connectors/tryton/map.ts';
import { useDatabase } from './helpers/database.ts';
import { memorySystems, moved, order, picked, returned, SmallHub, shipped } from './helpers/small-hub.ts';

const databases = [useDatabase(), useDatabase()];
/** Both hubs write to the same systems. */
const systems = memorySystems();
const hubs: SmallHub[] = [];
const endings = ['-AAAA', '-BBBB'];

beforeAll(async () => {
  for (const [n, database] of databases.entries()) {
    await database.pool.query('update hub set reference_ending = $1', [endings[n]]);
    const hub = await SmallHub.open({ url: database.url, connectors: { erp: systems.erp, wms: systems.wms } });
    await hub.seed(['X']);
    await hub.receive('wms', [moved('m', 'X', 'north', 10)]);
    await hub.receive('api', [order('api', `O${n}`, [{ sku: 'X', quantity: 2 + n }])]);
    await hub.settle();
    hubs.push(hub);
  }
});
afterAll(async () => {
  for (const hub of hubs) await hub.close();
});

it('their fulfilments have two names', () => {
  const named = systems.wms
    .of('fulfilment')
    .map(({ reference, payload }) => [reference, (payload as { order: string }).order]);
  expect(named).toEqual([
    ['F1-AAAA', 'api/O0'],
    ['F1-BBBB', 'api/O1'],
  ]);
});

it.each(['1-BBBB', '1', '-AAAA', '1-AAAAA'])('F and R%s are none of the first hub', async (name) => {
  const lines = [{ lineNo: 1, sku: 'X', quantity: 1 }];
  const results = await hubs[0]!.receive('wms', [
    picked(`p${name}`, `F${name}`, lines),
    returned(`r${name}`, `R${name}`, lines),
  ]);
  expect(results).toMatchObject([
    { status: 'parked', class: 'unknown_fulfilment' },
    { status: 'parked', class: 'unknown_return' },
  ]);
});

it('its own are picked and shipped, and the promises see the same names', async () => {
  const lines = [{ lineNo: 1, sku: 'X', quantity: 2 }];
  await hubs[0]!.receive('wms', [picked('p', 'F1-AAAA', lines), shipped('s', 'F1-AAAA', lines)]);
  await hubs[0]!.settle();
  const { rows } = await databases[0]!.pool.query('select shipped::int as shipped from order_line');
  expect(rows).toEqual([{ shipped: 2 }]);
  const open = await databases[0]!.pool.query(
    `select kind, reference, error from delivery where state <> 'c' and kind in ('sales_order', 'fulfilment')`,
  );
  expect(open.rows).toEqual([]);
  const names = await databases[0]!.pool.query('select fulfilment_reference(fulfilment_id) as name from fulfilment');
  expect(names.rows).toEqual([{ name: 'F1-AAAA' }]);
});

it('what an ERP ships for another hub only changes its stock', () => {
  const kinds = (ending: string) => {
    const items = mapMoves(joinMoves(movesPage), 'erp', ownReferences(ending));
    return new Set(items.map(({ command }) => command?.kind));
  };
  expect(kinds('')).toContain('fulfilment.picked');
  expect(kinds('-AAAA')).toEqual(new Set(['stock.moved']));
});

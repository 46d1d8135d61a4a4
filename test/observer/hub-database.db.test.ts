import { expect, test } from 'vitest';
import { useDatabase } from '../helpers/database.ts';
import { Findings } from './findings.ts';
import { compareHub } from './hub-database.ts';

const database = useDatabase();

test('shelves that the hub believes in and the WMS does not know, and promises beyond them, are found', async () => {
  await database.pool.query(`
    insert into company (code, currency, time_zone) values ('UK', 'GBP', 'Europe/London');
    insert into location (code, company_id, region) select v.code, company_id, 'x' from company, (values ('LON'), ('MAN')) v(code);
    insert into sku (code) values ('A'), ('B');
    insert into stock_balance (sku_id, location_id, on_hand, reserved, allocated, exposed, safety_stock)
    select sku_id, location_id, 10, 1, 2, case when s.code = 'B' and l.code = 'MAN' then 7 else 4 end, 1
      from sku s, location l where not (s.code = 'A' and l.code = 'MAN')`);
  const findings = new Findings();
  const wms = new Map([
    ['LON/A', 10],
    ['LON/B', 9],
    ['MAN/A', 3],
    ['MAN/B', 10],
  ]);
  expect(await compareHub(findings, database.url, wms)).toEqual({ onHand: 30, promised: 24 });
  const found = findings.list.map(({ code, key, expected, found }) => [code, key, expected, found]);
  expect(found.sort()).toEqual([
    ['on_hand', 'LON/B', 9, 10],
    ['on_hand', 'MAN/A', 3, null],
    ['promised_beyond', 'MAN/B', 9, 10],
  ]);
});

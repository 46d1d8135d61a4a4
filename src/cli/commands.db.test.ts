import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { startEstate, type TestEstate, tradeADay } from '../../test/helpers/estate.ts';
import type { InboundItem } from '../canonical/index.ts';
import { checkPromises } from '../ops/index.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-cli-'));
let estate: TestEstate;
beforeAll(async () => {
  estate = await startEstate(database.url);
  await tradeADay(estate);
});
afterAll(async () => {
  await estate?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command as a user does; stdout is one JSON document or nothing. */
// biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
function crossdock(...args: string[]): Promise<{ code: number; json: any; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), ...args],
      {
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          NODE_OPTIONS: '',
          NODE_COMPILE_CACHE: join(folder, 'cache'),
        },
      },
      (error, stdout, stderr) => {
        const json = args.includes('--json') && stdout !== '' ? JSON.parse(stdout) : undefined;
        resolve({ code: error === null ? 0 : Number(error.code), json, stdout, stderr });
      },
    );
  });
}

test('verify holds after an honest day, and says so in text too', async () => {
  const { code, json } = await crossdock('verify', '--json');
  expect(code).toBe(0);
  expect(json.ok).toBe(true);
  expect(Object.keys(json.promises)).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11']);
  const text = await crossdock('verify');
  expect(text.stdout.match(/^I\d+ +holds /gm)).toHaveLength(11);
});

test('verify ends with 3 when a promise is broken', async () => {
  await database.pool.query('update stock_balance set on_hand = on_hand + 1 where sku_id = 1 and location_id = 1');
  const { code, json } = await crossdock('verify', '--json');
  await database.pool.query('update stock_balance set on_hand = on_hand - 1 where sku_id = 1 and location_id = 1');
  expect(code).toBe(3);
  expect(json.promises.I1).toMatchObject({ holds: false, violations: 1 });
});

describe('trace', () => {
  test('tells an order from the message that brought it to what each system holds', async () => {
    const { code, json } = await crossdock('trace', 'shop/S1', '--json');
    expect(code).toBe(0);
    expect(json).toMatchObject({ order: 'shop/S1', state: 'closed', gaps: [], truncated: false });
    const entries: { kind: string; system: string; what: string; outcome: string; at: string }[] = json.entries;
    expect(entries.map((entry) => entry.at)).toEqual(entries.map((entry) => entry.at).toSorted());
    const whats = (kind: string) => entries.filter((entry) => entry.kind === kind).map((entry) => entry.what);
    expect(whats('message')).toContain('order/shop S1');
    expect(whats('message').some((what) => what.startsWith('cancel/shop SC1/S1/1'))).toBe(true);
    for (const fact of [
      'order.accepted',
      'order.confirmed',
      'stock.picked',
      'shipment.confirmed',
      'document.posted',
      'return.received',
    ])
      expect(whats('fact'), fact).toContain(fact);
    expect(
      entries
        .filter((entry) => entry.kind === 'delivery' && entry.outcome === 'confirmed')
        .map((entry) => entry.system),
    ).toEqual(expect.arrayContaining(['erp', 'wms']));
    expect(
      entries
        .filter((entry) => entry.kind === 'publication')
        .map((entry) => entry.system)
        .sort(),
    ).toEqual(['crm', 'shop']);
  });

  test('finds it by id, number and ERP number, and marks what has not followed', async () => {
    const { rows } = await database.pool.query(`select order_id, erp_number from sales_order where external_no = 'C1'`);
    for (const name of ['C1', 'crm/C1', String(rows[0].order_id), rows[0].erp_number]) {
      const { code, json } = await crossdock('trace', name, '--json');
      expect([name, json.order, code]).toEqual([name, 'crm/C1', json.gaps.length > 0 ? 3 : 0]);
    }
    const { stdout, code } = await crossdock('trace', 'C1');
    const { rows: lines } = await database.pool.query(
      `select l.backordered::int as n from order_line l join sales_order o using (order_id) where o.external_no = 'C1'`,
    );
    if (lines[0].n > 0) {
      expect(stdout).toContain(`line 1 (A4): ${lines[0].n} wait for stock`);
      expect(code).toBe(3);
    }
  });

  test('an order that nobody knows is an error with its name', async () => {
    const { code, json } = await crossdock('trace', 'nothing', '--json');
    expect(code).toBe(1);
    expect(json.error).toMatchObject({ code: 'XD_NOT_FOUND', details: { order: 'nothing' } });
  });
});

describe('explain', () => {
  test('gives a number with every input', async () => {
    const { code, json } = await crossdock('explain', 'a1', '--channel', 'shop', '--json');
    expect(code).toBe(0);
    const { rows } = await database.pool.query(
      `select sum(quantity)::int as own from exposure e join channel c using (channel_id) join sku s using (sku_id) where c.code = 'shop' and s.code = 'A1'`,
    );
    expect(json).toMatchObject({ sku: 'A1', channel: 'shop', atp: rows[0].own });
    expect(json.locations.map((l: { location: string }) => l.location).sort()).toEqual(['GLA', 'LON', 'MAN']);
    const text = await crossdock('explain', 'A1', '--channel', 'shop');
    expect(text.stdout).toMatch(/^A1 in shop as of /);
    expect(text.stdout).toContain('latest movements');
  });

  test('gives on hand of a past moment from the movements', async () => {
    const { rows } = await database.pool.query(
      `select min(recorded_at) as first, max(recorded_at) as last from stock_movement`,
    );
    const before = await crossdock(
      'explain',
      'A1',
      '--channel',
      'crm',
      '--at',
      new Date(rows[0].first.getTime() - 1_000).toISOString(),
      '--json',
    );
    expect(before.json.locations.map((l: { onHand: number }) => l.onHand)).toEqual([0, 0, 0]);
    const after = await crossdock(
      'explain',
      'A1',
      '--channel',
      'crm',
      '--at',
      new Date(rows[0].last.getTime() + 1).toISOString(),
      '--json',
    );
    const { rows: now } = await database.pool.query(
      `select sum(on_hand)::int as n from stock_balance b join sku s using (sku_id) where s.code = 'A1'`,
    );
    expect(after.json.locations.reduce((sum: number, l: { onHand: number }) => sum + l.onHand, 0)).toBe(now[0].n);
  });

  test.each([
    [['explain', 'NONE', '--channel', 'shop', '--json'], 'XD_UNKNOWN_SKU'],
    [['explain', 'A1', '--channel', 'nowhere', '--json'], 'XD_UNKNOWN_CHANNEL'],
    [['explain', 'A1', '--channel', 'shop', '--at', 'yesterday', '--json'], 'XD_VALUE_INVALID'],
  ])('%s is refused', async (args, errorCode) => {
    const { code, json } = await crossdock(...args);
    expect([code, json.error.code]).toEqual([1, errorCode]);
  });
});

describe('parked', () => {
  const itemOf = (key: string, sku: string) => ({
    scope: 'movement/wms',
    key,
    fingerprint: 'f',
    itemNo: 0,
    command: {
      kind: 'stock.moved' as const,
      movement: 'received' as const,
      sku,
      location: 'LON',
      quantity: 5,
      reference: key,
      occurredAt: '2026-03-03T09:00:00.000Z',
    },
  });
  const receive = (item: InboundItem) =>
    estate.hub.receiver.receive({
      system: 'wms',
      source: 'file',
      contentType: 'application/json',
      body: Buffer.from('{"as":"it came"}'),
      items: [item],
      onFault: 'park',
    });
  const park = async (key: string, sku: string) => {
    await receive(itemOf(key, sku));
    const { rows } = await database.pool.query('select parked_id::int as id from parked_record where key = $1', [key]);
    return rows[0].id as number;
  };

  test('is listed, shown with its message, corrected and run again under its own key', async () => {
    const id = await park('p1', 'A1x');
    const list = await crossdock('parked', 'ls', '--class', 'unknown_sku', '--json');
    expect(list.json.parked).toMatchObject([{ parkedId: id, class: 'unknown_sku', system: 'wms', place: 'sku' }]);
    const one = await crossdock('parked', 'show', String(id), '--json');
    expect(one.json).toMatchObject({ reason: 'no SKU "A1x"', message: { body: '{"as":"it came"}' } });
    const still = await crossdock('parked', 'replay', String(id), '--json');
    expect([still.code, still.json]).toMatchObject([3, { applied: 0, still: 1 }]);
    const edited = await crossdock('parked', 'edit', String(id), '--set', 'command.sku=A1', '--replay', '--json');
    expect([edited.code, edited.json]).toMatchObject([0, { applied: 1, still: 0 }]);
    const { rows } = await database.pool.query(
      `select i.state, count(m.*)::int as n from inbound i join stock_movement m on m.source_id = i.key where i.key = 'p1' group by 1`,
    );
    expect(rows).toEqual([{ state: 'a', n: 1 }]);
    const again = await crossdock('parked', 'replay', String(id), '--json');
    expect([again.code, again.json.error.code]).toEqual([1, 'XD_REFUSED']);
  });

  test('may be corrected from a file, but not into another thing', async () => {
    const id = await park('p2', 'A1y');
    const { json } = await crossdock('parked', 'show', String(id), '--json');
    const file = join(folder, 'item.json');
    const write = (change: object) => writeFileSync(file, JSON.stringify({ ...json.item, ...change }));
    write({ key: 'other' });
    expect((await crossdock('parked', 'edit', String(id), '--file', file, '--json')).json.error).toMatchObject({
      code: 'XD_VALUE_INVALID',
      details: { place: 'key' },
    });
    expect((await crossdock('parked', 'edit', String(id), '--set', 'command.skuu=A1', '--json')).json.error.code).toBe(
      'XD_VALUE_INVALID',
    );
    write({ command: { ...json.item.command, sku: 'A2' } });
    expect((await crossdock('parked', 'edit', String(id), '--file', file, '--replay', '--json')).json).toMatchObject({
      applied: 1,
    });
  });

  test('may be given up with a reason, and is superseded then', async () => {
    const id = await park('p3', 'A1z');
    expect((await crossdock('parked', 'resolve', String(id))).code).toBe(2);
    const { code, json } = await crossdock('parked', 'resolve', String(id), '--reason', 'was a test', '--json');
    expect([code, json.state]).toEqual([0, 'resolved']);
    expect(json.resolution).toMatch(/^was a test \(.+\)$/);
    const { rows } = await database.pool.query(`select state from inbound where key = 'p3'`);
    expect(rows).toEqual([{ state: 's' }]);
    expect((await checkPromises(estate.hub.db)).I5).toMatchObject({ holds: true });
  });

  test('a second content of a key is never run', async () => {
    for (const [quantity, content] of [
      [5, 'f'],
      [6, 'g'],
    ] as const)
      await receive({
        ...itemOf('p4', 'A1'),
        fingerprint: content,
        command: { ...itemOf('p4', 'A1').command, quantity },
      });
    const { rows } = await database.pool.query(`select parked_id::int as id from parked_record where key = 'p4'`);
    const { code, json } = await crossdock('parked', 'replay', String(rows[0].id), '--json');
    expect([code, json.error.code]).toEqual([1, 'XD_REFUSED']);
    const { rows: moved } = await database.pool.query(
      `select sum(effect)::int as units from stock_movement where source_id = 'p4'`,
    );
    expect(moved).toEqual([{ units: 5 }]);
  });
});

describe('what a system did not take', () => {
  const park = async () => {
    const { rows } = await database.pool.query(
      `update delivery set state = 'p', ended_at = null, error = '409 closed month'
        where delivery_id = (select min(delivery_id) from delivery where kind = 'shipment_posting') returning delivery_id::int as id, reference`,
    );
    return rows[0] as { id: number; reference: string };
  };

  test('a delivery is listed, shown, and sent again by the hub, which finds it there', async () => {
    const { id, reference } = await park();
    const name = `delivery/${id}`;
    const list = await crossdock('parked', 'ls', '--system', 'erp', '--json');
    expect(list.json.deliveries).toMatchObject([{ deliveryId: id, state: 'parked', error: '409 closed month' }]);
    expect((await crossdock('parked', 'ls', '--class', 'unknown_sku', '--json')).json.deliveries).toEqual([]);
    expect((await crossdock('parked', 'ls')).stdout).toMatch(
      new RegExp(`^${name} +parked +erp +shipment_posting ${reference} `, 'm'),
    );
    const one = await crossdock('parked', 'show', name, '--json');
    expect(one.json).toMatchObject({ reference, payload: { reference }, holdsUp: 0 });
    expect((await crossdock('parked', 'show', name)).stdout).toContain('409 closed month');
    const preview = await crossdock('parked', 'replay', '--system', 'erp', '--class', 'parked', '--preview', '--json');
    expect(preview.json).toEqual({ preview: [], again: [name] });
    const again = await crossdock('parked', 'replay', name, '--json');
    expect([again.code, again.json.again]).toEqual([0, [{ id: name, state: 'in doubt' }]]);
    await expect
      .poll(async () => (await crossdock('parked', 'show', name, '--json')).json, { timeout: 10_000 })
      .toMatchObject({ state: 'confirmed', attempts: 0 });
    const twice = await crossdock('parked', 'replay', name, '--json');
    expect([twice.code, twice.json.error]).toMatchObject([1, { code: 'XD_REFUSED', details: { state: 'confirmed' } }]);
  });

  test('a delivery may be given up, with a reason that trace tells', async () => {
    const { id } = await park();
    expect((await crossdock('parked', 'resolve', `delivery/${id}`)).code).toBe(2);
    const { code, json } = await crossdock(
      'parked',
      'resolve',
      `delivery/${id}`,
      '--reason',
      'posted there by hand',
      '--json',
    );
    expect([code, json.state]).toEqual([0, 'cancelled']);
    expect(json.resolution).toMatch(/^posted there by hand \(.+\)$/);
    expect((await crossdock('trace', String(json.orderId))).stdout).toContain(json.resolution);
  });

  test('a publication is listed by what it is about and told again', async () => {
    const { rows } = await database.pool.query(
      `update publication p set state = 'p', version = p.version + 1, error = '500' from destination d, sales_order o
        where d.destination_id = p.destination_id and d.code = 'crm' and p.kind = 'order_status' and o.order_id = p.key and o.external_no = 'S1'
       returning p.key::int as key`,
    );
    const name = `publication/crm/order_status/${rows[0].key}`;
    expect((await crossdock('parked', 'ls', '--json')).json.publications).toMatchObject([
      { destination: 'crm', kind: 'order_status', what: 'shop/S1', error: '500' },
    ]);
    const again = await crossdock('parked', 'replay', '--system', 'crm', '--class', 'parked');
    expect([again.code, again.stdout]).toEqual([0, `${name} goes again, looked up first\n`]);
    await expect
      .poll(async () => (await crossdock('parked', 'show', name, '--json')).json.state, { timeout: 10_000 })
      .toBe('confirmed');
  });

  test('what is no id of the list is wrong usage', async () => {
    for (const name of ['deliver/1', 'delivery/x', 'publication/crm/order_status', '-'])
      expect([name, (await crossdock('parked', 'show', name)).code]).toEqual([name, 2]);
    expect((await crossdock('parked', 'show', 'delivery/999999', '--json')).json.error.code).toBe('XD_NOT_FOUND');
  });
});

test('a key is shown once, listed without it, and ended', async () => {
  const made = await crossdock(
    'keys',
    'create',
    'partner',
    '--scope',
    'read',
    '--scope',
    'write',
    '--channel',
    'api',
    '--json',
  );
  expect(made.code).toBe(0);
  expect(made.json).toMatchObject({ name: 'partner', scopes: ['read', 'write'], channel: 'api' });
  const { rows } = await database.pool.query(
    'select key_hash = sha256($2::text::bytea) as kept from api_key where key_id = $1',
    [made.json.keyId, made.json.key],
  );
  expect(rows).toEqual([{ kept: true }]);
  const list = await crossdock('keys', 'ls', '--json');
  expect(list.json.keys).toMatchObject([{ keyId: made.json.keyId, revokedAt: null }]);
  expect(list.stdout).not.toContain(made.json.key);
  expect((await crossdock('keys', 'revoke', made.json.keyId, '--json')).json).toEqual({
    keyId: made.json.keyId,
    revoked: true,
  });
  expect((await crossdock('keys', 'revoke', made.json.keyId, '--json')).code).toBe(1);
  expect((await crossdock('keys', 'create', 'x', '--scope', 'rule')).code).toBe(2);
  expect((await crossdock('keys', 'create', 'x', '--channel', 'nowhere', '--json')).json.error.code).toBe(
    'XD_UNKNOWN_CHANNEL',
  );
});

test('load and its kinds are reached from the command line', async () => {
  const file = join(folder, 'products.csv');
  writeFileSync(file, 'sku,unit\nCLI1,each\nCLI2,no unit!\n');
  const { code, json } = await crossdock('load', 'products', file, '--json');
  expect([code, json.applied, json.rejected]).toEqual([3, 1, 1]);
  expect((await crossdock('load', 'pigeons', file)).code).toBe(2);
});

test('doctor names what an estate declares and nothing applies, by its path, and an estate that is none', async () => {
  const config = join(folder, 'estate.mjs');
  const estateOf = (more: string) =>
    `export default { name: 'test', companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
       locations: { LON: { company: 'UK', region: 'south' } }, systems: { erp: { connector: 'sim-erp' } },
       channels: { api: { company: 'UK', sells: 'asks', locations: ['LON'] } }, routing: { orders: 'erp' }, ${more} };`;
  const found = async (more: string) => {
    writeFileSync(config, estateOf(more));
    const { json } = await crossdock('doctor', '--json', '--config', config);
    return json.findings.filter((finding: { code: string }) => finding.code.startsWith('estate.'));
  };
  expect(await found('')).toMatchObject([{ code: 'estate.applied', level: 'ok' }]);
  expect(
    await found(`owners: { price: 'erp' }, degradedModes: { erp: {} }, partners: { acme: { name: 'Acme' } }`),
  ).toMatchObject([
    { code: 'estate.not_applied', level: 'warning', what: 'partners.acme is declared, not applied by this version' },
  ]);
  expect(await found(`ownrs: {}`)).toMatchObject([
    { code: 'estate.valid', level: 'error', what: expect.stringContaining('did you mean owners?') },
  ]);
});

test('what waits for a steward is listed, shown and decided; an open one ends the list with 3', async () => {
  expect((await crossdock('stewardship', '--json')).code).toBe(0);
  const { rows } = await database.pool.query(
    `insert into stewardship_item (domain, company_id, record_key, field, value_held, value_said, system, owner, changed_at)
     select 'account', a.company_id, a.code, 'name', to_json(a.name), '"Said"', 'shop', 'crm', crossdock_now() from account a order by a.account_id limit 1
     returning item_id::int, record_key`,
  );
  const { item_id: id, record_key: code } = rows[0];
  const listed = await crossdock('stewardship', 'ls', '--domain', 'account', '--json');
  expect([listed.code, listed.json.items]).toMatchObject([
    3,
    [{ itemId: id, record: code, said: 'Said', owner: 'crm' }],
  ]);
  expect((await crossdock('stewardship', 'show', String(id))).stdout).toContain(`stewardship accept ${id}`);
  const accepted = await crossdock('stewardship', 'accept', String(id), '--reason', 'called them', '--json');
  expect([accepted.code, accepted.json]).toMatchObject([0, { state: 'accepted', reason: 'called them' }]);
  const late = await crossdock('stewardship', 'reject', String(id));
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('is accepted already')]);
  expect((await crossdock('stewardship', 'ls', '--domain', 'nope')).code).toBe(2);
  expect((await database.pool.query('select name from account where code = $1', [code])).rows[0].name).toBe('Said');
});

test('exceptions are listed, shown and settled; one that is open ends the list with 3', async () => {
  expect((await crossdock('exceptions', '--json')).code).toBe(0);
  const { rows } = await database.pool.query(
    `insert into order_exception (order_id, exception_id, line_no, sku_id, channel_id, kind, policy, units, held, backordered, cancelled, substituted, state)
     select o.order_id, 990001 + n, 1, l.sku_id, o.channel_id, 'oversold', 'hold', 2, 2 * n, 2 * (1 - n), 0, 0, case n when 1 then 'open' else 'resolved' end
       from sales_order o join order_line l using (order_id), generate_series(0, 1) as n where o.external_no = 'S1' and l.line_no = 1
     returning order_id`,
  );
  const listed = await crossdock('exceptions', 'list', '--json');
  expect([listed.code, listed.json.exceptions]).toMatchObject([
    3,
    [{ exceptionId: 990002, order: 'shop/S1', held: 2 }],
  ]);
  expect((await crossdock('exceptions', 'list', '--state', 'all', '--order', String(rows[0].order_id))).stdout).toMatch(
    /990002 .*open .*2 held[\s\S]*990001 .*resolved .*2 backordered/,
  );
  expect((await crossdock('exceptions', 'list', '--channel', 'nope')).code).toBe(2);
  expect((await crossdock('exceptions', 'show', '990002')).stdout).toContain('exceptions resolve 990002 --as');
  // It was settled as that before: nothing happens. Otherwise it is refused.
  const again = await crossdock('exceptions', 'resolve', '990001', '--as', 'backorder', '--json');
  expect([again.code, again.json]).toMatchObject([0, { state: 'resolved', backordered: 2 }]);
  const late = await crossdock('exceptions', 'resolve', '990001', '--as', 'cancel');
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('was resolved by its rule')]);
  expect((await crossdock('exceptions', 'resolve', '990001', '--as', 'hold')).code).toBe(2);
  await database.pool.query('delete from order_exception where exception_id > 990000');
});

test('promise show tells what an order is promised, what it was promised before, and why', async () => {
  const none = await crossdock('promise', 'show', 'shop/S1');
  expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('(shop/S1) has no promise')]);
  await database.pool.query(
    `insert into promise (order_id, line_no, order_version, part, quantity, promised_at, location_id, channel_id, account_id, reason, cause, rule_version, replaced_version)
     select o.order_id, 1, v.version, 1, 2, '2026-03-05T14:00Z'::timestamptz + v.version * interval '1 day', 1, o.channel_id, o.account_id,
            'stock', case v.version when 1 then 'accepted' else 'served' end, 'r1', v.replaced
       from sales_order o, (values (1, 2), (2, null::int)) as v(version, replaced) where o.external_no = 'S1'`,
  );
  const now = await crossdock('promise', 'show', 'shop/S1', '--json');
  expect(now.json).toMatchObject({
    order: 'shop/S1',
    promises: [{ lineNo: 1, quantity: 2, promisedAt: '2026-03-07T14:00:00.000Z', replacedVersion: null }],
  });
  const past = await crossdock('promise', 'show', 'S1', '--past');
  expect(past.stdout).toMatch(/upon served +r1 +holds[\s\S]*upon accepted +r1 +until version 2/);
  await database.pool.query('delete from promise');
});

test('holds are put and listed by whatever the order is called', async () => {
  const at = '2026-03-02T09:00:00.000Z';
  const line = { lineNo: 1, sku: 'A4', quantity: 9_999, unitPrice: '1.25' };
  await estate.drive('crm', 'orders', {
    orders: [{ number: 'H1', account: 'K3', company: 'UK', currency: 'GBP', orderedAt: at, lines: [line] }],
  });
  await estate.drained();
  const put = await crossdock(
    'holds',
    'put',
    'crm/H1',
    '--reason',
    'fraud_check',
    '--detail',
    'asked by phone',
    '--json',
  );
  expect([put.code, put.json]).toMatchObject([0, { order: 'crm/H1', kind: 'manual', state: 'open' }]);
  const listed = await crossdock('holds', 'ls', '--order', 'H1', '--json');
  expect([listed.code, listed.json.holds.length]).toEqual([3, 1]);
  expect((await crossdock('holds', 'put', 'nope', '--reason', 'x', '--detail', 'y')).stderr).toContain(
    'no order has the id, number or ERP number nope',
  );
  const { holdId } = put.json;
  expect((await crossdock('holds', 'release', String(holdId), '--reason', 'it was them', '--json')).json).toMatchObject(
    {
      state: 'released',
    },
  );
  await estate.drained();
});

test('restored begins a new epoch after the newest fact, and what is open is looked up before it is sent', async () => {
  await estate.stopHub();
  const one = `(select max(delivery_id) from delivery)`;
  await database.pool.query(`update delivery set state = 'n', ended_at = null where delivery_id = ${one}`);
  const before = (await database.pool.query('select max(position) as position from fact')).rows[0].position;
  const { code, json } = await crossdock('restored', '--json');
  expect([code, json]).toEqual([
    0,
    { epoch: 2, afterPosition: Number(before), lookedUp: { deliveries: 1, publications: 0 } },
  ]);
  const { rows } = await database.pool.query(`select state::text, error from delivery where delivery_id = ${one}`);
  expect(rows).toEqual([{ state: 'd', error: 'restored' }]);
});

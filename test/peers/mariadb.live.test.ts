/** Against a real MariaDB whose user may make tables. */
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Connector } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { sql } from '../../src/connectors/sql/index.ts';
import { live } from './live.ts';

live('MariaDB', ['mariadb'], (peers) => {
  const { url } = peers.mariadb;
  const signal = new AbortController().signal;
  const limits = { callsPerSecond: 1_000, concurrency: 3, timeoutMs: 2_000, batchMax: null };
  const made: Connector[] = [];
  const box = (settings: Record<string, unknown>): Connector => {
    const connector = sql(contextFor(url, { system: 'old', channel: 'shop', token: null, settings, limits }));
    made.push(connector);
    return connector;
  };
  let admin: Awaited<ReturnType<typeof createConnection>>;
  beforeAll(async () => {
    admin = await createConnection({ uri: url, multipleStatements: true });
    await admin.query(`drop table if exists moves, orders;
      create table moves (id bigint primary key, item varchar(50), n decimal(12,3), changed datetime(6)) engine=innodb;
      create table orders (number int auto_increment primary key, reference varchar(100) unique, total decimal(12,2)) engine=innodb`);
  });
  afterAll(async () => {
    for (const connector of made) await connector.close();
    await admin.query('drop table if exists moves, orders');
    await admin.end();
  });
  const fields = {
    id: 'id',
    sku: 'item',
    location: { value: 'DC' },
    quantity: 'n',
    occurredAt: { value: '2026-03-01T09:00:00Z' },
  };
  const feed = (cursor: object, map: object = { as: 'adjusted', fields }) => ({
    ...{
      feed: 'stock',
      query: 'select id, item, n, changed from moves where n <> :none',
      params: { none: '0' },
      pageRows: 3,
      cursor,
      map,
    },
  });

  it('reads by time, by sequence and by comparison', async () => {
    const rows = [9, 10, 1, 2, 100].map((id) => [id, `sku-${id}`, '12.000', '2026-03-01 10:00:00.123456']);
    await admin.query('insert into moves values ?', [rows]);
    for (const cursor of [
      { by: 'time', at: 'changed', id: 'id', idType: 'integer', overlapSeconds: 60 },
      { by: 'sequence', id: 'id', overlapRows: 5 },
    ]) {
      const source = box({ feeds: [feed(cursor)] }).sources[0]!;
      const first = await source.poll('', signal);
      const second = await source.poll(first.cursor, signal);
      expect([...first.items, ...second.items].map(({ key }) => key)).toEqual(['1', '2', '9', '10', '100']);
      expect((await source.poll(second.cursor, signal)).items).toEqual([]);
      expect(first.items[0]!.command).toMatchObject({ sku: 'SKU-1', quantity: 12 });
    }
    const counted = {
      as: 'counted',
      fields: { sku: 'item', location: { value: 'DC' }, quantity: 'n', occurredAt: '$readAt' },
    };
    const source = box({ feeds: [feed({ by: 'snapshot', key: ['item'] }, counted)] }).sources[0]!;
    const first = await source.poll('', signal);
    expect(first.items).toHaveLength(3);
    await admin.query('update moves set n = 13 where id = 1');
    const rest: string[] = [];
    for (let page = first; !page.drained; ) {
      page = await source.poll(page.cursor, signal);
      rest.push(...page.items.map(({ key }) => key));
    }
    expect(rest).toHaveLength(3);
  });

  it('cannot write unless it is declared, and ends what takes too long', async () => {
    const ask = (query: string) =>
      box({ feeds: [{ ...feed({ by: 'sequence', id: 'id', overlapRows: 1 }), query, params: {} }] }).sources[0]!.poll(
        '',
        signal,
      );
    await expect(ask(`select id, item, n from moves where sleep(10) = 0`)).rejects.toMatchObject({
      code: 'XD_CONNECTOR_UNAVAILABLE',
    });
    await expect(
      ask('select id, item, n from moves) q; delete from moves; select * from (select * from moves'),
    ).rejects.toMatchObject({
      code: 'XD_CONNECTOR_REFUSED',
    });
  });

  it('writes an order once, from two sides at a time', async () => {
    const write = {
      locate: 'select number from orders where reference = :reference',
      statements: [{ text: 'insert into orders (reference, total) values (:reference, :total)', rows: 1 }],
    };
    const [one, other] = [0, 1].map(() => box({ writes: { sales_order: write } }).deliveries.sales_order!);
    const item = { reference: 'shop/1', payload: { total: '10.50' } };
    const outcomes = (await Promise.all([one!.write([item], signal), other!.write([item], signal)])).flat();
    // The second may be refused by the unique reference; it is found from then on.
    expect(outcomes.filter(({ outcome }) => outcome === 'confirmed').length).toBeGreaterThan(0);
    const [rows] = await admin.query('select count(*) as n from orders');
    expect(rows).toEqual([{ n: 1 }]);
    expect((await other!.write([item], signal))[0]).toMatchObject({ outcome: 'confirmed' });
  });
});

/**
 * Stock movements, 2,000 a message. The product is the receiver as it is: raw record, permanent keys, facts, movements, balances.
 * The floor is what the database alone needs for the same rows: bare `insert … select unnest` and one balance upsert, on as many
 * connections, knowing nothing of duplicates, counts, holds or who else writes.
 */
import type pg from 'pg';
import { fingerprint, type InboundItem } from '../src/canonical/index.ts';
import { type Message, Receiver } from '../src/ingest/index.ts';
import { Directory } from '../src/master/index.ts';
import { Database, Ids, numbers, texts } from '../src/store/index.ts';
import {
  type BenchResult,
  describeMachine,
  expect,
  measureCase,
  type Rounds,
  randomFrom,
  runCallers,
} from './lib/measure.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const PER_MESSAGE = 2_000;
const MESSAGES = 20;
const SKUS = 10_000;
const SEED = 20_260_102;
const SYSTEM = 'wms';
const SCOPE = 'movement/wms';

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const pool = await openPool(setting.url, 1);
  try {
    const directory = await Directory.open(db, {
      companies: { ACME: { currency: 'GBP', timeZone: 'Europe/London' } },
      locations: { MAIN: { company: 'ACME', region: 'UK' } },
      systems: { [SYSTEM]: {} },
      channels: {},
    });
    const location = directory.locations.get('MAIN')!;
    await setting.rows(
      `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
      [SKUS],
    );
    await setting.rows(
      `insert into stock_balance (sku_id, location_id, on_hand) select sku_id, $1::int, 0 from sku order by sku_id`,
      [location.locationId],
    );
    const receiver = new Receiver({ db, ids: new Ids(), directory });
    const random = randomFrom(SEED);
    let movementNo = 0;
    const makeMessages = () =>
      Array.from({ length: MESSAGES }, () => {
        const records = Array.from({ length: PER_MESSAGE }, () => ({
          id: `M-${++movementNo}`,
          sku: `S${String(1 + Math.floor(random() * SKUS)).padStart(5, '0')}`,
          quantity: 1 + Math.floor(random() * 50),
        }));
        return messageOf(records);
      });
    const measured = async (work: (message: Message, n: number) => Promise<void>) => {
      const messages = makeMessages();
      const quantity = messages.flatMap((m) => m.items).reduce((sum, item) => sum + quantityOf(item), 0);
      const before = await totals(setting);
      const seconds = await runCallers(1, MESSAGES, (n) => work(messages[n]!, n));
      const after = await totals(setting);
      const total = MESSAGES * PER_MESSAGE;
      expect(after.raws - before.raws, MESSAGES, 'raw records written');
      for (const table of ['keys', 'facts', 'movements', 'versions'] as const)
        expect(after[table] - before[table], total, `${table} written`);
      expect(after.onHand - before.onHand, quantity, 'units on hand');
      expect(after.unlike, 0, 'balances that differ from their movements');
      return total / seconds;
    };
    const result = await measureCase(
      {
        case: '2000-a-message',
        unit: 'movements/s',
        atLeast: 0.4,
        between: async () => void (await setting.rows('vacuum (analyze) stock_balance')),
        product: () =>
          measured(async (message) => {
            const results = await receiver.receive(message);
            expect(results.filter((r) => r.status === 'applied').length, PER_MESSAGE, 'movements applied');
          }),
        baseline: async () => {
          const floor = await Floor.open(pool, setting, location.locationId, location.companyId);
          return measured((message) => floor.write(message));
        },
      },
      rounds,
    );
    return {
      name: 'movements',
      machine: await describeMachine(setting),
      cases: [result],
      figures: { perMessage: PER_MESSAGE, messagesPerRound: MESSAGES, skus: SKUS, connections: 1, seed: SEED },
    };
  } finally {
    await db.end();
    await pool.end();
    await setting.close();
  }
}

interface MovementRecord {
  id: string;
  sku: string;
  quantity: number;
}

function messageOf(records: MovementRecord[]): Message {
  const occurredAt = new Date().toISOString();
  return {
    system: SYSTEM,
    source: 'webhook',
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify({ type: 'received', location: 'MAIN', at: occurredAt, records })),
    onFault: 'park',
    items: records.map(
      ({ id, sku, quantity }, itemNo): InboundItem => ({
        scope: SCOPE,
        key: id,
        fingerprint: fingerprint('m1', [sku, 'MAIN', quantity, occurredAt]),
        itemNo,
        command: {
          kind: 'stock.moved',
          movement: 'received',
          sku,
          location: 'MAIN',
          quantity,
          reference: id,
          occurredAt,
        },
      }),
    ),
  };
}

function quantityOf(item: InboundItem): number {
  return (item.command as { quantity: number }).quantity;
}

async function totals(setting: Setting) {
  const [row] = await setting.rows<
    Record<'raws' | 'keys' | 'facts' | 'movements' | 'versions' | 'onHand' | 'unlike', string>
  >(
    `select (select count(*) from raw_record) as raws,
            (select count(*) from inbound where state = 'a') as keys,
            (select count(*) from (select distinct stream, stream_version from fact where type = 'stock.received') as f) as facts,
            (select count(*) from stock_movement) as movements,
            (select sum(version) from stock_balance) as versions,
            (select sum(on_hand) from stock_balance) as "onHand",
            (select count(*) from stock_balance b
               left join (select sku_id, location_id, sum(effect) as moved, max(balance_version) as version
                            from stock_movement group by 1, 2) as m using (sku_id, location_id)
              where b.on_hand <> coalesce(m.moved, 0) or b.version <> coalesce(m.version, 0)) as unlike`,
  );
  return Object.fromEntries(Object.entries(row!).map(([key, value]) => [key, Number(value)])) as Record<
    'raws' | 'keys' | 'facts' | 'movements' | 'versions' | 'onHand' | 'unlike',
    number
  >;
}

/** The same rows by the shortest way. It is alone, so it may keep the versions in memory and take the ids as it likes. */
class Floor {
  readonly #pool: pg.Pool;
  readonly #versions: Map<number, number>;
  readonly #locationId: number;
  readonly #companyId: number;
  #nextId: number;

  private constructor(
    pool: pg.Pool,
    versions: Map<number, number>,
    locationId: number,
    companyId: number,
    nextId: number,
  ) {
    this.#pool = pool;
    this.#versions = versions;
    this.#locationId = locationId;
    this.#companyId = companyId;
    this.#nextId = nextId;
  }

  static async open(pool: pg.Pool, setting: Setting, locationId: number, companyId: number): Promise<Floor> {
    const rows = await setting.rows<{ sku_id: string; version: string }>('select sku_id, version from stock_balance');
    const [last] = await setting.rows<{ last: string }>(
      'select greatest((select max(movement_id) from stock_movement), (select max(raw_id) from raw_record), 1000000000) as last',
    );
    const versions = new Map(rows.map((row) => [Number(row.sku_id), Number(row.version)]));
    return new Floor(pool, versions, locationId, companyId, Number(last!.last) + 1);
  }

  async write(message: Message): Promise<void> {
    const rows = message.items.map((item) => {
      const command = item.command as { sku: string; quantity: number; occurredAt: string };
      const skuId = Number(command.sku.slice(1));
      const version = this.#versions.get(skuId)! + 1;
      this.#versions.set(skuId, version);
      return { item, skuId, version, quantity: command.quantity, occurredAt: command.occurredAt, id: this.#nextId++ };
    });
    const rawId = this.#nextId++;
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      await client.query(insertRaw, [rawId, SYSTEM, message.items.length, message.body]);
      await client.query(insertKeys, [
        texts(rows.map((r) => r.item.scope)),
        texts(rows.map((r) => r.item.key)),
        texts(rows.map((r) => r.item.fingerprint)),
        rawId,
        numbers(rows.map((r) => r.item.itemNo)),
      ]);
      await client.query(insertMovements, [
        numbers(rows.map((r) => r.id)),
        numbers(rows.map((r) => r.skuId)),
        this.#locationId,
        numbers(rows.map((r) => r.quantity)),
        numbers(rows.map((r) => r.version)),
        texts(rows.map((r) => r.item.key)),
        texts(rows.map((r) => r.occurredAt)),
      ]);
      await client.query(insertFacts, [
        texts(rows.map((r) => `stock/${r.skuId}@${this.#locationId}`)),
        numbers(rows.map((r) => r.version)),
        this.#companyId,
        texts(rows.map((r) => r.occurredAt)),
        texts(
          rows.map((r) =>
            JSON.stringify({
              skuId: r.skuId,
              locationId: this.#locationId,
              quantity: r.quantity,
              effect: r.quantity,
              source: SYSTEM,
              sourceId: r.item.key,
            }),
          ),
        ),
      ]);
      await client.query(upsertBalances, [
        numbers(rows.map((r) => r.skuId)),
        this.#locationId,
        numbers(rows.map((r) => r.quantity)),
      ]);
      await client.query('commit');
    } finally {
      client.release();
    }
  }
}

const insertRaw = {
  name: 'floor_raw',
  text: `insert into raw_record (raw_id, system, source, content_type, items, body)
         values ($1::bigint, $2::text, 'webhook', 'application/json', $3::int, $4::bytea)`,
};
const insertKeys = {
  name: 'floor_keys',
  text: `insert into inbound (scope, key, state, fingerprint, raw_id, item_no)
         select scope, key, 'a', fingerprint, $4::bigint, item_no
           from unnest($1::text[], $2::text[], $3::text[], $5::int[]) as t(scope, key, fingerprint, item_no)`,
};
const insertMovements = {
  name: 'floor_movements',
  text: `insert into stock_movement (movement_id, sku_id, location_id, kind, quantity, effect, balance_version, source, source_id, occurred_at)
         select id, sku_id, $3::int, 'received', quantity, quantity, version, 'wms', source_id, occurred_at
           from unnest($1::bigint[], $2::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[])
             as t(id, sku_id, quantity, version, source_id, occurred_at)`,
};
const insertFacts = {
  name: 'floor_facts',
  text: `insert into fact (type, stream, stream_version, company_id, occurred_at, data)
         select 'stock.received', stream, version, $3::int, occurred_at, data::json
           from unnest($1::text[], $2::bigint[], $4::timestamptz[], $5::text[]) as t(stream, version, occurred_at, data)`,
};
const upsertBalances = {
  name: 'floor_balances',
  text: `insert into stock_balance as b (sku_id, location_id, on_hand, version)
         select sku_id, $2::int, sum(quantity), count(*) from unnest($1::bigint[], $3::bigint[]) as t(sku_id, quantity)
          group by sku_id order by sku_id
         on conflict (sku_id, location_id) do update set on_hand = b.on_hand + excluded.on_hand, version = b.version + excluded.version`,
};

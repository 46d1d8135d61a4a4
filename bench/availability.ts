/**
 * Availability over HTTP: 20 random SKUs a call, with a key, while 1,000 stock movements a second arrive through another process
 * of the hub. What is compared is the CPU time of the server process per request: the API as it is, reading the ledger, against
 * a bare Fastify route without auth that serialises the same objects from a map.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { createApiKey } from '../src/api/index.ts';
import { type Message, Receiver } from '../src/ingest/index.ts';
import { Directory } from '../src/master/index.ts';
import { Database, Ids } from '../src/store/index.ts';
import { availabilityEstate, SKUS, skuCode } from './lib/availability-estate.ts';
import {
  type BenchResult,
  describeMachine,
  expect,
  measureCase,
  median,
  percentile,
  type Rounds,
  randomFrom,
  runCallers,
} from './lib/measure.ts';
import { openSetting, type Setting } from './lib/setting.ts';

const CALLERS = 64;
const CONNECTIONS = 64;
const REQUESTS = 5_000;
const SKUS_PER_CALL = 20;
const MOVEMENTS_PER_SECOND = 1_000;
const SEED = 20_260_104;

interface Answer {
  channel: string;
  items: { sku: string; atp: number; unit: string }[];
}

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const servers: Server[] = [];
  try {
    const directory = await Directory.open(db, availabilityEstate);
    await setting.rows(
      `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
      [SKUS],
    );
    await setting.rows(
      `insert into stock_balance (sku_id, location_id, on_hand)
       select sku_id, location_id, 0 from sku cross join location order by sku_id, location_id`,
    );
    const made = await createApiKey(db, { name: 'bench', scopes: ['read'] });
    const movements = new Movements(new Receiver({ db, ids: new Ids(), directory }));
    const product = await Server.start(['product', setting.url], made.key);
    servers.push(product);
    const bare = await Server.start(['bare'], made.key);
    servers.push(bare);
    const random = randomFrom(SEED);
    const latencies: number[] = [];
    const arrived: number[] = [];
    const measured = async (server: Server, taken: number[]) => {
      await movements.start();
      const before = await server.cpuUs();
      const seconds = await runCallers(CALLERS, REQUESTS, async () => {
        const started = performance.now();
        const codes = Array.from({ length: SKUS_PER_CALL }, () => skuCode(1 + Math.floor(random() * SKUS)));
        const answer = await server.ask(codes);
        taken.push(performance.now() - started);
        expect(answer.items.length, SKUS_PER_CALL, 'items answered');
        for (let i = 0; i < codes.length; i++) expect(answer.items[i]!.sku, codes[i], 'SKU answered');
      });
      const cpuUs = (await server.cpuUs()) - before;
      arrived.push((await movements.stop()) / seconds);
      return REQUESTS / (cpuUs / 1e6);
    };
    const result = await measureCase(
      {
        case: '20-skus-a-call',
        unit: 'requests per CPU second of the server',
        atLeast: 0.5,
        between: async () => void (await setting.rows('vacuum (analyze) stock_balance')),
        product: async () => {
          const figure = await measured(product, latencies);
          await assertExact(setting, product);
          return figure;
        },
        baseline: () => measured(bare, []),
      },
      rounds,
    );
    const tenths = (value: number) => Math.round(value * 10) / 10;
    return {
      name: 'availability',
      machine: await describeMachine(setting),
      cases: [result],
      figures: {
        cpuMicrosecondsPerRequest: { product: Math.round(1e6 / result.value), bare: Math.round(1e6 / result.baseline) },
        latencyMs: { p50: tenths(percentile(latencies, 0.5)), p99: tenths(percentile(latencies, 0.99)) },
        movementsPerSecond: Math.round(median(arrived)),
        callers: CALLERS,
        stretch: 0.7,
        seed: SEED,
      },
    };
  } finally {
    for (const server of servers) await server.stop();
    await db.end();
    await setting.close();
  }
}

/** With the movements stopped, every number that is served is the ledger's. */
async function assertExact(setting: Setting, server: Server): Promise<void> {
  const rows = await setting.rows<{ code: string; atp: string }>(
    `select s.code, sum(b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock) as atp
       from sku s join stock_balance b using (sku_id) group by s.code order by s.code`,
  );
  for (let i = 0; i < rows.length; i += 500) {
    const part = rows.slice(i, i + 500);
    const { items } = await server.ask(part.map((row) => row.code));
    part.forEach((row, n) => {
      expect(items[n]!.atp, Number(row.atp), `ATP of ${row.code}`);
    });
  }
}

class Server {
  readonly #child: ChildProcess;
  readonly #pool: Pool;
  readonly #key: string;

  private constructor(child: ChildProcess, url: string, key: string) {
    this.#child = child;
    this.#pool = new Pool(url, { connections: CONNECTIONS });
    this.#key = key;
  }

  static async start(args: string[], key: string): Promise<Server> {
    const child = fork(fileURLToPath(new URL('lib/availability-server.ts', import.meta.url)), args);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the ${args[0]} server ended before it listened`);
    });
    const [{ url }] = (await Promise.race([once(child, 'message'), ended])) as [{ url: string }];
    ended.catch(() => {});
    return new Server(child, url, key);
  }

  async ask(codes: readonly string[]): Promise<Answer> {
    const path = `/v1/availability?channel=DIRECT&${codes.map((code) => `sku=${code}`).join('&')}`;
    const { statusCode, body } = await this.#pool.request({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${this.#key}` },
    });
    const answer = (await body.json()) as Answer;
    expect(statusCode, 200, 'status');
    return answer;
  }

  async cpuUs(): Promise<number> {
    const answered = once(this.#child, 'message');
    this.#child.send('cpu');
    const [{ cpuUs }] = (await answered) as [{ cpuUs: number }];
    return cpuUs;
  }

  async stop(): Promise<void> {
    await this.#pool.close();
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** 1,000 movements a second in messages of 100, through the receiver. */
class Movements {
  readonly #receiver: Receiver;
  #timer: NodeJS.Timeout | undefined;
  #no = 0;
  #arrived = 0;
  #under: Promise<void>[] = [];

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  async start(): Promise<void> {
    this.#arrived = 0;
    await this.#send();
    this.#timer = setInterval(() => this.#under.push(this.#send()), 100);
  }

  /** @returns how many arrived */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    await Promise.all(this.#under.splice(0));
    return this.#arrived;
  }

  async #send(): Promise<void> {
    const occurredAt = new Date().toISOString();
    const count = MOVEMENTS_PER_SECOND / 10;
    const items = Array.from({ length: count }, (_, itemNo) => {
      const n = ++this.#no;
      const sku = skuCode(1 + ((Math.imul(n, 7_919) >>> 0) % SKUS));
      const location = n % 2 === 0 ? 'NORTH' : 'SOUTH';
      return {
        scope: 'movement/wms',
        key: `M-${n}`,
        fingerprint: `b1:${n}`,
        itemNo,
        command: {
          kind: 'stock.moved',
          movement: 'received',
          sku,
          location,
          quantity: 5,
          reference: `M-${n}`,
          occurredAt,
        } as const,
      };
    });
    const message: Message = {
      system: 'wms',
      source: 'webhook',
      contentType: 'application/json',
      body: Buffer.from('{}'),
      items,
      onFault: 'park',
    };
    const results = await this.#receiver.receive(message);
    expect(results.filter((r) => r.status === 'applied').length, count, 'movements applied');
    this.#arrived += count;
  }
}

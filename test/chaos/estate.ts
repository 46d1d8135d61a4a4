/** Everything as its own process (five systems, feeder, hubs) over a PostgreSQL of its own, and what is asked at the end. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { MutationRates } from '../../sim/feeder/mutations.ts';
import { writeSample } from '../../sim/feeder/sample.ts';
import { createApiKey } from '../../src/api/index.ts';
import { Children } from '../../src/cli/demo/children.ts';
import { findPending } from '../../src/cli/demo/drain.ts';
import { checkPromises } from '../../src/ops/index.ts';
import { compareWithSystems } from '../../src/reconcile/index.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { Database } from '../../src/store/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { type ObserveOptions, observe } from '../observer/observe.ts';
import type { HubEvidence } from '../observer/promises/index.ts';
import { findFreePort, HubProcess } from './hub-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SYSTEMS = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
const TOKEN = 'chaos-token';
const WEBHOOK_SECRET = 'chaos-webhook-secret';

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The real file where there is one, else a sample of as many orders. */
export function findOrders(dir: string, orders: number): string {
  const given = [process.env.CROSSDOCK_ORDERS_FILE, join(root, '../shared/data/online-retail.csv.gz')];
  const real = given.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (real !== undefined) return real;
  const path = join(dir, 'sample.csv.gz');
  writeSample(path, 7, orders);
  return path;
}

/** PostgreSQL of this test alone, since it will be killed; a database per scenario. */
export class ChaosDatabase {
  readonly dir = mkdtempSync(join(tmpdir(), 'crossdock-chaos-'));
  server: EmbeddedPostgres | undefined;
  #made = 0;

  async start(): Promise<void> {
    this.server = await startEmbeddedPostgres({ dir: join(this.dir, 'pg'), settings: { log_min_messages: 'fatal' } });
  }

  async create(): Promise<string> {
    const name = `chaos_${++this.#made}`;
    const client = new pg.Client(this.server!.url);
    await client.connect();
    await client.query(`create database ${name}`);
    await client.end();
    const url = new URL(this.server!.url);
    url.pathname = `/${name}`;
    await migrate(url.href);
    return url.href;
  }

  async stop(): Promise<void> {
    await this.server?.stop('immediate');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface ChaosOptions {
  orders: number;
  hubs: number;
  faults: 'none' | 'storm';
  seed: number;
  databaseUrl: string;
  /** Instead of the real file, or a sample of it. */
  file?: string;
  /** Rates of mutations, over the estate with rules for them. */
  mutate?: MutationRates;
  say: (line: string) => void;
}

export class ChaosEstate {
  readonly hubs: HubProcess[] = [];
  readonly db: Database;
  fed = false;
  readonly #options: ChaosOptions;
  readonly #dir = mkdtempSync(join(tmpdir(), 'crossdock-chaos-run-'));
  readonly #children: Children;
  readonly #urls: Record<string, string> = {};
  #file = '';
  /** Not in the folder of the feeder's state: what was answered is no business of the feeder that starts again. */
  readonly #answered = join(this.#dir, 'answered.ndjson');
  #failure: Error | undefined;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#children = new Children(this.#dir);
    this.#children.onUnexpectedEnd = (name, code) => {
      this.#failure ??= new Error(`${name} ended with code ${code}`);
    };
    this.db = new Database({
      url: options.databaseUrl,
      poolMax: 4,
      applicationName: 'chaos judge',
      onIdleFault: () => {},
    });
  }

  async start(): Promise<void> {
    const { orders, hubs, faults, seed, databaseUrl, mutate } = this.#options;
    this.#file = this.#options.file ?? findOrders(this.#dir, orders);
    const ports: number[] = [];
    for (let i = 0; i < hubs; i++) ports.push(await findFreePort());
    await Promise.all(
      SYSTEMS.map(async (system) => {
        mkdirSync(join(this.#dir, system));
        const args = [
          system,
          '--data',
          join(this.#dir, system),
          '--token',
          TOKEN,
          '--seed',
          String(seed),
          '--faults',
          faults,
        ];
        args.push('--unread-max', '1000');
        if (system === 'shop')
          args.push(
            '--webhook-url',
            `http://127.0.0.1:${ports.at(-1)}/ingest/shop`,
            '--webhook-secret',
            WEBHOOK_SECRET,
          );
        this.#urls[system] = await this.#children.startSystem(system, join(root, 'sim/main.ts'), args);
      }),
    );
    const env: Record<string, string> = {
      SIM_TOKEN: TOKEN,
      SHOP_WEBHOOK_SECRET: WEBHOOK_SECRET,
      DATABASE_URL: databaseUrl,
    };
    for (const system of SYSTEMS) env[`${system.toUpperCase()}_URL`] = this.#urls[system]!;
    const config = mutate === undefined ? {} : { config: join(root, 'examples/wholesaler/exceptions.config.ts') };
    for (const [i, port] of ports.entries())
      this.hubs.push(new HubProcess({ name: `hub${i + 1}`, port, dir: this.#dir, env, ...config }));
    for (const hub of this.hubs) hub.start();
    await Promise.all(this.hubs.map((hub) => hub.ready));
    const { key } = await createApiKey(this.db, { name: 'chaos', scopes: ['read', 'write', 'operate'] });
    this.#feed(key);
  }

  #feed(key: string): void {
    const args = [
      '--orders',
      this.#file,
      '--seed',
      String(this.#options.seed),
      '--state',
      join(this.#dir, 'feeder'),
      '--hub-key',
      key,
      '--answered',
      this.#answered,
      '--json',
    ];
    for (const name of ['shop', 'marketplace', 'crm', 'wms']) args.push(`--${name}`, this.#urls[name]!);
    args.push('--hub', this.hubs[0]!.url, '--limit-orders', String(this.#options.orders));
    const { mutate } = this.#options;
    if (mutate !== undefined) args.push(`--mutate=${JSON.stringify(mutate)}`, '--erp', this.#urls.erp!);
    const child = this.#children.start('feeder', join(root, 'sim/feeder/main.ts'), args, {
      mayEnd: true,
      onLine: (line) => {
        if (line.type === 'error') this.#failure ??= new Error(`feeder: ${JSON.stringify(line)}`);
      },
    });
    child.once('exit', (code) => {
      if (code === 0) this.fed = true;
      else this.#failure ??= new Error(`the feeder ended with code ${code}; see ${join(this.#dir, 'feeder.log')}`);
    });
  }

  /** @throws when something ended that nobody killed */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    for (const hub of this.hubs) if (hub.unexpectedEnd !== undefined) throw new Error(hub.unexpectedEnd);
  }

  /** How far it is; undefined while the database is away. */
  async progress(): Promise<{ facts: number; orders: number } | undefined> {
    try {
      const [row] = await this.db.execute(
        'select coalesce((select max(position) from fact), 0)::int as facts, (select count(*)::int from sales_order) as orders',
      );
      return row as { facts: number; orders: number };
    } catch {
      return undefined;
    }
  }

  async pending(): Promise<Record<string, number>> {
    const pending = await findPending(this.db, this.#urls);
    if (!this.fed) pending.feeder = 1;
    return pending;
  }

  async isAtRest(): Promise<boolean> {
    return Object.keys(await this.pending().catch(() => ({ unknown: 1 }))).length === 0;
  }

  /** @throws with what is pending when nothing has changed for `stillMsMax` */
  async drained(stillMsMax = 60_000): Promise<void> {
    let last = '';
    let changedAt = performance.now();
    // At rest is what looks so twice, with nothing recorded between.
    for (;;) {
      this.check();
      const pending = await this.pending().catch((error: Error) => ({ [`database: ${error.message}`]: 1 }));
      const text = JSON.stringify(pending);
      const now = `${text} ${JSON.stringify(await this.progress())}`;
      if (now !== last) {
        last = now;
        changedAt = performance.now();
      } else if (text === '{}') return;
      else if (performance.now() - changedAt > stillMsMax)
        throw new Error(`nothing has moved for ${stillMsMax / 1000} s; still open: ${now}\n${await this.explain()}`);
      await pause(200);
    }
  }

  /** What is stuck, for whoever reads why a deadline passed. */
  async explain(): Promise<string> {
    const ask = async (text: string) =>
      JSON.stringify(await this.db.execute(text).catch((error: Error) => error.message));
    return [
      JSON.stringify(await this.pending().catch((error: Error) => error.message)),
      await ask(
        `select kind, state::text, count(*)::int, min(delivery_id)::int as first, max(attempts) as attempts, max(error) as error,
                min(sent_at)::text as sent, max(next_at)::text as next
           from delivery where state in ('n', 's', 'd', 'p') group by 1, 2`,
      ),
      await ask(
        `select name, left(holder, 8) as holder, epoch::int, expires_at > crossdock_now() as live from lease order by name`,
      ),
      ...this.hubs.map((hub) => JSON.stringify(hub.complaints.slice(-8))),
    ].join('\n');
  }

  /** What the observer looks at. */
  get observed(): ObserveOptions & { hub: HubEvidence } {
    const urls = this.#urls as Record<(typeof SYSTEMS)[number], string>;
    const hub = { database: this.#options.databaseUrl, journals: this.#dir, answered: this.#answered };
    return { ...urls, orders: this.#file, limitOrders: this.#options.orders, hub };
  }

  /** Everything that must be true when all is at rest; an empty list is what one hopes for. */
  async judge(): Promise<{ broken: string[]; figures: Record<string, unknown> }> {
    const broken: string[] = [];
    for (const [name, promise] of Object.entries(await checkPromises(this.db)))
      if (!promise.holds)
        broken.push(`${name}: ${promise.violations} of ${promise.checked}, ${promise.examples.slice(0, 3).join('; ')}`);
    const urls = this.#urls as Record<(typeof SYSTEMS)[number], string>;
    const compared = await compareWithSystems(this.db, urls, TOKEN);
    if (compared.oversell !== 0) broken.push(`oversell ${compared.oversell}`);
    for (const [system, parity] of Object.entries(compared.parity))
      if (parity.missing + parity.extra + parity.different > 0)
        broken.push(`parity ${system}: ${JSON.stringify(parity)}`);
    let seen = await observe(this.observed);
    // A storm delays a write of the systems' own beyond the moment in which all looked at rest: that is no difference yet.
    if (seen.findings.length > 0 && seen.findings.every(({ code }) => code === 'pending')) {
      await this.drained();
      seen = await observe(this.observed);
    }
    if (seen.findings.length > 0)
      broken.push(`observer: ${JSON.stringify(seen.findings.slice(0, 8))} ${JSON.stringify(seen.counts.findings)}`);
    const looked: Record<string, unknown> = {};
    for (const [name, promise] of Object.entries(seen.promises!)) {
      looked[name] = promise.looked;
      if (!promise.holds)
        broken.push(
          `observer: ${name}: ${promise.violations}: ${promise.named.join('; ')}; unseen: ${promise.unseen.join()}`,
        );
    }
    if (seen.counts.oversell !== 0) broken.push(`observer: oversell ${seen.counts.oversell}`);
    const [held] = await this.db.execute(
      `select (select count(*)::int from sales_order) as accepted,
              (select count(*)::int from sales_order where state = 'refused') as refused,
              (select count(*)::int from parked_record where state = 'open') as parked,
              (select count(*)::int from delivery where state = 'p') as parked_deliveries`,
    );
    const { source, units } = seen.counts;
    if (held!.accepted !== source.orders) broken.push(`${held!.accepted} orders accepted of ${source.orders}`);
    if (held!.parked_deliveries !== 0) broken.push(`${held!.parked_deliveries} deliveries parked`);
    // What the stock let go: 90 % of the demand comes in, but not all of it of what is asked for.
    const possible = Math.min(units.ordered - units.cancelled, 0.9 * units.ordered);
    if (units.shipped < 0.8 * possible) broken.push(`only ${units.shipped} of ${possible} units shipped`);
    return { broken, figures: { ...held, source: source.orders, lines: source.lines, units, looked } };
  }

  /** Faults of the hubs by what they were, and those that nobody may see. */
  complaints(): { counts: Record<string, number>; unforgivable: string[] } {
    const counts: Record<string, number> = {};
    const unforgivable: string[] = [];
    for (const hub of this.hubs) {
      for (const line of hub.complaints) {
        const what = `${line.route ?? line.where ?? line.msg}: ${line.code ?? (line.message ?? line.reason ?? '').slice(0, 80)}`;
        counts[what] = (counts[what] ?? 0) + 1;
        if (line.code === 'XD_INTERNAL') unforgivable.push(`${hub.name} ${what}: ${line.reason ?? line.message}`);
      }
      unforgivable.push(
        ...hub.cries.filter((cry) => /Error|throw|unhandled/i.test(cry)).map((cry) => `${hub.name}: ${cry}`),
      );
    }
    return { counts, unforgivable };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#children.stop(), ...this.hubs.map((hub) => hub.stop())]);
    await this.db.end();
    if (process.env.CROSSDOCK_CHAOS_KEEP) this.#options.say(`kept ${this.#dir}`);
    else rmSync(this.#dir, { recursive: true, force: true });
  }
}

/**
 * The hub: the one place where connectors meet ingest and outbound. `createHub` builds everything over one database and one
 * estate; `start` begins the work; nothing here listens on a port (server.ts does).
 */
import { randomUUID } from 'node:crypto';
import { CrossdockError, type InboundItem } from './canonical/index.ts';
import type { Connector, ConnectorFactory } from './connectors/kit/index.ts';
import { endUncheckedClaims } from './credit/index.ts';
import { connectorContext, connectorFactory, type Estate, type SecretSources, secretSources } from './estate/index.ts';
import { CreditAsks, Poller, Receiver } from './ingest/index.ts';
import { applySafetyStock, expireReservations } from './ledger/index.ts';
import { Directory, type ModeDomain, modeSystemsOf } from './master/index.ts';
import { Contacts, lookAtModes, type ModeSystems, readOpenModes } from './modes/index.ts';
import { dropExpired, ensurePartitions, Pressure, StageWatch } from './ops/index.ts';
import {
  accountsOfUnknownCredit,
  checkDegraded,
  endDueHolds,
  followAccountHolds,
  followBackorders,
  followCredit,
  followPromises,
  followReruns,
  type OrderDeps,
  releaseDegraded,
  sweepBackorders,
  sweepCredit,
  sweepPromises,
  sweepReruns,
  tellQuotaPeriods,
} from './orders/index.ts';
import {
  BUCKETS,
  DeliveryDispatcher,
  Freshness,
  leaseName,
  Outcomes,
  PlannedStreams,
  Publisher,
  planNext,
  republishNumbers,
  type Sender,
} from './outbound/index.ts';
import { tellPriceDays } from './pricing/index.ts';
import { Database, giveUpWhenSilent, Ids, Leases, runLoop, UnderWay, Wake } from './store/index.ts';

export interface HubOptions {
  estate: Estate;
  databaseUrl: string;
  connectors: ReadonlyMap<string, ConnectorFactory>;
  /** all: everything; api: answers only; worker: polls and sends only. */
  role?: 'all' | 'api' | 'worker';
  secrets?: SecretSources;
  random?: () => number;
  /** What went wrong and was or will be tried again; codes and ids only. */
  onError?: (where: string, error: unknown) => void;
  poolMax?: number;
}

const PLAN_GATHER_MS = 20;
const PLAN_FACTS_MAX = 1_000;
/** After this long without orders taken, planned or answered nothing is gathered for longer than it needs. */
const QUIET_MS = 100;
/** Rounds without a look at the lease. */
const PLAN_ROUNDS_MAX = 10;
const AVAILABILITY_GATHER_MS = 150;
/** How often a channel whose level may lie is asked for numbers that can't be right; quiet, that is a call. */
const DOUBT_EVERY_MS = 2_000;
// An order changes often in a short time, and its state is not urgent: the busier the hub is, the longer it is gathered and then
// said once. Prices come in lists, often with the stock of the same products, which goes first.
const STATE_GATHER_MS_MIN = 100;
const STATUS_GATHER_MS_MAX = 1_000;
const PRICE_GATHER_MS_MAX = 2_500;
const STATE_ROUND_MS = 100;
const DELIVERY_GATHER_MS = 40;
const MODES_MS = 1_000;
const MAINTENANCE_MS = 3_600_000;
/** What changes together is decided anew together. */
const RERUN_GATHER_MS = 500;
/** Targets of stages are minutes. */
const STAGES_MS = 10_000;
/** A hub that stops does not wait longer for the database. */
const DATABASE_SILENT_MS_MAX = 3_000;
// What is freed within it goes to an order together: fewer and larger fulfilments.
/** A look for what may run takes at most one part in so many of the time. */
const LOOK_SHARE = 20;
const BACKORDER_GATHER_MS_MIN = 250;
const BACKORDER_GATHER_MS_MAX = 20_000;
/** Of the sweep's rounds: the log finds nearly all, this only what it missed. */
const BACKORDER_SWEEP_EVERY = 60;
/** Whether accounts that orders wait for are still on hold: every few seconds. */
const ACCOUNT_HOLDS_EVERY = 6;

export class Hub {
  readonly db: Database;
  readonly directory: Directory;
  readonly ids = new Ids();
  readonly receiver: Receiver;
  readonly freshness = new Freshness();
  readonly leases: Leases;
  readonly pressure: Pressure;
  readonly estate: Estate;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly role: 'all' | 'api' | 'worker';
  readonly startedAt = new Date();
  readonly #options: HubOptions;
  readonly #wake = new Wake();
  readonly #abort = new AbortController();
  readonly #pollers: { system: string; poller: Poller }[] = [];
  /** What may have work under way when its loop has ended. */
  readonly #settling: { name: string; sender: { settled(): Promise<void> } }[] = [];
  readonly #outcomes: Outcomes;
  readonly #creditAsks: CreditAsks | undefined;
  readonly #contacts = new Contacts();
  readonly #modeSystems: ModeSystems;
  /** Domains whose degraded mode holds, and systems that are drilled, as last read. */
  readonly #away = new Set<ModeDomain>();
  readonly #drilled = new Set<string>();
  /** By destination. */
  readonly #senders = new Map<number, Sender>();
  readonly #loops: { name: string; ended: Promise<void> }[] = [];
  readonly #underWay = new UnderWay();
  readonly #over = new AbortController();
  #ready = false;
  /** When orders were last taken, planned or answered. */
  #urgentAt = 0;

  /** Use {@link createHub}. */
  constructor(options: HubOptions, db: Database, directory: Directory, connectors: ReadonlyMap<string, Connector>) {
    this.#options = options;
    this.estate = options.estate;
    this.role = options.role ?? 'all';
    this.db = db;
    this.directory = directory;
    this.connectors = connectors;
    const erp = options.estate.routing.orders;
    this.#modeSystems = modeSystemsOf(options.estate.routing);
    for (const [code, connector] of connectors) this.#pauseInDrills(code, connector);
    const creditSource = erp === undefined ? undefined : connectors.get(erp)?.credit;
    if (erp !== undefined && creditSource !== undefined)
      this.#creditAsks = new CreditAsks({
        ...{ db, directory, system: erp, source: creditSource },
        isAway: () => this.#away.has('erp'),
        onError: (error) => {
          this.#noteFailure(erp, error);
          this.#fault(`credit of ${erp}`, error);
        },
      });
    this.receiver = new Receiver({
      ...{ db, ...this.deps, onCommit: this.#onUrgent, creditAsks: this.#creditAsks },
    });
    this.#outcomes = new Outcomes({ db, deps: this.deps, freshness: this.freshness, onCommit: this.#onUrgent });
    this.leases = new Leases({ db, holder: randomUUID(), onFault: (error) => this.#fault('leases', error) });
    this.pressure = new Pressure(db, {
      inFlightMax: options.estate.intake?.inFlightMax ?? 4_000,
      ageMaxMs: options.estate.intake?.ageMaxMs ?? 5_000,
    });
  }

  get deps(): OrderDeps {
    const { ids, directory, estate, connectors } = this;
    // Without such a system nobody has to be told.
    const orders = connectors.get(estate.routing.orders ?? '');
    return { ids, directory, takesChanges: orders === undefined || orders.deliveries.order_change !== undefined };
  }

  /** Called after any commit of ours outside the receiver: loops look for work at once. */
  readonly onCommit = (): void => this.#wake.fire();

  /** The same, of what goes before everything that can be gathered. */
  readonly #onUrgent = (): void => {
    this.#urgentAt = performance.now();
    this.#wake.fire();
  };

  mustWait(): boolean {
    return this.pressure.high;
  }

  ready(): { ok: boolean; reasons: string[] } {
    return this.#ready ? { ok: true, reasons: [] } : { ok: false, reasons: ['starting or stopping'] };
  }

  /** Verifies and maps a system's webhook. Undefined: no such system, or it sends none. */
  webhook(
    system: string,
    headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
  ): InboundItem[] | undefined {
    return this.connectors.get(system)?.webhook?.(headers, body);
  }

  /**
   * Verifies a webhook that only says that something happened, and reads the feeds that it names now; a process that does not poll them
   * leaves it to the others, which come to it by themselves. @returns whether the system sends such
   */
  hint(system: string, headers: Readonly<Record<string, string | undefined>>, body: Buffer): boolean {
    const feeds = this.connectors.get(system)?.hint?.(headers, body);
    for (const { system: of, poller } of this.#pollers)
      if (of === system && feeds?.includes(poller.feed)) poller.hint();
    return feeds !== undefined;
  }

  /** The items of a message that a system sent or gave, from its bytes as they were kept. */
  reread(system: string, body: Buffer): InboundItem[] {
    return (this.connectors.get(system)?.sources ?? []).flatMap((source) => source.reread?.(body) ?? []);
  }

  /** How the kept messages of a system are read again, feed by feed; else why they can't be. */
  rereads(system: string): ((body: Buffer) => InboundItem[])[] | string {
    const connector = this.connectors.get(system);
    if (connector === undefined) return `the estate has no system ${system}`;
    return connector.sources.flatMap(({ reread }) => reread ?? []);
  }

  #fault(where: string, error: unknown): void {
    if (!this.#abort.signal.aborted) this.#options.onError?.(where, error);
  }

  async start(): Promise<void> {
    await ensurePartitions(this.db);
    const checking = [...this.directory.channels.values()].filter((channel) => channel.checksCredit);
    await endUncheckedClaims(
      this.db,
      checking.map(({ channelId }) => channelId),
    );
    await this.pressure.sample();
    if (this.role !== 'api') await this.#startWork();
    this.#loop(
      'pressure',
      async () => {
        await this.pressure.sample();
        return false;
      },
      { idleMs: 250, gatherMs: 250 },
    );
    if (this.estate.degradedModes !== undefined)
      this.#loop(
        'modes',
        async () => {
          await this.#readModes();
          return false;
        },
        { idleMs: MODES_MS, gatherMs: MODES_MS },
      );
    this.#loop(
      'maintenance',
      async () => {
        await ensurePartitions(this.db);
        await dropExpired(this.db, this.estate.retention);
        return false;
      },
      { lease: 'sweep', idleMs: MAINTENANCE_MS, gatherMs: MAINTENANCE_MS },
    );
    this.#loop(
      'freshness',
      async () => {
        await this.freshness.flush(this.db);
        await this.directory.forgetWithdrawn();
        return false;
      },
      { idleMs: 1_000, gatherMs: 1_000 },
    );
    this.#ready = true;
  }

  async #startWork(): Promise<void> {
    const { leases, db, deps } = this;
    const names = ['plan', 'backorders', 'credit', 'sweep'];
    for (const code of this.connectors.keys()) {
      for (let bucket = 0; bucket < BUCKETS; bucket++) names.push(leaseName(code, bucket));
      names.push(`poll/${code}`);
    }
    leases.want(names);
    await leases.start();
    const { routing } = this.estate;
    const planDeps = {
      db,
      directory: this.directory,
      routing: {
        orders: routing.orders ?? null,
        fulfilment: routing.fulfilment ?? null,
        accounts: routing.accounts ?? null,
      },
      senders: this.#senders,
      tells: (system: string, kind: string) => tells(this.connectors.get(system), kind),
      planned: new PlannedStreams(),
    };
    this.#loop(
      'plan',
      async () => {
        // What has fallen behind doesn't wait for more to come.
        for (let rounds = 1; ; rounds++) {
          const read = await planNext(planDeps, PLAN_FACTS_MAX);
          if (read > 0) this.#onUrgent();
          if (read < PLAN_FACTS_MAX || rounds === PLAN_ROUNDS_MAX || this.#abort.signal.aborted) return read > 0;
        }
      },
      { lease: 'plan', gatherMs: PLAN_GATHER_MS, idleMs: 200 },
    );
    this.#loop(
      'backorders',
      async () => {
        const { read, served } = await followBackorders(db, deps);
        // After them: what came is given first, so that nobody is told of a date that is over in a moment.
        const promises = await followPromises(db, deps);
        if (served + promises.changed > 0) this.#wake.fire();
        return read + promises.read > 0;
      },
      {
        lease: 'backorders',
        gatherMs: () => this.#gather(BACKORDER_GATHER_MS_MIN, BACKORDER_GATHER_MS_MAX),
        idleMs: 200,
      },
    );
    const reach = this.estate.repromise?.auto === true ? 'all' : 'free';
    this.#loop(
      'reruns',
      async () => {
        const { read, changed } = await followReruns(db, deps, reach);
        if (changed > 0) this.#wake.fire();
        return read > 0;
      },
      { lease: 'backorders', gatherMs: RERUN_GATHER_MS, idleMs: 500 },
    );
    const watch = new StageWatch(db, this.estate.stages ?? {});
    this.#loop(
      'stages',
      async () => {
        await watch.look();
        return false;
      },
      { lease: 'sweep', gatherMs: STAGES_MS, idleMs: STAGES_MS },
    );
    if ([...this.directory.channels.values()].some((channel) => channel.checksCredit))
      this.#loop(
        'credit',
        async () => {
          const { read, released } = await followCredit(db, deps);
          if (released > 0) this.#wake.fire();
          return read > 0;
        },
        { lease: 'credit', gatherMs: BACKORDER_GATHER_MS_MIN, idleMs: 200 },
      );
    if (this.estate.degradedModes !== undefined)
      this.#loop(
        'modes to enter and leave',
        async () => {
          await this.#lookAtModes();
          return false;
        },
        { lease: 'sweep', idleMs: MODES_MS, gatherMs: MODES_MS },
      );
    let sweeps = 0;
    let lookAgainAt = 0;
    /** Where very much is set aside a look takes long, and looks must not be all that is done. */
    const replayAwaited = async () => {
      const began = performance.now();
      if (began < lookAgainAt) return 0;
      const replayed = await this.receiver.replayAwaited();
      const ended = performance.now();
      if (replayed === 0) lookAgainAt = ended + LOOK_SHARE * (ended - began);
      return replayed;
    };
    this.#loop(
      'sweep',
      async () => {
        const expired = await db.transaction((tx) => expireReservations(tx, deps));
        const told = await tellQuotaPeriods(db, this.directory);
        const isWhole = ++sweeps % BACKORDER_SWEEP_EVERY === 0;
        const served = isWhole
          ? (await sweepBackorders(db, deps)) +
            (await sweepReruns(db, deps)) +
            (await sweepPromises(db, deps)) +
            (await this.#sweepCredit())
          : 0;
        const priced = isWhole ? await tellPriceDays(db, this.directory) : 0;
        const ended = await endDueHolds(db, deps);
        const accounts =
          sweeps % ACCOUNT_HOLDS_EVERY === 0 ? await followAccountHolds(db, deps) : { released: 0, held: 0 };
        const replayed = await replayAwaited();
        if (expired + told + served + priced + ended + replayed + accounts.released + accounts.held > 0)
          this.#wake.fire();
        return false;
      },
      { lease: 'sweep', gatherMs: 500, idleMs: 500 },
    );
    for (const [code, connector] of this.connectors) this.#startSystem(code, connector);
  }

  /** A drilled system is left alone, as one that asked for it. */
  #pauseInDrills(code: string, connector: Connector): void {
    const asked = connector.pausedMs?.bind(connector);
    const pausedMs = () => Math.max(asked?.() ?? 0, this.#drilled.has(code) ? MODES_MS : 0);
    Object.defineProperty(connector, 'pausedMs', { value: pausedMs, configurable: true });
  }

  /** Refusals and requests to wait are answers; a database that is away is not the system's fault. */
  #noteFailure(system: string, error: unknown): void {
    if (error instanceof CrossdockError && error.code === 'XD_CONNECTOR_UNAVAILABLE')
      this.#contacts.failed(system, error);
  }

  /** Every process: what it heard, and what holds. */
  async #readModes(): Promise<void> {
    await this.#contacts.flush(this.db);
    const open = await readOpenModes(this.db);
    this.#away.clear();
    this.#drilled.clear();
    for (const { domain, cause, system } of open) {
      this.#away.add(domain);
      if (cause === 'drill') this.#drilled.add(system);
    }
    const { marginUnits: units = 0, marginPercent: percent = 0 } = this.estate.degradedModes?.wms ?? {};
    if (this.directory.applyMargin(this.#away.has('wms') ? { units, percent } : null))
      await republishNumbers(
        this.db,
        this.directory.selfSelling.flatMap(({ system }) => {
          const destination = system === null ? undefined : this.directory.destinations.get(system);
          return destination === undefined ? [] : [destination.destinationId];
        }),
      );
  }

  /** One process: entering and leaving, and what follows from having left. */
  async #lookAtModes(): Promise<void> {
    await lookAtModes(this.db, this.estate.degradedModes, this.#modeSystems);
    const released = await releaseDegraded(this.db, this.deps);
    if (released > 0) this.#wake.fire();
    await checkDegraded(this.db, this.deps, async (accountIds) => this.#creditAsks?.freshen(accountIds, true));
  }

  /** What is held because nobody knew enough is asked for again; what fits by now goes on. */
  async #sweepCredit(): Promise<number> {
    await this.#creditAsks?.freshen(await accountsOfUnknownCredit(this.db));
    return sweepCredit(this.db, this.deps);
  }

  #startSystem(code: string, connector: Connector): void {
    const settings = this.estate.systems[code]!;
    const destination = this.directory.destinations.get(code)!;
    const channel =
      [...this.directory.channels.values()].find((entry) => entry.system === code && entry.sellsByItself) ?? null;
    const common = {
      db: this.db,
      deps: this.deps,
      leases: this.leases,
      destination,
      connector,
      concurrency: settings.limits?.concurrency ?? 4,
      effectHorizonMs: settings.effectHorizonMs ?? 1_000,
      attemptsMax: settings.attemptsMax ?? 20,
      freshness: this.freshness,
      random: this.#options.random ?? Math.random,
      onCommit: this.onCommit,
      onError: (error: unknown) => this.#fault(`send to ${code}`, error),
      onContact: (fault: string | undefined) =>
        fault === undefined ? this.#contacts.answered(code) : this.#contacts.failed(code, fault),
      signal: this.#abort.signal,
    };
    // Workers of their own per destination, and within one per kind: a dead or flooded one delays nobody else.
    if (Object.keys(connector.deliveries).length > 0) {
      const dispatcher = new DeliveryDispatcher({ ...common, outcomes: this.#outcomes });
      this.#settling.push({ name: `deliveries to ${code}`, sender: dispatcher });
      this.#senders.set(destination.destinationId, dispatcher);
      this.#loop(`deliver to ${code}`, async () => (await dispatcher.step()) > 0, {
        gatherMs: DELIVERY_GATHER_MS,
        idleMs: 200,
      });
    }
    const publisher = new Publisher({ ...common, channel });
    if (connector.availability !== undefined && channel !== null) {
      this.#settling.push({ name: `publications to ${code}`, sender: publisher });
      this.#loop(`availability to ${code}`, async () => (await publisher.availabilityStep()) > 0, {
        gatherMs: AVAILABILITY_GATHER_MS,
        idleMs: 300,
      });
      // Of its own: a number that may be raised only when what was read back is settled should not wait for a round of others.
      this.#loop(`settle ${code}`, async () => (await publisher.settleNumbers()) > 0, {
        gatherMs: AVAILABILITY_GATHER_MS,
        idleMs: 300,
      });
    }
    if (connector.availability?.doubtful !== undefined && channel !== null)
      this.#loop(`doubtful numbers of ${code}`, async () => (await publisher.doubtNumbers()) > 0, {
        gatherMs: DOUBT_EVERY_MS,
        idleMs: DOUBT_EVERY_MS,
      });
    if (connector.orderStatus !== undefined || connector.prices !== undefined)
      this.#loop(
        `state to ${code}`,
        async () => {
          const gather = {
            order_status: this.#gather(STATE_GATHER_MS_MIN, STATUS_GATHER_MS_MAX),
            price: this.#gather(STATE_GATHER_MS_MIN, PRICE_GATHER_MS_MAX),
          };
          return (await publisher.stateRound(gather)) > 0;
        },
        { gatherMs: STATE_ROUND_MS, idleMs: STATE_ROUND_MS },
      );
    for (const source of connector.sources) {
      const poller = new Poller({
        db: this.db,
        receiver: this.receiver,
        system: code,
        source,
        pollMs: settings.pollMs ?? 1_000,
        ...(settings.pollMsMax === undefined ? {} : { pollMsMax: settings.pollMsMax }),
        mayPoll: () => this.leases.epoch(`poll/${code}`) !== undefined,
        // Stock and documents are always read; only new demand waits when outbound work grows old.
        mustWait: () => channelsOf(this.directory, code).length > 0 && this.mustWait(),
        onPage: () => this.#contacts.answered(code),
        onError: (error) => {
          this.#noteFailure(code, error);
          this.#fault(`poll ${code}`, error);
        },
      });
      this.#pollers.push({ system: code, poller });
      poller.start();
    }
  }

  /** The busier this process, the longer; no longer than needed when there is nothing to make way for. */
  #gather(fromMs: number, toMs: number): number {
    if (performance.now() - this.#urgentAt > QUIET_MS) return fromMs;
    return fromMs + (toMs - fromMs) * this.pressure.load;
  }

  #loop(
    name: string,
    round: () => Promise<boolean>,
    options: { lease?: string; gatherMs: number | (() => number); idleMs: number },
  ): void {
    const { lease, gatherMs, idleMs } = options;
    const ended = runLoop({
      name,
      round,
      may: () => lease === undefined || this.leases.epoch(lease) !== undefined,
      wake: this.#wake,
      gatherMs,
      idleMs,
      signal: this.#abort.signal,
      onError: (where, error) => this.#fault(where, error),
    });
    this.#loops.push({ name, ended });
  }

  /**
   * Stops taking work, and from now on does not wait for a database that does not answer: what is in its hands is refused, as when
   * the process is killed. Requests are answered still, so whoever serves them calls it before ending with them, then {@link stop}.
   */
  beginStop(): void {
    if (this.#abort.signal.aborted) return;
    this.#ready = false;
    this.#abort.abort();
    this.#creditAsks?.close();
    void giveUpWhenSilent(this.db, {
      msMax: DATABASE_SILENT_MS_MAX,
      signal: this.#over.signal,
      onGivenUp: () =>
        this.#options.onError?.(
          'database',
          new CrossdockError(
            'XD_STORE_UNAVAILABLE',
            'it does not answer while stopping: what waited for it is refused',
          ),
        ),
    });
  }

  /** What {@link stop} still waits for. */
  underWay(): string[] {
    return this.#underWay.names;
  }

  /** Stops taking work, finishes what is under way, gives the leases back. */
  async stop(): Promise<void> {
    this.beginStop();
    const waits = this.#underWay;
    await Promise.all(
      this.#pollers.map(({ system, poller }) => waits.until(`poll ${system} ${poller.feed}`, poller.stop())),
    );
    await waits.until('intake', this.receiver.drained());
    await Promise.all(this.#loops.map(({ name, ended }) => waits.until(name, ended)));
    await Promise.all(this.#settling.map(({ name, sender }) => waits.until(name, sender.settled())));
    await waits.until('freshness', this.freshness.flush(this.db));
    if (this.role !== 'api') await waits.until('leases', this.leases.stop());
    await Promise.all(
      [...this.connectors].map(([code, connector]) => waits.until(`connector of ${code}`, connector.close())),
    );
    await waits.until('database', this.db.end());
    this.#over.abort();
  }
}

function tells(connector: Connector | undefined, kind: string): boolean {
  if (connector === undefined) return true;
  const sinks: Readonly<Record<string, unknown>> = {
    availability: connector.availability,
    price: connector.prices,
    order_status: connector.orderStatus,
  };
  return sinks[kind] !== undefined;
}

function channelsOf(directory: Directory, system: string): string[] {
  return [...directory.channels.values()].filter((channel) => channel.system === system).map((channel) => channel.code);
}

/** Opens the database, writes what the estate declares and builds every connector. The schema must be there (migrate). */
export async function createHub(options: HubOptions): Promise<Hub> {
  const { estate, databaseUrl } = options;
  const db = new Database({
    url: databaseUrl,
    poolMax: options.poolMax ?? 16,
    onIdleFault: (error) => options.onError?.('database connection', error),
  });
  try {
    const directory = await Directory.open(db, estate);
    const built = connectorsOf(options, directory.referenceEnding);
    const hub = new Hub(options, db, directory, built);
    await applySafetyStock(db, hub.deps);
    return hub;
  } catch (error) {
    await db.end();
    throw error;
  }
}

function connectorsOf(options: HubOptions, referenceEnding: string): Map<string, Connector> {
  const { estate, connectors } = options;
  const secrets = options.secrets ?? secretSources();
  return new Map(
    Object.keys(estate.systems).map((code) => [
      code,
      connectorFactory(estate, code, connectors)({ ...connectorContext(estate, code, secrets), referenceEnding }),
    ]),
  );
}

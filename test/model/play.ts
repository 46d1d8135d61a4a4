/** Plays runs beside each other: each step is done to the hub and to the run's own model, and both must stand the same. */
import type pg from 'pg';
import type { DeclaredEstate } from '../../src/master/index.ts';
import { sweepCredit } from '../../src/orders/index.ts';
import type { Database } from '../../src/store/index.ts';
import type { MemorySystem } from '../helpers/memory-system.ts';
import { memorySystems, SmallHub } from '../helpers/small-hub.ts';
import { INSPECTING, PLACES, Run } from './run.ts';
import type { Step } from './steps.ts';

const estate: DeclaredEstate = {
  companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: {
    north: { company: 'acme', region: 'n', priority: 1 },
    south: { company: 'acme', region: 's', priority: 2 },
  },
  systems: { erp: {}, wms: {} },
  channels: {
    api: { company: 'acme', sells: 'asks', locations: PLACES },
    trade: {
      ...{ company: 'acme', sells: 'asks', locations: PLACES, credit: 'check' },
      onShortPick: { policy: 'resource', otherwise: 'cancel' },
    },
  },
  credit: { freshMs: 864_000_000 },
};
for (const place of INSPECTING) estate.locations[place]!.returns = { inspect: true };

const PUT_OFF = `update delivery set next_at = '-infinity' where state in ('n', 'd') and next_at > crossdock_now()`;
/** Names the runs of all stages: several may share a database. */
let played = 0;

/** A run that differs from its model, and where. */
export interface Difference {
  /** Which of those that were played together. */
  run: number;
  step: number;
  message: string;
}

/** The hub that all runs of a process share; each run has SKUs, orders and an account of its own. */
export class Stage {
  readonly hub: SmallHub;
  readonly pool: pg.Pool;
  readonly erp: MemorySystem;
  readonly wms: MemorySystem;
  /** Of each fulfilment. */
  readonly #orderOf = new Map<string, string>();

  private constructor(hub: SmallHub, pool: pg.Pool, systems: { erp: MemorySystem; wms: MemorySystem }) {
    this.hub = hub;
    this.pool = pool;
    this.erp = systems.erp;
    this.wms = systems.wms;
  }

  static async open(url: string, pool: pg.Pool, db?: Database): Promise<Stage> {
    const { erp, wms } = memorySystems();
    const connectors = { erp, wms };
    const hub = await SmallHub.open({ url, connectors, estate, leaseMs: 864_000_000, ...(db !== undefined && { db }) });
    keepIdsInOrder(hub);
    return new Stage(hub, pool, { erp, wms });
  }

  /** @returns the runs that differ from their models where the first of them does; empty: none */
  async play(lists: readonly (readonly Step[])[]): Promise<Difference[]> {
    const { hub, wms, erp } = this;
    const runs = lists.map(() => new Run(this, `M${++played}`));
    const named = new Map(runs.map((run) => [run.name, run]));
    const differences: Difference[] = [];
    // What earlier runs left behind that ended in a difference is nobody's any more.
    wms.answer = (kind, { payload }) => (kind === 'fulfilment_cancel' ? stopNothing(payload) : {});
    await hub.settle();
    wms.effects.length = 0;
    erp.effects.length = 0;
    wms.answer = (kind, item) => named.get(this.#runOf(kind, item.payload))?.answer(kind, item) ?? {};

    let step = 0;
    const live = new Set(runs);
    const each = async (act: (run: Run, i: number) => unknown) => {
      await Promise.all(
        runs.map(async (run, i) => {
          if (!live.has(run)) return;
          try {
            await act(run, i);
          } catch (error) {
            live.delete(run);
            differences.push({ run: i, step, message: error instanceof Error ? error.message : String(error) });
          }
        }),
      );
    };
    let told = 0;
    const tell = async () => {
      // On a busy machine a system may be asked again later: now is later.
      for (let round = 0; round < 5; round++) {
        await hub.settle();
        if ((await this.pool.query(PUT_OFF)).rowCount === 0) break;
      }
      const effects = wms.effects.slice(told);
      told = wms.effects.length;
      await each((run) => run.told(effects.filter(({ kind, payload }) => this.#runOf(kind, payload) === run.name)));
      await sweepCredit(hub.db, hub.deps);
      await each((run) => run.model.releaseFitting());
      while ((await hub.receiver.replayAwaited()) > 0);
      await each((run) => run.model.inspectWaiting());
    };
    await this.#begin(runs);
    for (; differences.length === 0 && step < Math.max(...lists.map((list) => list.length)); step++) {
      await each((run, i) => {
        const now = lists[i]![step];
        return now === undefined ? undefined : run.step(now);
      });
      if (lists.some((list) => list[step]?.do === 'tell')) await tell();
      await this.#compare(runs, each);
    }
    // All mail arrives, nothing is held any more, everyone is told.
    for (let round = 0; differences.length === 0 && round < 4; round++) {
      await each((run) => run.comeToRest());
      await tell();
    }
    if (differences.length > 0) return differences;
    await this.#compare(runs, each);
    await each((run) =>
      run.checkErp(erp.effects.filter(({ kind, payload }) => this.#runOf(kind, payload) === run.name)),
    );
    return differences;
  }

  /** `M7` of a delivery about order `trade/M7-2`, or a fulfilment of it. */
  #runOf(kind: string, payload: unknown): string {
    const { order, reference, fulfilment } = payload as { order?: string; reference: string; fulfilment?: string };
    const told =
      kind === 'fulfilment_cancel' ? this.#orderOf.get(fulfilment!) : kind === 'sales_order' ? reference : order;
    if (told === undefined) return '';
    if (kind === 'fulfilment') this.#orderOf.set(reference, told);
    return told.slice(told.indexOf('/') + 1, told.lastIndexOf('-'));
  }

  async #begin(runs: readonly Run[]): Promise<void> {
    const { hub } = this;
    await hub.seed(
      runs.flatMap((run) => run.skus),
      ['A1', ...runs.map((run) => run.name)],
    );
    await hub.directory.loadAccounts(runs.map((run) => ({ companyId: 1, code: run.name })));
    await Promise.all(runs.map((run) => run.begin()));
  }

  async #compare(runs: readonly Run[], each: (act: (run: Run) => unknown) => Promise<void>): Promise<void> {
    const { pool } = this;
    const orderIds = [runs.flatMap((run) => run.ids)];
    const [lines, stock, returns, credit] = await Promise.all([
      pool.query(
        `select split_part(o.external_no, '-', 1) as run, o.external_no as order, o.state, o.holds, o.is_told, l.line_no as line, coalesce(l.adds_to, l.line_no) as root,
                l.awaits_erp, l.allocated, l.backordered, l.picked, l.shipped, l.invoiced, l.cancel_asked, l.cancelled, l.return_expected, l.returned,
                l.shipped_minor, l.invoiced_minor, l.cancelled_minor, l.returned_minor, l.credited_minor
           from sales_order o join order_line l using (order_id) where o.order_id = any($1::bigint[])`,
        orderIds,
      ),
      pool.query(
        `select rtrim(s.code, 'AB') as run, s.code || '@' || p.code as stock, b.on_hand, b.allocated, b.outside_deducted as missing
           from stock_balance b join sku s using (sku_id) join location p using (location_id)
          where s.code = any($1::text[]) and (b.on_hand, b.allocated, b.outside_deducted) <> (0, 0, 0)`,
        [runs.flatMap((run) => run.skus)],
      ),
      pool.query(
        `select split_part(o.external_no, '-', 1) as run, o.external_no as back, p.code as at, sum(l.received) as received, sum(l.restocked) as restocked,
                sum(l.scrapped) as scrapped, sum(l.quarantined) as quarantined
           from return_authorisation r join return_line l using (return_id) join sales_order o on o.order_id = r.order_id
           join location p on p.location_id = r.location_id
          where r.order_id = any($1::bigint[]) group by 1, 2, 3`,
        orderIds,
      ),
      pool.query(
        `select a.code as run, 'credit' as credit, coalesce(sum(c.amount_minor) filter (where c.ended_at is null), 0) as claimed
           from account a left join credit_claim c using (account_id) where a.code = any($1::text[]) group by 1`,
        [runs.map((run) => run.name)],
      ),
    ]);
    const process = Map.groupBy(
      [lines, stock, returns, credit].flatMap(({ rows }) => rows),
      (row) => row.run as string,
    );
    await each((run) => run.compare((process.get(run.name) ?? []).map(({ run: _, ...row }) => row)));
  }
}

function stopNothing(payload: unknown) {
  const { lines } = payload as { lines: { lineNo: number }[] };
  return { lines: lines.map(({ lineNo }) => ({ lineNo, cancelled: 0, tooLate: 0 })) };
}

/**
 * Which of two holds or allocations is older is told by their ids. Transactions side by side give ids back that they did not need, and a later
 * one may take an earlier number: of no weight for who works with it, and a difference here.
 */
function keepIdsInOrder({ ids }: SmallHub): void {
  const reserve = ids.reserve.bind(ids);
  ids.reserve = async (...args) => {
    const block = await reserve(...args);
    block.giveBack = () => {};
    return block;
  };
}

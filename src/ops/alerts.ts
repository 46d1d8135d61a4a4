/**
 * Orders that are stuck: longer in a stage than the estate says they may be. Each is an alert with an owner and the next step, once for
 * each time it happens; it ends by itself when the order moves on.
 */
import { fail, orderStages } from '../canonical/index.ts';
import { appendFacts } from '../log/index.ts';
import { type Database, numbers, type Queryable, texts } from '../store/index.ts';
import * as statements from './alerts.sql.ts';

/** `stages` of the estate: state of an order -> how long it may be in it. */
export type StageTargets = Readonly<Record<string, { targetMinutes: number; owner?: string }>>;

const ALERTS_PER_LOOK_MAX = 1_000;

/** Follows how long orders are in their stages; one per process that looks. */
export class StageWatch {
  readonly #db: Database;
  readonly #targets: StageTargets;
  /** All orders below it have ended. Only a memory: another process begins at the first. */
  #from = 0;

  constructor(db: Database, targets: StageTargets) {
    this.#db = db;
    this.#targets = targets;
  }

  /** Raises what is due and ends what went on. @returns how many of each */
  async look(limit = ALERTS_PER_LOOK_MAX): Promise<{ raised: number; ended: number }> {
    const [first] = await this.#db.query(statements.firstOpenOrder, [this.#from, texts(orderStages)]);
    this.#from = first?.order_id ?? this.#from;
    const named = Object.entries(this.#targets);
    return this.#db.transaction(async (tx) => {
      const ended = await tx.query(statements.endAlerts);
      const raised =
        named.length === 0
          ? []
          : await tx.query(statements.raiseAlerts, [
              texts(named.map(([stage]) => stage)),
              numbers(named.map(([, { targetMinutes }]) => targetMinutes)),
              texts(named.map(([, { owner }]) => owner ?? 'operations')),
              this.#from,
              limit,
            ]);
      const facts = [
        ...ended.map((row) => ({ row, type: 'alert.ended', version: 2 })),
        ...raised.map((row) => ({ row, type: 'alert.raised', version: 1 })),
      ];
      if (facts.length > 0)
        await appendFacts(
          tx,
          facts.map(({ row, type, version }) => ({
            ...{ type, stream: `alert/${row.alert_id}`, version, companyId: row.company_id },
            occurredAt: new Date().toISOString(),
            data: {
              alertId: row.alert_id,
              orderId: row.order_id,
              stage: row.stage,
              since: row.since,
              owner: row.owner,
            },
          })),
        );
      return { raised: raised.length, ended: ended.length };
    });
  }
}

export interface AlertRecord {
  alertId: number;
  state: 'open' | 'ended';
  stage: string;
  since: Date;
  dueAt: Date;
  /** How long it was, or is, beyond its target. */
  lateSeconds: number;
  owner: string;
  /** Who said that they look after it. */
  seenBy: string | null;
  orderId: number;
  channelId: number;
  externalNo: string;
  account: string;
  currency: string;
  totalMinor: number;
  /** What the order waits for, and what to do about it; null once it moved on. */
  waitsFor: string | null;
  next: string | null;
  recordedAt: Date;
  endedAt: Date | null;
}

export interface AlertFilter {
  state?: 'open' | 'ended' | undefined;
  stage?: string | undefined;
  channelId?: number | undefined;
  owner?: string | undefined;
  /** Only those with a lower id. */
  before?: number | undefined;
  limit: number;
}

export async function listAlerts(db: Queryable, filter: AlertFilter): Promise<AlertRecord[]> {
  const { before = null, state = null, stage = null, channelId = null, owner = null, limit } = filter;
  return (await db.query(statements.listAlerts, [before, state, stage, channelId, null, owner, limit])).map(recordOf);
}

/** @throws XD_NOT_FOUND */
export async function getAlert(db: Queryable, alertId: number): Promise<AlertRecord> {
  const [row] = await db.query(statements.listAlerts, [null, null, null, null, alertId, null, 1]);
  return row === undefined ? fail('XD_NOT_FOUND', `there is no alert ${alertId}`, { place: 'id' }) : recordOf(row);
}

/** Somebody looks after it; the first who says so stays. @throws XD_NOT_FOUND */
export async function acknowledgeAlert(db: Database, alertId: number, by: string): Promise<AlertRecord> {
  await db.query(statements.seeAlert, [alertId, by]);
  return getAlert(db, alertId);
}

/** Open ones by stage, and how many nobody looks after. */
export async function countOpenAlerts(
  db: Queryable,
): Promise<{ stage: string; alerts: number; unseen: number; oldestMs: number }[]> {
  const rows = await db.query(statements.countAlerts);
  return rows.map(({ oldest_ms: oldestMs, ...row }) => ({ ...row, oldestMs: Math.round(oldestMs) }));
}

/** The first thing in an order's way, from what only a person can move to what has to come by itself. */
function obstacleOf(row: statements.AlertRow): { waitsFor: string; next: string } {
  const trace = `crossdock trace ${row.order_id}`;
  if (row.hold_id !== null)
    return {
      waitsFor: `hold ${row.hold_id}: ${row.hold_owner} decides`,
      next: `crossdock holds show ${row.hold_id}, then release it or cancel the order`,
    };
  if (row.exception_id !== null)
    return {
      waitsFor: `exception ${row.exception_id}: units wait for a person`,
      next: `crossdock exceptions resolve ${row.exception_id} --as backorder|substitute|cancel`,
    };
  if (row.parked_delivery !== null)
    return {
      waitsFor: `${row.parked_delivery} was not taken`,
      next: `read why with ${trace}, correct it there, then crossdock parked replay`,
    };
  if (row.open_delivery !== null)
    return {
      waitsFor: `${row.open_delivery} is not confirmed`,
      next: `see that the system is up and answers (crossdock doctor), then ${trace}`,
    };
  if (row.to_ship > 0)
    return {
      waitsFor: `${row.to_ship} picked and not shipped`,
      next: 'ask the location for the shipment that was not told',
    };
  if (row.allocated > 0)
    return { waitsFor: `${row.allocated} allocated and not picked`, next: 'ask the location when it picks them' };
  if (row.backordered > 0)
    return {
      waitsFor: `${row.backordered} wait for stock`,
      next: `buy or move stock (crossdock explain SKU), or cancel what waits: ${trace}`,
    };
  if (row.to_invoice > 0)
    return { waitsFor: `${row.to_invoice} shipped and not invoiced`, next: 'post the invoice in the ERP' };
  return { waitsFor: 'nothing that the hub knows of', next: trace };
}

function recordOf(row: statements.AlertRow): AlertRecord {
  const { state, stage, since, owner, account, currency } = row;
  return {
    ...{ alertId: row.alert_id, state, stage, since, dueAt: row.due_at, owner, seenBy: row.seen_by },
    lateSeconds: Math.max(0, Math.round(row.late_seconds)),
    ...{ orderId: row.order_id, channelId: row.channel_id, externalNo: row.external_no },
    ...{ account, currency, totalMinor: row.total_minor },
    ...(state === 'open' ? obstacleOf(row) : { waitsFor: null, next: null }),
    ...{ recordedAt: row.recorded_at, endedAt: row.ended_at },
  };
}

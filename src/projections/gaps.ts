import type { Fact } from '../log/index.ts';
import type { History, OutboundState } from './history.ts';
import type { LineState } from './order-state.sql.ts';
import type { Gap } from './timeline.ts';

export interface GapInput extends History {
  parked: readonly {
    parked_id: number;
    scope: string;
    key: string;
    class: string;
    reason: string;
    state: string;
    recorded_at: Date;
  }[];
  /** Versions that outbound has not read yet. */
  unread: readonly number[];
  lines: readonly LineState[];
  /** Open ones. */
  holds: readonly { kind: string; reason: string; detail: string; owner: string; recorded_at: Date }[];
}

/** Facts that some system must be told of, and as what. */
const toldAs: Readonly<Record<string, string>> = {
  'order.accepted': 'sales_order',
  'fulfilment.requested': 'fulfilment',
  'order.cancel_asked': 'fulfilment_cancel',
  'order.lines_added': 'order_change',
  'order.lines_cancelled': 'order_cancellation',
  'order.hold_ended': 'sales_order',
  'return.authorised': 'return_announcement',
  'return.received': 'return_posting',
  'return.inspected': 'return_posting',
  'shipment.confirmed': 'shipment_posting',
};

const stuck: Readonly<Partial<Record<OutboundState, string>>> = {
  pending: 'waits to be sent',
  sending: 'is on its way',
  in_doubt: 'is in doubt',
  parked: 'is parked and holds up what follows',
  refused: 'was refused',
};

/** What happens while it is held is told when nothing of it is any more; goods of returns as their rule has it. */
function isUntold(fact: Fact): boolean {
  const data = fact.data as {
    untold?: boolean;
    inspection?: string;
    lines?: { held?: number; restock?: number; scrap?: number }[];
  };
  // Goods that are inspected are told of once they are decided, or were told of as they came in.
  if (fact.type === 'return.received') return data.inspection === 'before_credit';
  if (fact.type === 'return.inspected')
    return data.inspection === 'after_credit' || data.lines!.every((line) => line.restock! + line.scrap! === 0);
  return data.untold === true || (fact.type === 'order.accepted' && data.lines!.some((line) => (line.held ?? 0) > 0));
}

/** An order, or what was added to one, that was refused as a whole goes to no system. */
function isRefused(fact: Fact): boolean {
  if (fact.type !== 'order.accepted' && fact.type !== 'order.lines_added') return false;
  const { lines } = fact.data as { lines: { quantity: number; refused: number }[] };
  return lines.every((line) => line.refused === line.quantity);
}

/** What should have followed and has not. Pure. */
export function gapsOf(input: GapInput): Gap[] {
  const gaps: Gap[] = [];
  const last = input.facts.at(-1)?.recordedAt.toISOString() ?? new Date(0).toISOString();
  let version = 0;
  for (const fact of input.facts) {
    if (fact.version !== version + 1)
      gaps.push({
        since: fact.recordedAt.toISOString(),
        what: `version ${fact.version} follows ${version}: a fact is missing or doubled`,
      });
    version = fact.version;
  }
  const unread = new Set(input.unread);
  const told = new Set(input.deliveries.map((row) => row.factPosition));
  const kinds = new Set(input.deliveries.map((row) => row.kind));
  for (const fact of input.facts) {
    const kind = toldAs[fact.type];
    if (unread.has(fact.version))
      gaps.push({
        since: fact.recordedAt.toISOString(),
        what: `${fact.type} (version ${fact.version}) was not read by outbound yet`,
      });
    else if (kind !== undefined && !told.has(fact.position) && kinds.size > 0 && !isRefused(fact) && !isUntold(fact))
      gaps.push({
        since: fact.recordedAt.toISOString(),
        what: `nobody was told of ${fact.type} (version ${fact.version})`,
      });
  }
  for (const row of input.deliveries) {
    const how = stuck[row.state];
    if (how !== undefined)
      gaps.push({
        since: row.recordedAt.toISOString(),
        what: `${row.kind} ${row.reference} to ${row.destination} ${how} after ${row.attempts} attempts${row.error === null ? '' : `: ${row.error}`}`,
      });
  }
  for (const row of input.publications)
    if (row.version > row.confirmedVersion && row.state !== 'cancelled')
      gaps.push({
        since: row.changedAt.toISOString(),
        what: `${row.destination} was not told the newest state (version ${row.version}, confirmed ${row.confirmedVersion})${row.error === null ? '' : `: ${row.error}`}`,
      });
  for (const row of input.parked)
    if (row.state === 'open')
      gaps.push({
        since: row.recorded_at.toISOString(),
        what: `parked ${row.parked_id} ${row.scope} ${row.key}, ${row.class}: ${row.reason}`,
      });
  for (const { kind, reason, detail, owner, recorded_at: since } of input.holds)
    gaps.push({ since: since.toISOString(), what: `on hold (${kind}, ${reason}): ${detail}; ${owner} decides` });
  for (const line of input.lines) {
    const name = `line ${line.line_no} (${line.sku})`;
    if (line.held > 0)
      gaps.push({ since: last, what: `${name}: ${line.held} wait for a person, and the ERP for the order with them` });
    if (line.backordered > line.held)
      gaps.push({ since: last, what: `${name}: ${line.backordered - line.held} wait for stock` });
    if (line.without_fulfilment > 0 && line.confirmed)
      gaps.push({ since: last, what: `${name}: ${line.without_fulfilment} allocated and not asked of the WMS` });
    else if (line.allocated > 0 && line.confirmed)
      gaps.push({ since: last, what: `${name}: ${line.allocated} wait for the pick` });
    if (line.picked > line.shipped)
      gaps.push({ since: last, what: `${name}: ${line.picked - line.shipped} picked and not shipped` });
    if (line.shipped > line.invoiced)
      gaps.push({ since: last, what: `${name}: ${line.shipped - line.invoiced} shipped and not invoiced` });
    if (line.cancel_asked > 0)
      gaps.push({ since: last, what: `${name}: the WMS has not answered the cancel of ${line.cancel_asked}` });
    if (line.return_expected > 0)
      gaps.push({ since: last, what: `${name}: ${line.return_expected} are expected back` });
  }
  return gaps;
}

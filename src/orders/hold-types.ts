/** Why an order may not go on. Pure data. */

import type { HoldKind } from '../canonical/index.ts';
import type { CreditRecord, CreditRefusal } from '../credit/index.ts';

import type { RepricedLine } from './price-check.ts';

export type { HoldKind };

/** What a rule, or a person, says of an order. `reason` is a code, `detail` a sentence for whoever decides. */
export interface NewHold {
  kind: HoldKind;
  reason: string;
  detail: string;
}

export interface OrderHold extends NewHold {
  holdId: number;
  owner: string;
  /** When somebody should have looked: as a person said, else so many minutes after it was recorded; neither: nobody need. */
  dueAt: string | null;
  dueMinutes: number | null;
  /** A person; null: a rule. */
  heldBy: string | null;
  /** null: it is open. */
  releasedBy: string | null;
  releaseReason: string | null;
}

/** What is asked of a new order once stock is decided: whether it is refused as a whole, or what holds it. */
export type Verdict =
  | { ok: true; holds: readonly NewHold[]; marks?: AcceptedMarks }
  | { ok: false; refused: string; detail: string };

/** What rules say of a new order beside what holds it; it stands in its `order.accepted`. */
export interface AcceptedMarks {
  credit?: CreditMark;
  /** The ERP was away when it was accepted. */
  degraded?: 'erp';
}

export interface CreditMark extends CreditRecord {
  decision: 'accepted' | 'held';
  /** Why it is held. */
  reason?: CreditRefusal;
  /** By how much a person let it go beyond the limit. */
  overByMinor?: number;
}

/** What is asked when a hold is to be released. */
export type ReleaseVerdict =
  | { ok: true; credit?: CreditMark; repriced?: readonly RepricedLine[] }
  | { ok: false; refused: string; detail: string };

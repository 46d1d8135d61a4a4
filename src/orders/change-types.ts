/** A change of an order after it was accepted: what was asked, and what each line was answered. Pure data. */
import type { PriceCheck } from './price-check.ts';
import type { AcceptedLine, NewAllocation, NewCommitment } from './types.ts';

/** What a change asks of one line. */
export interface ChangeLine {
  /** As who ordered numbers it; null: a new line that has no number of its own. */
  lineNo: number | null;
  /** null: the SKU that the line has. */
  skuId: number | null;
  /** All units that the line shall have from now on; 0 removes it. */
  quantity: number;
  /** Of units that are added; null: the price that the line has. */
  unitPrice: string | null;
  /** Of added units, those that their channel sold within its number; null: it can't say. */
  within: number | null;
  /** The day on which it is wanted, YYYY-MM-DD. */
  requestedOn: string | null;
}

/** How far a unit has come that can't be given back any more. */
export type LateStage = 'requested' | 'picked' | 'shipped';

export type ChangeRefusal =
  | 'too_late'
  | 'order_ended'
  | 'order_held'
  | 'would_hold'
  | 'change_not_supported'
  | 'no_price'
  | 'line_taken'
  | 'unknown_line';

/** What a line was answered. */
export interface ChangedLine {
  /** As who ordered numbers it; of one without a number the one it got. */
  lineNo: number;
  /** Units asked for, and what the line had before. */
  quantity: number;
  before: number;
  /** `asked`: units of it are with the WMS, which answers; `superseded`: a newer change named it. */
  outcome: 'applied' | 'asked' | 'unchanged' | 'superseded' | ChangeRefusal;
  detail?: string;
  /** Units that were added, as a line of their own. */
  added?: { lineNo: number; skuId: number; quantity: number; priceCheck?: PriceCheck };
  /** Units given up at once. */
  cancelled?: number;
  /** Units that the WMS is asked to stop. */
  asked?: number;
  /** Units that can't be given back, and why. */
  tooLate?: { units: number; stage: LateStage };
  requestedOn?: string;
  /** Units of the line that were given up or asked back in all, with this: what follows is counted from here. */
  undone: number;
}

/** A change as it was answered. */
export interface OrderChange {
  /** The order's versions of its fact, and of the last one that it led to at once. */
  version: number;
  lastVersion: number;
  reference: string;
  /** The channel's own number of it, growing; null: it gives none. */
  number: number | null;
  /** Lines that it does not name are removed. */
  isWhole: boolean;
  lines: ChangedLine[];
}

export type AddedLine = AcceptedLine & {
  /** The line of who ordered that the units belong to; its own number: a new line. */
  addsTo: number;
};

export type ChangeEvent =
  | {
      type: 'order.changed';
      reference: string;
      number: number | null;
      isWhole: boolean;
      /** Facts of the same moment that follow it. */
      follows: number;
      lines: ChangedLine[];
    }
  | {
      type: 'order.lines_added';
      reference: string;
      lines: AddedLine[];
      allocations: NewAllocation[];
      commitments: NewCommitment[];
      exposureUsed: { skuId: number; quantity: number }[];
      /** The order waits for a person: the ERP hears of this with the order itself. */
      untold?: true;
    }
  /** The ERP has the added lines. */
  | { type: 'order.change_confirmed'; lines: { lineNo: number }[] }
  /** The WMS was too late to stop units that a change gave back: the order keeps them. */
  | {
      type: 'order.change_too_late';
      /** The change that asked. */
      changeVersion: number;
      reference: string;
      lines: { lineNo: number; quantity: number }[];
    };

export type ChangeCommand =
  | {
      kind: 'change';
      reference: string;
      number: number | null;
      isWhole: boolean;
      /** A line that can't be changed is left as it is; else nothing is changed then. */
      partial: boolean;
      lines: ChangeLine[];
    }
  /** Every unit of every line, whatever stage it is at. */
  | { kind: 'cancel_order'; reference: string }
  | { kind: 'confirm_change'; lineNos: readonly number[] };

/** Returns of an order: how far each has come. Pure data. */
import type { ChargePart, RestockingFee, Taxed } from './billing-types.ts';

/** When goods of a return are credited that are inspected; undefined where they aren't: they are on hand and credited as they come in. */
export type Inspection = 'before_credit' | 'after_credit';

/** received = restocked + scrapped + quarantined + what nobody has looked at yet. */
export interface ReturnLine {
  lineNo: number;
  skuId: number;
  /** Authorised. */
  quantity: number;
  received: number;
  /** On hand again. */
  restocked: number;
  scrapped: number;
  /** Looked at, and not decided. */
  quarantined: number;
  /** What the received units were sold for. */
  receivedMinor: number;
  /** Of that, of units that were restocked or scrapped. */
  decidedMinor: number;
  /** Of that, what who sent them gets back. */
  creditMinor: number;
  /** The tax beside each. */
  receivedTaxMinor: number;
  decidedTaxMinor: number;
  creditTaxMinor: number;
}

export interface ReturnAuthorisation {
  returnId: number;
  /** Of whoever asked for it. */
  reference: string;
  reason: string | null;
  locationId: number;
  inspection: Inspection | null;
  lines: Map<number, ReturnLine>;
  /** received: something of it came; inspected: all that came is decided. */
  state: 'expected' | 'received' | 'inspected';
}

/** Units of a line that somebody has looked at. */
export interface InspectedLine {
  lineNo: number;
  restock: number;
  scrap: number;
  quarantine: number;
  /** Where they were: as they came in, or set apart by an inspection before. */
  from: 'receipt' | 'quarantine';
  /** Whether who sent them gets their money. */
  credited: boolean;
}

/** Which return is meant: by our number, or by the reference that it was asked for with. */
export type ReturnName = { returnId: number; reference?: undefined } | { returnId: null; reference: string };

export type ReturnCommand =
  | {
      kind: 'request_return';
      reference: string;
      reason: string | null;
      lines: { lineNo: number; quantity: number }[];
    }
  | ({
      kind: 'receive_return';
      source: string;
      sourceId: string;
      sequence: number | null;
      lines: { lineNo: number; quantity: number }[];
    } & ReturnName)
  | ({
      kind: 'inspect_return';
      source: string;
      sourceId: string;
      sequence: number | null;
      by: string;
      reason: string | null;
      lines: InspectedLine[];
    } & ReturnName);

export type ReturnEvent =
  | {
      type: 'return.authorised';
      returnId: number;
      reference: string;
      locationId: number;
      lines: { lineNo: number; skuId: number; quantity: number }[];
      /** Units that were asked of the WMS as a cancel and were too late. */
      answered: { lineNo: number; quantity: number }[];
      reason?: string;
      inspection?: Inspection;
    }
  | {
      type: 'return.received';
      returnId: number;
      reference: string;
      locationId: number;
      source: string;
      sourceId: string;
      sequence: number | null;
      /** askedMinor: what the ERP is asked to credit, where it isn't the amount: some of it was credited before. */
      lines: ({ lineNo: number; skuId: number; quantity: number; amountMinor: number } & Partial<AskedOfLine>)[];
      /** Nothing of it is on hand before it is inspected. */
      inspection?: Inspection;
      charges?: ChargePart[];
      fee?: RestockingFee;
    }
  | {
      type: 'return.inspected';
      returnId: number;
      reference: string;
      locationId: number;
      source: string;
      sourceId: string;
      sequence: number | null;
      by: string;
      reason: string | null;
      /** What the restocked and scrapped units were sold for; what of it is given back; what of that the ERP is asked to credit. */
      lines: (InspectedLine & { skuId: number; amountMinor: number; creditMinor: number; askedMinor: number } & Partial<
          Pick<Taxed, 'taxMinor'> & { creditTaxMinor: number; askedTaxMinor: number }
        >)[];
      /** Whether the ERP is told by this. */
      inspection: Inspection;
      charges?: ChargePart[];
      fee?: RestockingFee;
    };

/** Said where it is not as the amount, and of lines that are taxed. */
interface AskedOfLine {
  askedMinor: number;
  taxMinor: number;
  askedTaxMinor: number;
}

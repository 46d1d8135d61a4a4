import type { Lines } from './lib/lines.ts';
import type { InspectedLine } from './wms-habits.ts';

/** Columns of a fulfilment's lines after the line number. */
export const STOCK = 1;
export const QUANTITY = 2;
export const CANCELLED = 3;
export const SHIPPED = 4;
/** Units that were not where they should be. */
export const SHORT = 5;
export const FULFILMENT_WIDTH = 6;

export interface Stock {
  id: number;
  sku: string;
  onHand: number;
  /** Fulfilments that wait for this SKU here, the oldest first. */
  queue: Fulfilment[];
  /** Scratch for one attempt to pick; 0 outside of it. */
  need: number;
}

export interface Fulfilment {
  /** Order of acceptance: who waits longer goes first. */
  rank: number;
  reference: string;
  order: string;
  location: string;
  lines: Lines;
  stage: 'accepted' | 'picked' | 'shipped' | 'cancelled';
  /** Whether it was tried once and what it missed is counted. */
  tried: boolean;
  /** Parts that left. */
  shipped: number;
  /** Empty unless it waits. */
  waitsFor: Stock[];
}

/** Units of a line that are still to be picked, or were. */
export function askedOf(lines: Lines, row: number): number {
  return lines.get(row, QUANTITY) - lines.get(row, CANCELLED) - lines.get(row, SHORT);
}

export interface GoodsLine {
  lineNo: number;
  sku: string;
  quantity: number;
}

/** What is neither cancelled nor shipped, and was found. */
export function remainingOf({ lines }: Fulfilment, stocks: Stock[]): GoodsLine[] {
  return lines
    .map((row) => ({
      lineNo: lines.get(row, 0),
      sku: stocks[lines.get(row, STOCK)]!.sku,
      quantity: askedOf(lines, row) - lines.get(row, SHIPPED),
    }))
    .filter((line) => line.quantity > 0);
}

/** About half of the lines, or half of the only line; undefined when there is nothing to split. */
export function firstPartOf(lines: GoodsLine[]): GoodsLine[] | undefined {
  if (lines.length > 1) return lines.slice(0, Math.ceil(lines.length / 2));
  const only = lines[0]!;
  return only.quantity > 1 ? [{ ...only, quantity: Math.ceil(only.quantity / 2) }] : undefined;
}

export function truthOfFulfilment({ order, location, stage, waitsFor, lines }: Fulfilment, stocks: Stock[]): object {
  return {
    order,
    location,
    stage: waitsFor.length > 0 ? 'waiting' : stage,
    lines: lines.map((row) => {
      const cancelled = lines.get(row, CANCELLED);
      const quantity = lines.get(row, QUANTITY);
      const short = lines.get(row, SHORT);
      const picked = stage === 'picked' || stage === 'shipped' ? quantity - cancelled - short : 0;
      const sku = stocks[lines.get(row, STOCK)]!.sku;
      const line = { lineNo: lines.get(row, 0), sku, quantity, cancelled, picked, shipped: lines.get(row, SHIPPED) };
      return short > 0 ? { ...line, short } : line;
    }),
  };
}

/** A record of the feed. */
export interface StockEvent {
  seq: number;
  id: string;
  type: 'picked' | 'short_picked' | 'shipped' | 'received' | 'adjusted' | 'returned' | 'inspected';
  at: string;
  location: string;
  reference: string;
  order: string | null;
  lines: GoodsLine[] | InspectedLine[];
  reason?: string;
  by?: string;
  shipment?: string;
  tracking?: string;
}

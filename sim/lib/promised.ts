/** What a hub says of when units leave: kept and shown as it was said. */
import { type Item, Refusal } from './items.ts';

export interface Promised {
  quantity: number;
  at: string | null;
  location: string | null;
  reason: string;
}

/** By line number, of the lines that say it. */
export type PromisedRows = [lineNo: number, promised: Promised[]][];

export function promisedOf(lines: readonly Item[]): PromisedRows {
  return lines.flatMap((line) => {
    if (line.promised === undefined) return [];
    const list = line.promised;
    const isPart = (part: unknown): part is Promised => {
      const { quantity, at, location, reason } = (part ?? {}) as Record<string, unknown>;
      const isText = (value: unknown) => value === null || typeof value === 'string';
      return Number.isSafeInteger(quantity) && isText(at) && isText(location) && typeof reason === 'string';
    };
    if (!Array.isArray(list) || !list.every(isPart))
      throw new Refusal(422, 'invalid', 'promised must be a list of parts');
    return [[line.lineNo as number, list]];
  });
}

/** What only says what changed is added to what is known. */
export function withPromised(
  known: Map<number, Promised[]> | undefined,
  rows: PromisedRows,
  base: number,
): Map<number, Promised[]> | undefined {
  if (rows.length === 0) return base > 0 ? known : undefined;
  return new Map([...(base > 0 ? (known ?? []) : []), ...rows]);
}

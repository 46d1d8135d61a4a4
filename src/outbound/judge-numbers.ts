/** What became of numbers that were written, by what was answered and what was read back after it. */
import type { Outcome } from '../connectors/kit/index.ts';
import type { NumberToSend } from '../ledger/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import type { Held } from './buckets.ts';
import type { PublisherOptions, Recorded } from './publications.ts';
import type { DuePublication } from './publish.sql.ts';
import { retryPauseMs, type Setbacks } from './retry.ts';

/** `conflict`: the channel sold meanwhile, the compare-and-set found another number. */
export type NumberOutcome = Outcome | { outcome: 'conflict' };

/** A number on its way, with its publication. */
export type SendingNumber = NumberToSend & { row: DuePublication };

/**
 * @param numbersThere by SKU code, null where it lists none; undefined when nothing could be read
 * @returns what to write, what the channel shows, and what is to be said again at once
 */
export function judgeNumbers(
  options: Pick<PublisherOptions, 'deps' | 'effectHorizonMs' | 'attemptsMax' | 'random'>,
  setbacks: Setbacks,
  channel: ChannelEntry,
  batch: readonly SendingNumber[],
  outcomes: readonly NumberOutcome[],
  numbersThere: ReadonlyMap<string, number> | undefined,
  held: Held,
): { records: Recorded[]; readBack: { skuId: number; number: number | null }[]; conflicts: DuePublication[] } {
  const { deps, effectHorizonMs, attemptsMax, random } = options;
  const records: Recorded[] = [];
  const readBack: { skuId: number; number: number | null }[] = [];
  const conflicts: DuePublication[] = [];
  const putOffMs = setbacks.after('availability', outcomes);
  batch.forEach((item, i) => {
    const { skuId, quantity, row } = item;
    const epoch = held.get(row.bucket)!;
    const outcome = outcomes[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' };
    if (outcome.outcome === 'in_doubt' || numbersThere === undefined) {
      const error = 'error' in outcome ? outcome.error : 'could not be read back';
      records.push({ row, epoch, state: 'd', confirmed: null, error, pauseMs: effectHorizonMs });
      return;
    }
    const there = numbersThere.get(deps.directory.skuCode(skuId)) ?? null;
    if (outcome.outcome === 'confirmed' && !isWritten(channel, item, there)) {
      // It was lost, or comes later: only after the horizon is what is read what the channel believes.
      const error = `said to be done, but it shows ${there}, not ${quantity}`;
      records.push({ row, epoch, state: 'd', confirmed: null, error, pauseMs: effectHorizonMs });
      return;
    }
    readBack.push({ skuId, number: there });
    if (outcome.outcome === 'confirmed') {
      records.push({ row, epoch, state: 'n', confirmed: row.version, error: null, pauseMs: 0 });
      return;
    }
    const error = `${outcome.outcome}: it shows ${there}, not ${quantity}`;
    if (outcome.outcome === 'conflict') {
      records.push({ row, epoch, state: 'n', confirmed: null, error, pauseMs: 0, blameless: true });
      conflicts.push(row);
      return;
    }
    if (outcome.outcome === 'later' && outcome.ofSystem === true && putOffMs !== undefined) {
      records.push({ row, epoch, state: 'n', confirmed: null, error, pauseMs: putOffMs, blameless: true });
      return;
    }
    if (row.attempts + 1 >= attemptsMax) {
      records.push({ row, epoch, state: 'p', confirmed: null, error: `${outcome.error}; ${error}`, pauseMs: 0 });
      return;
    }
    const retryAfterMs = outcome.outcome === 'later' ? outcome.retryAfterMs : undefined;
    const pauseMs = retryPauseMs(row.attempts, retryAfterMs, random);
    records.push({ row, epoch, state: 'n', confirmed: null, error, pauseMs });
  });
  return { records, readBack, conflicts };
}

/** Whether what is shown can be what we wrote. Sales take a number down that means what may be sold; nothing else changes one. */
function isWritten(
  channel: ChannelEntry,
  item: { from: number | null; quantity: number },
  there: number | null,
): boolean {
  if (there === null) return false;
  if (channel.numberMeans === 'on_hand') return there === item.quantity;
  return there <= item.quantity && (there !== item.from || item.from === item.quantity);
}

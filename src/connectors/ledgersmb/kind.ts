/** Deliveries that are one transaction each: looked for under a lock of the reference, then written, all of it or nothing. */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type DeliveryKind,
  type Outcome,
  type SqlClient,
  SqlRefused,
  type SqlRun,
  Unreadable,
} from '../kit/index.ts';
import * as statements from './statements.sql.ts';

export const BATCH_MAX = 20;
/** Releases whose rules were read. */
export const VERSIONS = /^1\.6(\.|$)/;

export interface LedgerKind<Payload> {
  /** The line of a note by which it is found again. */
  noteOf(reference: string): string;
  /** By such lines: `note`, `number` and, of invoices, `approved`. */
  find: string;
  write(run: SqlRun, payload: Payload & { reference: string }): Promise<unknown>;
}

export function ledgerKind<Payload>(
  client: SqlClient,
  limits: ConnectorContext['limits'],
  { noteOf, find, write }: LedgerKind<Payload>,
): DeliveryKind {
  async function heldOf(run: SqlRun, references: readonly string[]): Promise<Map<string, unknown>> {
    const { rows } = await run(find, [references.map(noteOf)]);
    const held = new Map<string, unknown>();
    for (const reference of references) {
      const own = rows.filter(({ note }) => note === noteOf(reference));
      if (own.length === 0) continue;
      const numbers = own.map(({ number }) => number);
      const isDraft = own[0]!.approved === 'false';
      held.set(reference, { number: numbers[0], ...(isDraft && { isDraft }), ...(numbers.length > 1 && { numbers }) });
    }
    return held;
  }

  async function writeOne(reference: string, payload: Payload, signal: AbortSignal): Promise<Outcome> {
    const written = await client.writing(signal, async (run) => {
      await run(statements.lockReference, [noteOf(reference)]);
      return (await heldOf(run, [reference])).get(reference) ?? (await write(run, { ...payload, reference }));
    });
    if (written.done) return { outcome: 'confirmed', answer: written.value };
    return { outcome: written.outcome, error: written.error };
  }

  return {
    batchMax: batchMaxOf(limits, BATCH_MAX),
    async write(items, signal) {
      const outcomes: Outcome[] = [];
      for (const { reference, payload } of items) outcomes.push(await writeOne(reference, payload as Payload, signal));
      return outcomes;
    },
    locate: (references, signal) => client.reading(signal, (run) => heldOf(run, [...new Set(references)])),
  };
}

/** What can't be said in the ledger is refused, before anything of it is written. */
export function orRefused<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CrossdockError || error instanceof Unreadable) throw new SqlRefused(error.message);
    throw error;
  }
}

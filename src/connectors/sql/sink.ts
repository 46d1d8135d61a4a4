/**
 * Writes that an estate declares. Each delivery is one transaction that looks for its reference first, under a lock of that reference: a
 * second one that comes meanwhile waits and then finds it. A commit whose answer is lost is in doubt, everything before it had no effect.
 */
import {
  batchMaxOf,
  type ConnectorContext,
  type DeliveryItem,
  type DeliveryKind,
  type Outcome,
  type SqlClient,
  SqlRefused,
  type SqlRun,
} from '../kit/index.ts';
import type { SqlWrite } from './settings.ts';
import { bound } from './statements.ts';

const BATCH_MAX = 50;

export function sqlDelivery(
  client: SqlClient,
  kind: string,
  write: SqlWrite,
  { limits }: ConnectorContext,
  place: string,
): DeliveryKind {
  const find = async (run: SqlRun, reference: string): Promise<unknown> => {
    const { text, values } = bound(write.locate, { reference }, client.dialect, `${place}.locate`);
    const { rows } = await run(text, values);
    if (rows.length === 0) return undefined;
    const number = rows[0]!.number ?? reference;
    return rows.length === 1 ? { number } : { number, numbers: rows.map((row) => row.number) };
  };

  async function writeOne({ reference, payload }: DeliveryItem, signal: AbortSignal): Promise<Outcome> {
    const written = await client.writing(signal, async (run) => {
      await lock(client, run, `${kind}/${reference}`);
      const before = await find(run, reference);
      if (before !== undefined) return before;
      for (const [index, statement] of write.statements.entries())
        for (const values of valuesOf(payload, reference, statement.each)) {
          const made = bound(statement.text, values, client.dialect, `${place}.statements.${index}`);
          const { changed } = await run(made.text, made.values);
          if (statement.rows !== undefined && changed !== statement.rows)
            throw new SqlRefused(
              `statement ${index + 1} changed ${changed} rows where ${statement.rows} were declared`,
            );
        }
      const after = await find(run, reference);
      if (after === undefined) throw new SqlRefused('what was written is not found by its reference');
      return after;
    });
    if (written.done) return { outcome: 'confirmed', answer: written.value };
    return { outcome: written.outcome, error: written.error };
  }

  return {
    batchMax: batchMaxOf(limits, BATCH_MAX),
    async write(items, signal) {
      const outcomes: Outcome[] = [];
      for (const item of items) outcomes.push(await writeOne(item, signal));
      return outcomes;
    },
    locate: (references, signal) =>
      client.reading(signal, async (run) => {
        const found = new Map<string, unknown>();
        for (const reference of new Set(references)) {
          const answer = await find(run, reference);
          if (answer !== undefined) found.set(reference, answer);
        }
        return found;
      }),
  };
}

/** Ends with the transaction; MySQL's, which doesn't, ends with the row it waits for: see the README. */
async function lock(client: SqlClient, run: SqlRun, name: string): Promise<void> {
  if (client.dialect === 'postgresql') await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

/** Names that statements may use: fields of the payload, and of each line as `line_<field>`. */
function valuesOf(payload: unknown, reference: string, each: 'lines' | undefined): Record<string, unknown>[] {
  const own = { ...(payload as Record<string, unknown>), reference };
  if (each === undefined) return [own];
  const { lines } = own as { lines?: unknown };
  return (Array.isArray(lines) ? lines : []).map((line) => ({
    ...own,
    ...Object.fromEntries(Object.entries(line as object).map(([name, value]) => [`line_${name}`, value])),
  }));
}

/** What an error of the database means for whoever asked. */
import pg from 'pg';
import { CrossdockError } from '../canonical/index.ts';

const SERIALIZATION = new Set(['40001', '40P01', '55P03']);
const CONNECTION = new Set([
  '08000',
  '08003',
  '08006',
  '08001',
  '08004',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25P03',
  '25P04',
]);

/** The transaction lost a race and may be decided again. */
export function isSerializationFault(error: unknown): boolean {
  return SERIALIZATION.has((error as { code?: string } | null)?.code ?? '');
}

/** The server or the connection went away; nothing is known to be wrong with the data. */
export function isConnectionFault(error: unknown): boolean {
  const code = (error as { code?: string } | null)?.code ?? '';
  // What became of a commit is not known: that is the connection's fault, too, and a key makes a second try safe.
  if (CONNECTION.has(code) || code === 'XD_STORE_UNAVAILABLE' || code === 'XD_STORE_IN_DOUBT') return true;
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT'].includes(code)) return true;
  const message = error instanceof Error ? error.message : '';
  return /Connection terminated|timeout exceeded when trying to connect|not queryable|Client has encountered a connection error/i.test(
    message,
  );
}

export const GIVEN_UP = 'given_up';

/** We ended waiting for the database ourselves (`Database.giveUp`): trying again is of no use. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof CrossdockError && error.details.reason === GIVEN_UP;
}

/** A server that says no answers; not one that is only just starting or ending. */
export function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !/^57P0[123]$/.test(error.code ?? '');
}

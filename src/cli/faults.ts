/** Faults of the database under a code of ours: whoever types a command needs to know what is away, not our stack. */
import { CrossdockError } from '../canonical/index.ts';
import { isConnectionFault } from '../store/index.ts';

/** No such host; wrong password or role; no such database. */
const NOT_LET_IN = /^(ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|28...|3D000)$/;

export function named(error: unknown): unknown {
  if (error instanceof CrossdockError) return error;
  const { code = '', syscall } = error as { code?: string; syscall?: string };
  // A file that is not there has the same code as a socket that is not there.
  const isAway = isConnectionFault(error) && (code !== 'ENOENT' || syscall === 'connect');
  if (!isAway && !NOT_LET_IN.test(code)) return error;
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  return new CrossdockError(
    'XD_STORE_UNAVAILABLE',
    `the database can't be reached: ${message}; start it, or check DATABASE_URL or --database-url`,
    { reason: code },
    { cause: error },
  );
}

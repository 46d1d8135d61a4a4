/** What keeps a folder from holding a database, said so that it can be put right. */
import { CrossdockError, fail } from '../../canonical/errors.ts';

/** What must be free to start. */
export const FREE_BYTES_MIN = 400 * 1024 * 1024;

export function diskFull(dir: string, details: Record<string, unknown>): never {
  fail(
    'XD_STORE_EMBEDDED',
    `no space is left for the database in ${dir} (${FREE_BYTES_MIN / 1024 / 1024} MB must be free to start); free some, or choose another folder`,
    { reason: 'disk_full', dir, ...details },
  );
}

export function unwritable(dir: string, details: Record<string, unknown>, cause?: unknown): never {
  fail(
    'XD_STORE_EMBEDDED',
    `the folder of the database, ${dir}, can't be written to by user ${process.getuid?.() ?? ''}; ` +
      'give it to that user (chown -R), or choose another folder',
    { reason: 'dir_unwritable', dir, ...details },
    { cause },
  );
}

export function rethrowFileError(error: unknown, dir: string): never {
  const { code, path } = error as NodeJS.ErrnoException;
  if (error instanceof CrossdockError) throw error;
  if (code === 'ENOSPC' || code === 'EDQUOT') diskFull(dir, { path });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') unwritable(dir, { path }, error);
  throw error;
}

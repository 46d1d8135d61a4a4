/** How far a file has been loaded, so that a run that was ended goes on where it stood. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LoadState {
  kind: string;
  digest: string;
  /** Rows that are surely done: applied, repeated or rejected. */
  rows: number;
  applied: number;
  repeated: number;
  rejected: number;
  /** Bytes of the reject file that belong to those rows. */
  rejectBytes: number;
}

/** A state of another file or kind is no state. */
export function readState(path: string, kind: string, digest: string): LoadState {
  const none: LoadState = { kind, digest, rows: 0, applied: 0, repeated: 0, rejected: 0, rejectBytes: 0 };
  if (!existsSync(path)) return none;
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as LoadState;
    return state.kind === kind && state.digest === digest ? state : none;
  } catch {
    return none;
  }
}

/** Whole or not at all, whenever the process ends. */
export function writeState(path: string, state: LoadState): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

export function removeState(path: string): void {
  rmSync(path, { force: true });
}

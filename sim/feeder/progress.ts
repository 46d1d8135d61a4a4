/**
 * How far a feeder came, in a file that is replaced whole. It is a hint that saves time: everything is sent under a key of
 * its own, so what was sent after the last note is sent again and changes nothing.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Counts {
  lines: number;
  orders: number;
  refused: number;
  cancels: number;
  receipts: number;
  /** Of a mutated run. */
  changes: number;
  cancelledInPart: number;
  returns: number;
  prices: number;
  payments: number;
  released: number;
  givenUp: number;
  leftHeld: number;
  unitsGranted: number;
  unitsNotGranted: number;
  /** Granted by the hub and not there in the WMS. */
  unitsGrantedInVain: number;
}
export interface Progress {
  /** Names the file, the limit and the seed; notes of another run are not used. */
  run: string;
  phase: 'master' | 'opening' | 'feeding' | 'late' | 'done';
  frontier: number;
  counts: Counts;
}

const NOTE_MS_MIN = 250;

export function noCounts(): Counts {
  return {
    lines: 0,
    orders: 0,
    refused: 0,
    cancels: 0,
    receipts: 0,
    ...{ changes: 0, cancelledInPart: 0, returns: 0, prices: 0, payments: 0, released: 0, givenUp: 0, leftHeld: 0 },
    unitsGranted: 0,
    unitsNotGranted: 0,
    unitsGrantedInVain: 0,
  };
}

export class ProgressFile {
  readonly current: Progress;
  private readonly file: string;
  private notedAtMs = 0;
  /** What each place beyond the frontier did; counted when the frontier passes it, so that a resume counts nothing twice. */
  private readonly beyond = new Map<number, Partial<Counts>>();

  constructor(stateDir: string, run: string) {
    this.file = join(stateDir, 'progress.json');
    this.current = readProgress(this.file, run) ?? { run, phase: 'master', frontier: 0, counts: noCounts() };
  }

  did(place: number, counts: Partial<Counts>): void {
    this.beyond.set(place, counts);
  }

  reach(frontier: number): void {
    for (let place = this.current.frontier; place < frontier; place += 1) {
      this.count(this.beyond.get(place) ?? {});
      this.beyond.delete(place);
    }
    this.current.frontier = frontier;
    if (Date.now() - this.notedAtMs >= NOTE_MS_MIN) this.note();
  }

  count(counts: Partial<Counts>): void {
    for (const [name, value] of Object.entries(counts)) this.current.counts[name as keyof Counts] += value;
  }

  note(): void {
    this.notedAtMs = Date.now();
    writeFileSync(`${this.file}.new`, JSON.stringify(this.current));
    renameSync(`${this.file}.new`, this.file);
  }
}

function readProgress(file: string, run: string): Progress | undefined {
  try {
    const progress = JSON.parse(readFileSync(file, 'utf8')) as Progress;
    if (progress.run !== run) return undefined;
    return { ...progress, counts: { ...noCounts(), ...progress.counts } };
  } catch {
    return undefined;
  }
}

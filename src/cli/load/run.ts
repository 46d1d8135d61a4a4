import { appendFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CrossdockError, fail } from '../../canonical/index.ts';
import { nearest } from '../../estate/nearest.ts';
import { isConnectionFault, isSerializationFault } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { type CsvRow, readCsv, readHead } from './csv.ts';
import { columnOf, RowFields } from './fields.ts';
import { type Kind, type KindName, kindOf, type ReadRow, type Reject, type UnitResult } from './kinds.ts';
import { type LoadState, readState, removeState, writeState } from './state.ts';

const ROWS_PER_BATCH = 500;
const TRIES_MAX = 5;

export interface LoadOptions {
  system?: string;
  company?: string;
  channel?: string;
  /** In whose name master data is put. */
  as?: string;
  /** Where rejected rows go; beside the file unless told. */
  rejects?: string;
  /** Where state files lie. */
  stateDir?: string;
  /** Begin again, whatever was done before; keys make that harmless. */
  restart?: boolean;
  signal?: AbortSignal;
  onProgress?: (bytes: number, total: number, rows: number) => void;
}

export interface LoadResult {
  kind: KindName;
  file: string;
  rows: number;
  applied: number;
  /** Was there already, with the same content. */
  repeated: number;
  rejected: number;
  /** The reject file, if there is anything in it. */
  rejects: string | null;
  /** Rows of an earlier run that were passed over. */
  resumedAfter: number;
  /** False when the run was ended: run it again to go on. */
  complete: boolean;
}

/** Loads one file. @throws after the last row that could be read; what was done is kept and the next run goes on from there */
export async function load(
  opened: Opened,
  kindName: KindName,
  file: string,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const head = await readHead(file);
  const statePath = join(options.stateDir ?? '.crossdock/load', `${kindName}-${head.digest}.json`);
  if (options.restart) removeState(statePath);
  const state = readState(statePath, kindName, head.digest);
  const resumedAfter = state.rows;
  const kind = kindOf(kindName, {
    ...opened,
    digest: head.digest,
    modifiedAt: head.modifiedAt,
    system: options.system ?? 'file',
    company: checkCompany(opened, options.company),
    channel: checkChannel(opened, options.channel),
    as: checkSystem(opened, options.as),
  });
  const rejects = new Rejects(options.rejects ?? `${file}.rejects.csv`, state);
  let columns: Map<string, number> | undefined;
  let batch: ReadRow[][] = [];
  let rowsInBatch = 0;
  let open: { group: string | undefined; rows: ReadRow[] } | undefined;
  let seen = 0;
  let bytes = 0;

  const flush = async () => {
    if (batch.length === 0) return;
    const units = batch;
    batch = [];
    rowsInBatch = 0;
    await writeUnits(kind, units, state, rejects);
    writeState(statePath, state);
    options.onProgress?.(bytes, head.size, state.rows);
  };
  const close = () => {
    if (open === undefined) return;
    batch.push(open.rows);
    rowsInBatch += open.rows.length;
    open = undefined;
  };
  let fault: unknown;
  try {
    for await (const row of readCsv(file, head.gzip, (read) => {
      bytes = read;
    })) {
      if (columns === undefined) {
        columns = readHeading(file, row, kind);
        rejects.begin(row.raw);
        continue;
      }
      // Complete units are written only, so what is passed over ends where a unit ends.
      if (seen++ < resumedAfter) continue;
      if (options.signal?.aborted) break;
      const read = readRow(kind, columns, row);
      const group = read.fault === undefined ? kind.groupOf?.(read.value) : groupOfRaw(kind, columns, row);
      if (open === undefined || group === undefined || group !== open.group) {
        close();
        if (rowsInBatch >= ROWS_PER_BATCH) await flush();
        open = { group, rows: [] };
      }
      open.rows.push(read);
    }
    if (columns === undefined)
      fail('XD_VALUE_INVALID', `${file} is empty: it needs a heading with ${kind.required.join(', ')}`, {
        place: 'line 1',
      });
  } catch (error) {
    fault = error;
  }
  const complete = fault === undefined && !options.signal?.aborted;
  // A file that broke off may have broken off within an order: its last group is left for the next run.
  if (complete || kind.groupOf === undefined) close();
  if (fault === undefined || !isFaultOfOurs(fault)) await flush();
  if (fault !== undefined) throw fault;
  if (complete) removeState(statePath);
  const { rows, applied, repeated, rejected } = state;
  return {
    kind: kindName,
    file,
    rows,
    applied,
    repeated,
    rejected,
    rejects: rejected > 0 ? rejects.path : null,
    resumedAfter,
    complete,
  };
}

function isFaultOfOurs(error: unknown): boolean {
  return !(error instanceof CrossdockError) || isConnectionFault(error) || isSerializationFault(error);
}

export function checkCompany({ directory }: Opened, company: string | undefined): string | undefined {
  if (company !== undefined && !directory.companies.has(company))
    fail('XD_UNKNOWN_COMPANY', `no company ${company}; there are ${[...directory.companies.keys()].join(', ')}`, {
      place: 'company',
    });
  return company;
}

export function checkChannel({ directory }: Opened, channel: string | undefined): string | undefined {
  if (channel !== undefined && !directory.channels.has(channel))
    fail('XD_UNKNOWN_CHANNEL', `no channel ${channel}; there are ${[...directory.channels.keys()].join(', ')}`, {
      place: 'channel',
    });
  return channel;
}

export function checkSystem({ directory }: Opened, system: string | undefined): string | undefined {
  if (system !== undefined && !directory.destinations.has(system))
    fail('XD_VALUE_INVALID', `no system ${system}; there are ${[...directory.destinations.keys()].join(', ')}`, {
      place: 'as',
    });
  return system;
}

export function readHeading(file: string, row: CsvRow, kind: Kind): Map<string, number> {
  const known = new Map([...kind.required, ...kind.optional].map((name) => [columnOf(name), name]));
  const columns = new Map<string, number>();
  row.fields.forEach((heading, i) => {
    const column = columnOf(heading);
    if (!known.has(column)) {
      const near = nearest(heading, known.values());
      fail(
        'XD_VALUE_INVALID',
        `${file}, line 1: unknown column ${JSON.stringify(heading.slice(0, 60))}${near === undefined ? '' : `; is it ${near}?`} Columns: ${[...known.values()].join(', ')}`,
        { place: 'line 1' },
      );
    }
    if (columns.has(column))
      fail('XD_VALUE_INVALID', `${file}, line 1: column ${heading} appears twice`, { place: 'line 1' });
    columns.set(column, i);
  });
  const missing = kind.required.filter((name) => !columns.has(columnOf(name)));
  if (missing.length > 0)
    fail(
      'XD_VALUE_INVALID',
      `${file}, line 1: missing column ${missing.join(', ')}; there are ${row.fields.join(', ').slice(0, 200)}`,
      { place: 'line 1' },
    );
  return columns;
}

export function readRow(kind: Kind, columns: ReadonlyMap<string, number>, { line, raw, fields }: CsvRow): ReadRow {
  try {
    return { line, raw, value: kind.read(new RowFields(columns, fields), line), fault: undefined };
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    return { line, raw, value: undefined, fault: { code: error.code, reason: error.message } };
  }
}

/** A row that can't be read still belongs to its order: the order must not be taken without it. */
export function groupOfRaw(kind: Kind, columns: ReadonlyMap<string, number>, { fields }: CsvRow): string | undefined {
  if (kind.groupOf === undefined) return undefined;
  const at = (name: string) => fields[columns.get(columnOf(name)) ?? -1]?.trim() ?? '';
  return at('order') === ''
    ? undefined
    : kind.groupOf({ channel: at('channel') || kind.channelOf?.() || '', number: at('order') });
}

async function writeUnits(kind: Kind, units: readonly ReadRow[][], state: LoadState, rejects: Rejects): Promise<void> {
  const good = units.filter((unit) => unit.every((row) => row.fault === undefined));
  const results = new Map<readonly ReadRow[], UnitResult>();
  for (const [i, result] of (await writeGood(kind, good)).entries()) results.set(good[i]!, result);
  for (const unit of units) {
    const result = results.get(unit);
    if (result === 'applied' || result === 'repeated') {
      state[result] += unit.length;
    } else {
      const first = unit.find((row) => row.fault !== undefined);
      for (const row of unit)
        rejects.add(
          row,
          row.fault ??
            result ?? {
              code: first!.fault!.code,
              reason: `line ${first!.line} of the same order is wrong: ${first!.fault!.reason}`,
            },
        );
      state.rejected += unit.length;
    }
    state.rows += unit.length;
  }
  state.rejectBytes = rejects.flush();
}

/** Faults of the database's connection are waited out; a unit that breaks its set is found by halving and rejected alone. */
async function writeGood(kind: Kind, units: readonly ReadRow[][], tries = 1): Promise<UnitResult[]> {
  if (units.length === 0) return [];
  try {
    return await kind.write(units);
  } catch (error) {
    if (
      isConnectionFault(error) ||
      isSerializationFault(error) ||
      (error instanceof CrossdockError && error.retry === 'later')
    ) {
      if (tries >= TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** tries));
      return writeGood(kind, units, tries + 1);
    }
    if (units.length === 1)
      return [
        {
          code: error instanceof CrossdockError ? error.code : 'XD_INTERNAL',
          reason: error instanceof Error ? error.message : String(error),
        },
      ];
    const half = units.length >> 1;
    return [...(await writeGood(kind, units.slice(0, half))), ...(await writeGood(kind, units.slice(half)))];
  }
}

/** Rejected rows as they stood in the file, each after its line, code and reason. */
class Rejects {
  readonly path: string;
  readonly #bytes: number;
  #text = '';
  #heading = '';

  constructor(path: string, state: LoadState) {
    this.path = path;
    // What an ended run wrote after its last state comes again.
    this.#bytes = existsSync(path) ? Math.min(state.rejectBytes, statSync(path).size) : 0;
    if (this.#bytes > 0) truncateSync(path, this.#bytes);
    else rmSync(path, { force: true });
  }

  begin(heading: string): void {
    this.#heading = `line,code,reason,${heading.trimEnd()}\n`;
  }

  add(row: ReadRow, { code, reason }: Reject): void {
    const quoted = `"${reason.replaceAll('"', '""').replaceAll(/[\r\n]+/g, ' ')}"`;
    // A field of a megabyte is not copied: its line is enough to find it.
    const raw = row.raw.trimEnd();
    this.#text += `${row.line},${code},${quoted},${raw.length > 10_000 ? '' : raw}\n`;
  }

  /** @returns the length of the file */
  flush(): number {
    if (this.#text !== '') {
      if (!existsSync(this.path)) {
        mkdirSync(dirname(this.path), { recursive: true });
        writeFileSync(this.path, this.#heading);
      }
      appendFileSync(this.path, this.#text);
      this.#text = '';
    }
    return existsSync(this.path) ? statSync(this.path).size : 0;
  }
}

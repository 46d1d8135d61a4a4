/** Outside ids and what they mean here, per system and for a time. Of one outside id no two entries hold at once. */
import { fail } from '../canonical/index.ts';
import { type Database, type Queryable, type Tx, texts } from '../store/index.ts';
import * as statements from './crosswalk.sql.ts';

export const crosswalkKinds = ['sku', 'account', 'location'] as const;
export type CrosswalkKind = (typeof crosswalkKinds)[number];

export interface CrosswalkRecord {
  system: string;
  kind: CrosswalkKind;
  outsideId: string;
  code: string;
  /** RFC 3339; null: it always did. */
  validFrom?: string | null;
  /** Not any more from this moment on; null: it has no end. */
  validTo?: string | null;
}
export interface CrosswalkEntry extends Required<CrosswalkRecord> {
  recordedAt: Date;
  recordedBy: string | null;
}

const CODE_CHARS_MAX = 200;

/** Adds entries, or changes those that begin at the same moment. @returns how many really changed */
export function putCrosswalk(
  db: Database,
  records: readonly CrosswalkRecord[],
  by: string,
): Promise<{ written: number }> {
  return db.transaction((tx) => writeCrosswalk(tx, records, by));
}

/**
 * As {@link putCrosswalk}, in the caller's transaction.
 * @throws XD_VALUE_INVALID, XD_UNKNOWN_…, or XD_REFUSED with `refused: 'overlap'`, naming the place `crosswalk[i]`; nothing may stay then
 */
export async function writeCrosswalk(
  tx: Tx,
  records: readonly CrosswalkRecord[],
  by: string,
): Promise<{ written: number }> {
  const seen = new Map<string, number>();
  records.forEach((record, i) => {
    checkRecord(record, i);
    const key = JSON.stringify(keyColumns([record]));
    const first = seen.get(key);
    if (first !== undefined) wrong(i, 'outsideId', `is named with the same beginning as crosswalk ${first}`);
    seen.set(key, i);
  });
  const all = records.map((record) => ({ ...record, code: codeOf(record) }));
  await checkCodes(tx, all);
  await tx.query(statements.lockCrosswalk);
  const [systems, kinds, ids, from] = keyColumns(all);
  const rows = await tx.query(statements.upsertEntries, [
    ...[systems, kinds, ids, texts(all.map(({ code }) => code)), from],
    texts(all.map(({ validTo }) => validTo ?? null)),
    by,
  ]);
  const [overlap] = await tx.query(statements.findOverlaps, [systems, kinds, ids, from]);
  if (overlap !== undefined) {
    const { system, kind, outsideId } = all[overlap.at]!;
    fail(
      'XD_REFUSED',
      `crosswalk[${overlap.at}].outsideId: ${kind} ${shown(outsideId)} of ${system} means ${overlap.our_code} from ${overlap.valid_from ?? 'ever'} to ${overlap.valid_to ?? 'ever'}: end that first`,
      { place: `crosswalk[${overlap.at}].outsideId`, refused: 'overlap' },
    );
  }
  return { written: rows.length };
}

/** Ends the entry that holds at that moment (now). @throws XD_NOT_FOUND when none does */
export async function endCrosswalk(
  db: Database,
  named: { system: string; kind: CrosswalkKind; outsideId: string; at?: string | undefined },
  by: string,
): Promise<{ code: string }> {
  const { system, kind, outsideId, at = null } = named;
  const [row] = await db.query(statements.endEntry, [system, kind, outsideId, at, by]);
  if (row === undefined)
    fail(
      'XD_NOT_FOUND',
      `no entry of ${kind} ${shown(outsideId)} of ${system} holds ${at === null ? 'now' : `at ${at}`}`,
    );
  return { code: row.our_code };
}

export async function listCrosswalk(
  db: Queryable,
  {
    system = null,
    kind = null,
    outsideId = null,
    code = null,
    at = null,
    after = null,
    limit = 100,
  }: {
    system?: string | null;
    kind?: string | null;
    outsideId?: string | null;
    code?: string | null;
    /** Only those that hold then. */
    at?: string | null;
    after?: Pick<CrosswalkRecord, 'system' | 'kind' | 'outsideId' | 'validFrom'> | null;
    limit?: number;
  } = {},
): Promise<CrosswalkEntry[]> {
  const from = [after?.system ?? null, after?.kind ?? null, after?.outsideId ?? null, after?.validFrom ?? null];
  return (await db.query(statements.listEntries, [system, kind, outsideId, code, at, ...from, limit])).map(entryOf);
}

export function entryOf(row: statements.EntryRow): CrosswalkEntry {
  return {
    ...{ system: row.system, kind: row.kind, outsideId: row.outside_id, code: row.our_code },
    ...{ validFrom: row.valid_from, validTo: row.valid_to, recordedAt: row.recorded_at, recordedBy: row.recorded_by },
  };
}

export function keyColumns(
  records: readonly Pick<CrosswalkRecord, 'system' | 'kind' | 'outsideId' | 'validFrom'>[],
): [string, string, string, string] {
  return [
    texts(records.map(({ system }) => system)),
    texts(records.map(({ kind }) => kind)),
    texts(records.map(({ outsideId }) => outsideId)),
    texts(records.map(({ validFrom }) => validFrom ?? null)),
  ];
}

function checkRecord({ system, kind, outsideId, code, validFrom, validTo }: CrosswalkRecord, i: number): void {
  if (!crosswalkKinds.includes(kind)) wrong(i, 'kind', `must be one of ${crosswalkKinds.join(', ')}`);
  if (system === 'api') wrong(i, 'system', 'is the API, whose callers use our codes');
  for (const [name, text] of Object.entries({ system, outsideId, code }))
    if (text.length === 0 || text.length > CODE_CHARS_MAX)
      wrong(i, name, `must have 1 to ${CODE_CHARS_MAX} characters`);
  for (const [name, time] of Object.entries({ validFrom, validTo }))
    if (typeof time === 'string' && Number.isNaN(Date.parse(time)))
      wrong(i, name, `must be a time, not ${shown(time)}`);
  if (typeof validFrom === 'string' && typeof validTo === 'string' && Date.parse(validFrom) >= Date.parse(validTo))
    wrong(i, 'validTo', `must be after validFrom, ${validFrom}`);
}

/** An entry that leads nowhere would set aside all that it was meant to help. */
async function checkCodes(tx: Tx, records: readonly CrosswalkRecord[]): Promise<void> {
  const of = (kind: CrosswalkKind) =>
    texts([...new Set(records.filter((record) => record.kind === kind).map((record) => record.code))]);
  const rows = await tx.query(statements.findKnownCodes, [of('sku'), of('account'), of('location')]);
  const known = new Set(rows.map(({ kind, code }) => `${kind} ${code}`));
  records.forEach(({ kind, code }, i) => {
    if (known.has(`${kind} ${code}`)) return;
    const place = `crosswalk[${i}].code`;
    if (kind === 'sku') fail('XD_UNKNOWN_SKU', `${place}: no SKU ${shown(code)}`, { place });
    if (kind === 'account') fail('XD_UNKNOWN_ACCOUNT', `${place}: no account ${shown(code)}`, { place });
    fail('XD_UNKNOWN_LOCATION', `${place}: no location ${shown(code)}`, { place });
  });
}

function codeOf({ kind, code }: CrosswalkRecord): string {
  return kind === 'sku' ? code.toUpperCase() : code;
}

function wrong(i: number, field: string, what: string): never {
  fail('XD_VALUE_INVALID', `crosswalk[${i}].${field} ${what}`, { place: `crosswalk[${i}].${field}` });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

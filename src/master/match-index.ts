/** What accounts are found by when a record arrives that may be one of them. Made when it is asked for, of what has changed since. */
import { numbers, type Tx, texts } from '../store/index.ts';
import { type MatchRecord, matchFields, matchKeysOf, normalised } from './match-rules.ts';
import * as statements from './matches.sql.ts';

const SUBJECTS_PER_ROUND = 2_000;
/** More than a person would look at; those with most in common. */
const FOUND_MAX = 200;

export interface Identified {
  companyId: number;
  account: string;
  system: string;
  record: MatchRecord;
}

/** Keeps what systems say of accounts beside their names. The accounts are there. */
export async function writeIdentities(tx: Tx, all: readonly Identified[]): Promise<void> {
  const rows = new Map<string, { companyId: number; account: string; kind: string; system: string; value: string }>();
  for (const { companyId, account, system, record } of all)
    for (const kind of matchFields) {
      const value = record[kind];
      if (kind !== 'name' && value !== undefined && value.trim() !== '')
        rows.set(`${companyId}/${kind}/${system}/${account}`, { companyId, account, kind, system, value });
    }
  if (rows.size === 0) return;
  const list = [...rows.values()];
  const changed = await tx.query(statements.writeIdentities, [
    numbers(list.map((row) => row.companyId)),
    texts(list.map((row) => row.account)),
    texts(list.map((row) => row.kind)),
    texts(list.map((row) => row.system)),
    texts(list.map((row) => row.value)),
  ]);
  if (changed.length > 0) tx.write(statements.forgetKeys, [numbers(changed.map((row) => row.account_id))]);
}

export async function refreshKeys(tx: Tx, companyId: number): Promise<void> {
  for (;;) {
    const rows = await tx.query(statements.findUnseen, [companyId, SUBJECTS_PER_ROUND]);
    if (rows.length === 0) return;
    const ids = numbers(rows.map((row) => row.account_id));
    const keys = rows.flatMap((row) => keysOf(row).map((key) => ({ key, subjectId: row.account_id })));
    await tx.query(statements.removeKeys, [ids]);
    await tx.query(statements.insertKeys, [
      companyId,
      texts(keys.map(({ key }) => key)),
      numbers(keys.map(({ subjectId }) => subjectId)),
    ]);
    await tx.query(statements.rememberSeen, [ids, texts(rows.map((row) => row.updated_at))]);
    if (rows.length < SUBJECTS_PER_ROUND) return;
  }
}

function keysOf(row: statements.SubjectRow): string[] {
  const values = row.identities ?? [];
  const records: MatchRecord[] = [{ name: row.name }, ...values.map(({ kind, value }) => ({ [kind]: value }))];
  return [...new Set(records.flatMap(matchKeysOf))];
}

/** Of accounts that systems know by several values the one that is asked for counts. */
export async function findCandidates(
  tx: Tx,
  asked: { system: string; companyId: number; outsideId: string; record: MatchRecord },
): Promise<{ code: string; record: MatchRecord }[]> {
  const keys = matchKeysOf(asked.record);
  if (keys.length === 0) return [];
  const rows = await tx.query(statements.findCandidates, [
    asked.companyId,
    texts(keys),
    asked.system,
    asked.outsideId,
    FOUND_MAX,
  ]);
  return rows.map((row) => {
    const record: MatchRecord = { name: row.name };
    for (const { kind, value } of row.identities ?? [])
      if (record[kind] === undefined || normalised(kind, value) === normalised(kind, asked.record[kind]))
        record[kind] = value;
    return { code: row.code, record };
  });
}

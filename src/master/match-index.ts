/** What records are found by when one arrives that may be one of them. Made when it is asked for, of what has changed since. */
import { numbers, type Tx, texts } from '../store/index.ts';
import { type MatchKind, type MatchRecord, matchFields, matchKeysOf, normalised } from './match-rules.ts';
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
    for (const kind of matchFields.account) {
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

/** How records of a kind are read; those of products have no company (0). */
const kinds = {
  account: {
    called: 'name',
    unseen: statements.findUnseenAccounts,
    these: statements.findAccountsToSee,
    candidates: statements.findAccountCandidates,
  },
  product: {
    called: 'description',
    unseen: statements.findUnseenProducts,
    these: statements.findProductsToSee,
    candidates: statements.findProductCandidates,
  },
} as const;

export async function refreshKeys(tx: Tx, kind: MatchKind, companyId: number): Promise<void> {
  for (;;) {
    const rows = await tx.query(kinds[kind].unseen, [companyId, SUBJECTS_PER_ROUND]);
    await writeKeys(tx, kind, companyId, rows);
    if (rows.length < SUBJECTS_PER_ROUND) return;
  }
}

/** Of one that was just added. */
export async function makeKeys(tx: Tx, kind: MatchKind, companyId: number, code: string): Promise<void> {
  await writeKeys(tx, kind, companyId, await tx.query(kinds[kind].these, [companyId, texts([code])]));
}

async function writeKeys(
  tx: Tx,
  kind: MatchKind,
  companyId: number,
  rows: readonly statements.SubjectRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = numbers(rows.map((row) => row.subject_id));
  const keys = rows.flatMap((row) => keysOf(kind, row).map((key) => ({ key, subjectId: row.subject_id })));
  await tx.query(statements.removeKeys, [kind, ids]);
  await tx.query(statements.insertKeys, [
    ...[kind, companyId],
    texts(keys.map(({ key }) => key)),
    numbers(keys.map(({ subjectId }) => subjectId)),
  ]);
  await tx.query(statements.rememberSeen, [kind, ids, texts(rows.map((row) => row.updated_at))]);
}

function keysOf(kind: MatchKind, row: statements.SubjectRow): string[] {
  const values = row.identities ?? [];
  const records: MatchRecord[] = [
    { [kinds[kind].called]: row.name },
    ...values.map(({ kind: field, value }) => ({ [field]: value })),
  ];
  return [...new Set(records.flatMap(matchKeysOf))];
}

/** Of accounts that systems know by several values the one that is asked for counts. */
export async function findCandidates(
  tx: Tx,
  asked: { kind: MatchKind; system: string; companyId: number; outsideId: string; record: MatchRecord },
): Promise<{ code: string; record: MatchRecord }[]> {
  const keys = matchKeysOf(asked.record);
  if (keys.length === 0) return [];
  const { called, candidates } = kinds[asked.kind];
  const rows = await tx.query(candidates, [
    asked.companyId,
    texts(keys),
    asked.system,
    asked.outsideId,
    FOUND_MAX,
    asked.kind,
  ]);
  return rows.map((row) => {
    const record: MatchRecord = { [called]: row.name };
    for (const { kind, value } of row.identities ?? [])
      if (record[kind] === undefined || normalised(kind, value) === normalised(kind, asked.record[kind]))
        record[kind] = value;
    return { code: row.code, record };
  });
}

/**
 * Accounts that arrive from systems with codes of their own: which of ours they are. A rule decides, or a person; until then the record
 * and what refers to it wait. What is decided is a crosswalk entry, so all that waited runs by it.
 */
import { CrossdockError, fail } from '../canonical/index.ts';
import { type Database, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { writeAccounts } from './accounts.ts';
import type { Directory } from './directory.ts';
import { findCandidates, refreshKeys, writeIdentities } from './match-index.ts';
import { decideMatch, type MatchRecord, type MatchRule, type Scored } from './match-rules.ts';
import * as statements from './matches.sql.ts';
import { mayCreate, readOwnerRules } from './owners.ts';
import { addMerged } from './records.sql.ts';

export interface ArrivedAccount {
  system: string;
  companyId: number;
  outsideId: string;
  record: MatchRecord;
}
/** What it is here, or under which number a person is asked. */
export type Matched = { code: string } | { matchId: number };

const BY_RULE = 'rule';

/** Those of accounts; none: nothing is matched. */
export function matchRules(directory: Directory): readonly MatchRule[] {
  return directory.rules.matching?.account?.rules ?? [];
}

/** Decides each of them by the rules, one after another: the next may be the same as the one before. */
export async function matchAccounts(
  tx: Tx,
  directory: Directory,
  rules: readonly MatchRule[],
  arrived: readonly ArrivedAccount[],
): Promise<Matched[]> {
  await tx.query(statements.lockMatching);
  for (const companyId of new Set(arrived.map((one) => one.companyId))) await refreshKeys(tx, companyId);
  const matched: Matched[] = [];
  for (const one of arrived) {
    const [mapped] = await tx.query(statements.findMapped, [one.system, one.outsideId]);
    matched.push(mapped === undefined ? await matchOne(tx, directory, rules, one) : { code: mapped.our_code });
  }
  return matched;
}

async function matchOne(
  tx: Tx,
  directory: Directory,
  rules: readonly MatchRule[],
  one: ArrivedAccount,
): Promise<Matched> {
  const { system, companyId, outsideId, record } = one;
  const verdict = decideMatch(rules, record, await findCandidates(tx, one));
  // Where another system decides which accounts there are, a person says whose this is.
  if (verdict.verdict === 'new' && mayCreate(await readOwnerRules(tx), 'account', system)) {
    const code = await addOwn(tx, directory, one);
    await tx.query(statements.mapAccount, [system, outsideId, code, BY_RULE]);
    return { code };
  }
  const [{ match_id: matchId }] = (await tx.query(statements.openCase, [
    system,
    companyId,
    outsideId,
    JSON.stringify(record),
  ])) as [{ match_id: number }];
  const found = verdict.verdict === 'same' ? [verdict.match] : verdict.verdict === 'unsure' ? verdict.matches : [];
  await writeCandidates(tx, matchId, found);
  if (verdict.verdict !== 'same') return { matchId };
  const { code } = verdict.match.candidate;
  await tx.query(statements.decideCase, [matchId, 'merged', code, BY_RULE, `${verdict.match.rule}`]);
  await tx.query(statements.mapAccount, [system, outsideId, code, BY_RULE]);
  return { code };
}

async function writeCandidates(
  tx: Tx,
  matchId: number,
  found: readonly Scored<{ code: string; record: MatchRecord }>[],
): Promise<void> {
  await tx.query(statements.removeCandidates, [matchId]);
  await tx.query(statements.insertCandidates, [
    matchId,
    texts(found.map(({ candidate }) => candidate.code)),
    texts(found.map(({ rule }) => rule)),
    numbers(found.map(({ score }) => Math.round(score * 10_000) / 10_000)),
    texts(found.map(({ candidate }) => JSON.stringify(candidate.record))),
  ]);
}

/** An account of its own: under its own code where that is free, else with its system's in front. Others find it from now on. */
async function addOwn(tx: Tx, directory: Directory, one: ArrivedAccount): Promise<string> {
  const { system, companyId, outsideId, record } = one;
  const names = [
    outsideId,
    ...Array.from({ length: 9 }, (_, i) => `${system}-${outsideId}${i === 0 ? '' : `-${i + 1}`}`),
  ];
  const taken = new Set((await tx.query(statements.findTakenCodes, [companyId, texts(names)])).map((row) => row.code));
  const code = names.find((name) => !taken.has(name));
  if (code === undefined) fail('XD_REFUSED', `every code for account ${outsideId} of ${system} is taken`);
  const { currency } = directory.companyById.get(companyId)!;
  await tx.query(addMerged, [numbers([companyId]), texts([code]), texts([currency])]);
  await writeIdentities(tx, [{ companyId, account: code, system, record }]);
  if (record.name !== undefined) {
    const company = directory.companyById.get(companyId)!.code;
    // As its system said it, and before whatever it says of it later; what another system owns stays as it is.
    const told = { account: code, company, name: record.name, system, changedAt: '1970-01-01T00:00:00Z' };
    await writeAccounts(tx, directory, [told]);
  }
  await refreshKeys(tx, companyId);
  return code;
}

export interface MatchCase {
  matchId: number;
  kind: 'account';
  system: string;
  company: string;
  outsideId: string;
  record: MatchRecord;
  state: statements.CaseRow['state'];
  code: string | null;
  decidedBy: string | null;
  reason: string | null;
  recordedAt: Date;
  decidedAt: Date | null;
  candidates: { code: string; rule: string; score: string; record: MatchRecord }[];
}

export async function listMatches(
  db: Queryable,
  directory: Directory,
  {
    state = null,
    system = null,
    before = null,
    limit = 100,
  }: { state?: string | null; system?: string | null; before?: number | null; limit?: number } = {},
): Promise<MatchCase[]> {
  return casesOf(db, directory, await db.query(statements.listCases, [state, system, before, limit]));
}

/** @throws XD_NOT_FOUND */
export async function getMatch(db: Queryable, directory: Directory, matchId: number): Promise<MatchCase> {
  const rows = await db.query(statements.findCase, [matchId]);
  if (rows.length === 0) fail('XD_NOT_FOUND', `there is no match ${matchId}`, { place: 'id' });
  return (await casesOf(db, directory, rows))[0]!;
}

export interface MatchDecision {
  by: string;
  reason?: string | undefined;
  /** Which candidate; needed where there are several. */
  code?: string | undefined;
}

/** They are the same: what its system calls it means this account. The same again does nothing. */
export function mergeMatch(
  db: Database,
  directory: Directory,
  matchId: number,
  { by, reason, code }: MatchDecision,
): Promise<MatchCase> {
  return decide(db, directory, matchId, async (tx, one) => {
    const codes = one.candidates.map((candidate) => candidate.code);
    const chosen = code ?? (codes.length === 1 ? codes[0]! : undefined);
    if (one.state === 'merged' && (chosen === undefined || chosen === one.code)) return;
    if (one.state !== 'open') notOpen(one);
    if (chosen === undefined || !codes.includes(chosen))
      fail('XD_VALUE_INVALID', `match ${matchId} has the candidates ${codes.join(', ')}: name one of them`, {
        place: 'code',
      });
    await tx.query(statements.mapAccount, [one.system, one.outsideId, chosen, by]);
    await tx.query(statements.decideCase, [matchId, 'merged', chosen, by, reason ?? null]);
  });
}

/** It is none of them, and they are never proposed for it again: it is an account of its own. */
export function apartMatch(
  db: Database,
  directory: Directory,
  matchId: number,
  { by, reason }: MatchDecision,
): Promise<MatchCase> {
  return decide(db, directory, matchId, async (tx, one, arrived) => {
    if (one.state === 'apart') return;
    if (one.state !== 'open') notOpen(one);
    const codes = texts(one.candidates.map((candidate) => candidate.code));
    await tx.query(statements.keepApart, [one.system, arrived.companyId, one.outsideId, codes]);
    const code = await addOwn(tx, directory, arrived);
    await tx.query(statements.mapAccount, [one.system, one.outsideId, code, by]);
    await tx.query(statements.decideCase, [matchId, 'apart', code, by, reason ?? null]);
  });
}

/**
 * Takes a merge back, a rule's as well: from now on what its system calls it is an account of its own. What happened before stays where
 * it is, also what of that arrives later.
 */
export function undoMatch(
  db: Database,
  directory: Directory,
  matchId: number,
  { by, reason }: MatchDecision,
): Promise<MatchCase> {
  return decide(db, directory, matchId, async (tx, one, arrived) => {
    if (one.state === 'undone') return;
    if (one.state !== 'merged')
      fail('XD_REFUSED', `match ${matchId} is ${one.state}: only a merge is undone`, { state: one.state });
    const ended = await tx.query(statements.endMapping, [one.system, one.outsideId, one.code, by]);
    if (ended.length === 0)
      fail('XD_REFUSED', `${one.outsideId} of ${one.system} does not mean ${one.code} any more: see the crosswalk`);
    await tx.query(statements.keepApart, [one.system, arrived.companyId, one.outsideId, texts([one.code])]);
    const code = await addOwn(tx, directory, arrived);
    await tx.query(statements.mapAccount, [one.system, one.outsideId, code, by]);
    await tx.query(statements.decideCase, [matchId, 'undone', code, by, reason ?? null]);
  });
}

function decide(
  db: Database,
  directory: Directory,
  matchId: number,
  work: (tx: Tx, one: MatchCase, arrived: ArrivedAccount) => Promise<void>,
): Promise<MatchCase> {
  return db.transaction(async (tx) => {
    await tx.query(statements.lockMatching);
    const one = await getMatch(tx, directory, matchId);
    const { companyId } = directory.companies.get(one.company)!;
    const { system, outsideId, record } = one;
    await work(tx, one, { system, companyId, outsideId, record });
    return getMatch(tx, directory, matchId);
  });
}

function notOpen({ matchId, state, code }: MatchCase): never {
  throw new CrossdockError('XD_REFUSED', `match ${matchId} is ${state}${code === null ? '' : ` (${code})`} already`, {
    state,
  });
}

async function casesOf(db: Queryable, directory: Directory, rows: readonly statements.CaseRow[]): Promise<MatchCase[]> {
  const found = await db.query(statements.listCandidates, [numbers(rows.map((row) => row.match_id))]);
  const byCase = Map.groupBy(found, (row) => row.match_id);
  return rows.map((row) => ({
    ...{ matchId: row.match_id, kind: 'account', system: row.system, outsideId: row.outside_id, record: row.record },
    company: directory.companyById.get(row.company_id)!.code,
    ...{ state: row.state, code: row.our_code, decidedBy: row.decided_by, reason: row.reason },
    ...{ recordedAt: row.recorded_at, decidedAt: row.decided_at },
    candidates: (byCase.get(row.match_id) ?? []).map(({ our_code: code, rule, score, record }) => ({
      ...{ code, rule, score, record },
    })),
  }));
}

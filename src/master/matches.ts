/**
 * Accounts and products that arrive from systems with codes of their own: which of ours they are. A rule decides, or a person; until then the record
 * and what refers to it wait. What is decided is a crosswalk entry, so all that waited runs by it.
 */
import { CrossdockError, fail } from '../canonical/index.ts';
import { type Database, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import { findCandidates, makeKeys, refreshKeys } from './match-index.ts';
import { type ArrivedRecord, matchedKinds } from './match-kinds.ts';
import { decideMatch, type MatchKind, type MatchRecord, type MatchRule, type Scored } from './match-rules.ts';
import * as statements from './matches.sql.ts';
import { mayCreate, readOwnerRules } from './owners.ts';
import { whyNotMerged, whyNotUndone } from './product-merges.ts';

/** What it is here, or under which number a person is asked. */
export type Matched = { code: string } | { matchId: number };

const BY_RULE = 'rule';

/** Those of a kind; none: nothing is matched. */
export function matchRules(directory: Directory, kind: MatchKind): readonly MatchRule[] {
  return directory.rules.matching?.[kind]?.rules ?? [];
}

/** Decides each of them by the rules, one after another: the next may be the same as the one before. */
export async function matchRecords(
  tx: Tx,
  directory: Directory,
  kind: MatchKind,
  rules: readonly MatchRule[],
  arrived: readonly Omit<ArrivedRecord, 'kind'>[],
): Promise<Matched[]> {
  await tx.query(statements.lockMatching);
  for (const companyId of new Set(arrived.map((one) => one.companyId))) await refreshKeys(tx, kind, companyId);
  const { crosswalk } = matchedKinds[kind];
  const matched: Matched[] = [];
  for (const one of arrived) {
    const [mapped] = await tx.query(statements.findMapped, [one.system, one.outsideId, crosswalk]);
    matched.push(
      mapped === undefined ? await matchOne(tx, directory, rules, { ...one, kind }) : { code: mapped.our_code },
    );
  }
  return matched;
}

async function matchOne(
  tx: Tx,
  directory: Directory,
  rules: readonly MatchRule[],
  one: ArrivedRecord,
): Promise<Matched> {
  const { kind, system, companyId, outsideId, record } = one;
  const verdict = decideMatch(rules, record, await findCandidates(tx, one));
  // Where another system decides which there are, a person says which this is.
  if (verdict.verdict === 'new' && mayCreate(await readOwnerRules(tx), kind, system)) {
    const code = await addOwn(tx, directory, one);
    await map(tx, one, code, BY_RULE);
    return { code };
  }
  const [{ match_id: matchId }] = (await tx.query(statements.openCase, [
    ...[system, companyId, outsideId],
    ...[JSON.stringify(record), kind],
  ])) as [{ match_id: number }];
  const found = verdict.verdict === 'same' ? [verdict.match] : verdict.verdict === 'unsure' ? verdict.matches : [];
  await writeCandidates(tx, matchId, found);
  if (verdict.verdict !== 'same') return { matchId };
  const { code } = verdict.match.candidate;
  // However sure the rule is: what hangs on what it was until now is a person's matter.
  if (kind === 'product' && (await whyNotMerged(tx, one, code)) !== undefined) return { matchId };
  await tx.query(statements.decideCase, [matchId, 'merged', code, BY_RULE, `${verdict.match.rule}`]);
  await map(tx, one, code, BY_RULE);
  return { code };
}

async function map(tx: Tx, { kind, system, outsideId }: ArrivedRecord, code: string, by: string): Promise<void> {
  await tx.query(statements.mapCode, [system, outsideId, code, by, matchedKinds[kind].crosswalk]);
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

/** One of its own: under its own code where that is free, else with its system's in front. Others find it from now on. */
async function addOwn(tx: Tx, directory: Directory, one: ArrivedRecord): Promise<string> {
  const { kind, system, companyId, outsideId } = one;
  const { taken, codeOf, add } = matchedKinds[kind];
  const names = [
    outsideId,
    ...Array.from({ length: 9 }, (_, i) => `${system}-${outsideId}${i === 0 ? '' : `-${i + 1}`}`),
  ].map(codeOf);
  const found = new Set((await tx.query(taken, [companyId, texts(names)])).map((row) => row.code));
  const code = names.find((name) => !found.has(name));
  if (code === undefined) fail('XD_REFUSED', `every code for ${kind} ${outsideId} of ${system} is taken`);
  await add(tx, directory, code, one);
  await makeKeys(tx, kind, companyId, code);
  return code;
}

export interface MatchCase {
  matchId: number;
  kind: MatchKind;
  system: string;
  /** Of products none: they are all companies'. */
  company: string | null;
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
    kind = null,
    before = null,
    limit = 100,
  }: {
    state?: string | null;
    system?: string | null;
    kind?: MatchKind | null;
    before?: number | null;
    limit?: number;
  } = {},
): Promise<MatchCase[]> {
  return casesOf(db, directory, await db.query(statements.listCases, [state, system, before, limit, kind]));
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

/** They are the same: what its system calls it means this one. The same again does nothing. */
export function mergeMatch(
  db: Database,
  directory: Directory,
  matchId: number,
  { by, reason, code }: MatchDecision,
): Promise<MatchCase> {
  return decide(db, directory, matchId, async (tx, one, arrived) => {
    const codes = one.candidates.map((candidate) => candidate.code);
    const chosen = code ?? (codes.length === 1 ? codes[0]! : undefined);
    if (one.state === 'merged' && (chosen === undefined || chosen === one.code)) return;
    if (one.state !== 'open') notOpen(one);
    if (chosen === undefined || !codes.includes(chosen))
      fail('XD_VALUE_INVALID', `match ${matchId} has the candidates ${codes.join(', ')}: name one of them`, {
        place: 'code',
      });
    refuseIf(one.kind === 'product' ? await whyNotMerged(tx, one, chosen) : undefined, matchId);
    await map(tx, arrived, chosen, by);
    await tx.query(statements.decideCase, [matchId, 'merged', chosen, by, reason ?? null]);
  });
}

/** It is none of them, and they are never proposed for it again: it is one of its own. */
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
    await tx.query(statements.keepApart, [one.system, arrived.companyId, one.outsideId, codes, one.kind]);
    const code = await addOwn(tx, directory, arrived);
    await map(tx, arrived, code, by);
    await tx.query(statements.decideCase, [matchId, 'apart', code, by, reason ?? null]);
  });
}

/**
 * Takes a merge back, a rule's as well: from now on what its system calls it is one of its own. What happened before stays where
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
    if (one.kind === 'product')
      refuseIf(await whyNotUndone(tx, { system: one.system, code: one.code!, since: one.decidedAt! }), matchId);
    const { crosswalk } = matchedKinds[one.kind];
    const ended = await tx.query(statements.endMapping, [one.system, one.outsideId, one.code, by, crosswalk]);
    if (ended.length === 0)
      fail('XD_REFUSED', `${one.outsideId} of ${one.system} does not mean ${one.code} any more: see the crosswalk`);
    await tx.query(statements.keepApart, [one.system, arrived.companyId, one.outsideId, texts([one.code]), one.kind]);
    const code = await addOwn(tx, directory, arrived);
    await map(tx, arrived, code, by);
    await tx.query(statements.decideCase, [matchId, 'undone', code, by, reason ?? null]);
  });
}

function decide(
  db: Database,
  directory: Directory,
  matchId: number,
  work: (tx: Tx, one: MatchCase, arrived: ArrivedRecord) => Promise<void>,
): Promise<MatchCase> {
  return db.transaction(async (tx) => {
    await tx.query(statements.lockMatching);
    const one = await getMatch(tx, directory, matchId);
    const companyId = one.company === null ? 0 : directory.companies.get(one.company)!.companyId;
    const { kind, system, outsideId, record } = one;
    await work(tx, one, { kind, system, companyId, outsideId, record });
    return getMatch(tx, directory, matchId);
  });
}

function refuseIf(why: string | undefined, matchId: number): void {
  if (why !== undefined) fail('XD_REFUSED', `match ${matchId}: ${why}`, { matchId });
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
    ...{ matchId: row.match_id, kind: row.kind, system: row.system, outsideId: row.outside_id, record: row.record },
    company: directory.companyById.get(row.company_id)?.code ?? null,
    ...{ state: row.state, code: row.our_code, decidedBy: row.decided_by, reason: row.reason },
    ...{ recordedAt: row.recorded_at, decidedAt: row.decided_at },
    candidates: (byCase.get(row.match_id) ?? []).map(({ our_code: code, rule, score, record }) => ({
      ...{ code, rule, score, record },
    })),
  }));
}

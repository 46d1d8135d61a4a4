import {
  apartMatch,
  getMatch,
  listMatches,
  type MatchCase,
  type MatchField,
  type MatchKind,
  matchFields,
  mergeMatch,
  undoMatch,
} from '../../master/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export function list(
  { db, directory }: Opened,
  { state = 'open', system, kind, limit = 100 }: { state?: string; system?: string; kind?: MatchKind; limit?: number },
): Promise<MatchCase[]> {
  return listMatches(db, directory, {
    ...{ state: state === 'all' ? null : state, system: system ?? null },
    ...{ kind: kind ?? null, limit },
  });
}

export function listed(found: readonly MatchCase[]): string {
  if (found.length === 0) return 'none';
  return table(
    ['id', 'kind', 'system', 'code', 'called', 'state', 'candidates', 'since'],
    found.map((one) => [
      ...[one.matchId, one.kind, one.system, one.outsideId],
      ...[one.record.name ?? one.record.description ?? '', one.state],
      ...[one.candidates.map(({ code, score }) => `${code} (${score})`).join(', '), one.recordedAt.toISOString()],
    ]),
  );
}

export function show({ db, directory }: Opened, matchId: number): Promise<MatchCase> {
  return getMatch(db, directory, matchId);
}

/** A column a candidate, a line a field. */
export function shown(one: MatchCase): string {
  const { candidates, record } = one;
  const fields = matchFields[one.kind].filter((field: MatchField) =>
    [record, ...candidates.map((c) => c.record)].some((r) => r[field]),
  );
  const decided = one.decidedBy === null ? '' : ` by ${one.decidedBy}${one.reason === null ? '' : `: ${one.reason}`}`;
  return [
    `match ${one.matchId}: ${one.kind} ${one.outsideId} of ${one.system}${one.company === null ? '' : ` (${one.company})`}, ${one.state}${decided}`,
    ...(one.code === null ? [] : [`here it is ${one.code}`]),
    table(
      ['', `${one.system} ${one.outsideId}`, ...candidates.map(({ code }) => code)],
      [
        ...fields.map((field: MatchField) => [
          field,
          record[field] ?? '',
          ...candidates.map((c) => c.record[field] ?? ''),
        ]),
        ['score', '', ...candidates.map(({ score }) => score)],
        ['rule', '', ...candidates.map(({ rule }) => rule)],
      ],
    ),
    ...(one.state === 'open'
      ? [`next: crossdock matches merge ${one.matchId} --code CODE, or crossdock matches apart ${one.matchId}`]
      : []),
  ].join('\n');
}

export function decide(
  { db, directory }: Opened,
  what: 'merge' | 'apart' | 'undo',
  matchId: number,
  { code, reason }: { code?: string; reason?: string },
): Promise<MatchCase> {
  const work = { merge: mergeMatch, apart: apartMatch, undo: undoMatch }[what];
  return work(db, directory, matchId, { by: whoAmI(), code, reason });
}

/** Runs every check against one connector and reports. */
import { fail } from '../../../canonical/index.ts';
import { declaredWith } from '../declare.ts';
import type { ConnectorFactory } from '../types.ts';
import { type Check, CheckFailed, type Level, NotApplicable } from './check.ts';
import { accessChecks } from './checks/access.ts';
import { changeChecks } from './checks/changes.ts';
import { creditChecks } from './checks/credit.ts';
import { databaseChecks } from './checks/database.ts';
import { declarationChecks } from './checks/declaration.ts';
import { feedChecks } from './checks/feeds.ts';
import { fileChecks } from './checks/files.ts';
import { lookupChecks } from './checks/lookups.ts';
import { readFaultChecks } from './checks/read-faults.ts';
import { recordChecks } from './checks/records.ts';
import { sessionChecks } from './checks/sessions.ts';
import { signInChecks } from './checks/sign-in.ts';
import { stepChecks } from './checks/steps.ts';
import { unitChecks } from './checks/units.ts';
import { webhookChecks } from './checks/webhooks.ts';
import { writeFaultChecks } from './checks/write-faults.ts';
import { writeChecks } from './checks/writes.ts';
import type { SystemDescription } from './describe.ts';
import { type Bench, NOWHERE, settingsOf } from './stage.ts';

/** The adversarial ones first; what was said is judged when all has been said. */
export const checks: readonly Check[] = [
  ...writeFaultChecks,
  ...writeChecks,
  ...unitChecks,
  ...stepChecks,
  ...changeChecks,
  ...creditChecks,
  ...lookupChecks,
  ...signInChecks,
  ...readFaultChecks,
  ...sessionChecks,
  ...feedChecks,
  ...fileChecks,
  ...databaseChecks,
  ...recordChecks,
  ...webhookChecks,
  ...declarationChecks,
  ...accessChecks.filter(({ id }) => id !== 'secret.said'),
  ...accessChecks.filter(({ id }) => id === 'secret.said'),
];

export interface CheckResult {
  id: string;
  level: Level;
  what: string;
  result: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  detail: string | null;
  ms: number;
}

export interface ConformanceReport {
  connector: string;
  passed: number;
  failed: number;
  skipped: number;
  checks: CheckResult[];
}

export interface ConformanceOptions {
  name?: string;
  /** Only checks whose id begins so. */
  only?: readonly string[];
  /** A PostgreSQL where schemas and roles may be made, for descriptions that stand in one. */
  database?: string;
  onResult?(result: CheckResult): void;
}

const CHECK_MS_MAX = 120_000;

export async function testConnector(
  factory: ConnectorFactory,
  description: SystemDescription,
  { name = factory.declaration?.name ?? 'connector', only, database = '', onResult }: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const { declaration: own } = factory;
  const declaration = own && declaredWith(own, settingsOf(description, NOWHERE));
  if (description.standsIn === 'database' && database === '')
    fail('XD_SETUP_FAILED', `${name} is tested against a database: give one where schemas and roles may be made`);
  const bench: Bench = { name, factory, declaration, description, database, said: [] };
  const wanted = checks.filter(({ id }) => only === undefined || only.some((start) => id.startsWith(start)));
  const unknown = Object.keys(description.skip ?? {}).filter((id) => !checks.some((check) => check.id === id));
  const results: CheckResult[] = [];
  const unlisten = listenToOutput(bench.said);
  try {
    for (const check of wanted) {
      const result = await resultOf(check, bench);
      results.push(result);
      onResult?.(result);
    }
  } finally {
    unlisten();
  }
  if (unknown.length > 0)
    results.push({
      id: 'description.skip',
      level: 'contract',
      what: 'what the description leaves out exists',
      result: 'failed',
      detail: `no check is called ${unknown.join(', ')}`,
      ms: 0,
    });
  const count = (wantedResult: CheckResult['result']) => results.filter(({ result }) => result === wantedResult).length;
  return {
    connector: name,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    checks: results,
  };
}

async function resultOf(check: Check, bench: Bench): Promise<CheckResult> {
  const { id, level, what } = check;
  const head = { id, level, what };
  const left = bench.description.skip?.[id];
  const why = left === undefined ? check.skip?.(bench) : `left out by its description: ${left}`;
  if (why !== undefined) return { ...head, result: 'skipped', detail: why, ms: 0 };
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  try {
    await inTime(check.run(bench));
    return { ...head, result: 'passed', detail: null, ms: ms() };
  } catch (error) {
    if (error instanceof NotApplicable) return { ...head, result: 'skipped', detail: error.message, ms: ms() };
    const detail = error instanceof Error ? error.message : String(error);
    return { ...head, result: 'failed', detail: detail.slice(0, 600), ms: ms() };
  }
}

/** A connector that never answers must not end the suite with it. */
async function inTime(run: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CheckFailed(`it did not end within ${CHECK_MS_MAX / 1000} s`)), CHECK_MS_MAX);
  });
  try {
    await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a connector prints is said, too. */
function listenToOutput(said: string[]): () => void {
  const restore = [process.stdout, process.stderr].map((stream) => {
    const { write } = stream;
    stream.write = ((chunk: unknown, ...rest: never[]) => {
      said.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString());
      return write.call(stream, chunk as string, ...rest);
    }) as typeof stream.write;
    return () => {
      stream.write = write;
    };
  });
  return () => {
    for (const one of restore) one();
  };
}

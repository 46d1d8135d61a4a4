/** Stages of databases, and what is asked of what is in them. */
import { must, NotApplicable } from '../check.ts';
import type { Database } from '../database.ts';
import type { StatementFate } from '../database-proxy.ts';
import type { SinkItem } from '../sinks.ts';
import { type Bench, SLACK_MS, type Stage } from '../stage.ts';
import { effectsOf, mustBe, type SinkStage } from './each-sink.ts';

export const isDatabase = ({ description }: Bench): string | undefined =>
  description.standsIn === 'database' ? undefined : 'its system is no database that it reads and writes by statements';

export function databaseOf({ stand }: Pick<Stage, 'stand'>): Database {
  if (stand?.database === undefined) throw new NotApplicable('its stand-in is no database');
  return stand.database;
}

export const TIMEOUT_MS = 600;
export const STATEMENTS_MAX = 60;
export const NOT_BEFORE_COMMIT = 'nothing was committed, so it surely had no effect';

/** It may do something for a moment after its answer; then it must be at rest. */
export async function mustRest(database: Database, wanted: (states: string[]) => boolean, what: string): Promise<void> {
  const until = performance.now() + SLACK_MS;
  for (;;) {
    const states = (await database.sessions()).map(({ state }) => state);
    if (wanted(states)) return;
    must(performance.now() < until, `${what}: ${states.join(', ')}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

export const isIdle = (states: string[]) => states.every((state) => state === 'idle');

export async function mustHaveEffects(stage: SinkStage, item: SinkItem, wanted: number, when: string): Promise<void> {
  const effects = await effectsOf(stage, item);
  must(effects === undefined || effects === wanted, `${when}: ${item.reference} had ${effects} effects, not ${wanted}`);
}

/** One write for each of its statements, which fares so; then one that is left alone and must be confirmed. */
export async function atEachStatement(
  stage: SinkStage,
  fate: StatementFate,
  judge: (item: SinkItem, at: { isCommit: boolean; when: string; outcome: string }) => Promise<void>,
): Promise<void> {
  const { proxy } = databaseOf(stage);
  for (let cut = 0; cut < STATEMENTS_MAX; cut++) {
    // A new thing each time: nothing of an earlier one may help.
    const [item] = stage.items(1, cut + 1);
    let text = '';
    proxy.restart();
    proxy.fate = (statement, n) => {
      if (n !== cut) return 'pass';
      text = statement;
      return fate;
    };
    const [told] = await stage.sink.write([item!], stage.signal);
    proxy.fate = undefined;
    if (text === '') {
      must(cut > 0, 'it made no statement');
      must(told?.outcome === 'confirmed', `left alone it is ${told?.outcome} (${told?.error})`);
      await mustHaveEffects(stage, item!, 1, 'left alone');
      return;
    }
    const when = `statement ${cut + 1} (${text.trim().slice(0, 40)})`;
    await judge(item!, { isCommit: /^\s*commit/i.test(text), when, outcome: told?.outcome ?? 'nothing' });
    // Whatever was told, the next try ends with one effect.
    const again = await stage.sink.write([item!], stage.signal);
    mustBe(again, ['confirmed'], `${when}: the next try`);
    await mustHaveEffects(stage, item!, 1, `${when}, and the next try`);
  }
  must(false, `it makes more than ${STATEMENTS_MAX} statements for one item`);
}

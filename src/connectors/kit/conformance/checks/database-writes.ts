/** Writes into other people's databases: all of one or nothing, whatever is cut, held or refused. */
import { permitted } from '../../permit.ts';
import { type Check, hasDeliveries, hasSinks, must, NotApplicable, unless } from '../check.ts';
import { noted } from '../said.ts';
import { refusalOf, SLACK_MS } from '../stage.ts';
import {
  atEachStatement,
  databaseOf,
  isDatabase,
  isIdle,
  mustHaveEffects,
  mustRest,
  NOT_BEFORE_COMMIT,
  STATEMENTS_MAX,
  TIMEOUT_MS,
} from './each-database.ts';
import { eachSink, mustBe } from './each-sink.ts';
import { isNamed } from './lookups.ts';

const cutChecks: Check[] = (
  [
    ['cut_before', 'a connection that is lost before any of its statements leaves nothing', 'cut_before'],
    [
      'cut_after',
      'a connection that is lost after any of its statements: all of it or nothing, and only the commit is in doubt',
      'cut_after',
    ],
    ['silence', 'a server that goes silent at any statement is given up in time, and leaves nothing', 'silence'],
  ] as const
).map(([id, what, fate]) => ({
  id: `database.${id}`,
  level: 'safety',
  what,
  skip: unless(hasDeliveries, isDatabase),
  run: (bench) =>
    eachSink(
      bench,
      async (stage) => {
        if (stage.sink.form !== 'delivery') throw new NotApplicable('it is no delivery');
        await atEachStatement(stage, fate, async (item, { isCommit, when, outcome }) => {
          if (!isCommit) must(outcome === 'later', `${when}: it is ${outcome}; ${NOT_BEFORE_COMMIT}`);
          else must(outcome === 'in_doubt', `${when}: it is ${outcome}; nobody knows what became of a commit`);
          const isThere = isCommit && fate === 'cut_after';
          await mustHaveEffects(stage, item, isThere ? 1 : 0, when);
          const [found] = await stage.sink.look([item], stage.signal);
          must(found === isThere, `${when}: it is ${isThere ? 'there' : 'not there'}, and the lookup says otherwise`);
        });
      },
      fate === 'silence' ? { limits: { timeoutMs: TIMEOUT_MS } } : {},
    ),
}));

const codes: [sqlState: string, id: string, what: string, wanted: 'later' | 'refused'][] = [
  ['40001', 'serialization_failure', 'a serialization failure', 'later'],
  ['40P01', 'deadlock', 'a deadlock', 'later'],
  ['53100', 'disk_full', 'a full disk', 'later'],
  ['53300', 'too_many_connections', 'too many connections', 'later'],
  ['57014', 'cancelled', 'a statement that was cancelled', 'later'],
  ['57P01', 'shutdown', 'a server that is shut down', 'later'],
  ['23505', 'unique', 'a key that is taken', 'refused'],
  ['42501', 'no_permission', 'a right that is missing', 'refused'],
  ['P0001', 'raised', 'a rule of its own', 'refused'],
];

const codeChecks: Check[] = codes.map(([sqlState, id, what, wanted]) => ({
  id: `database.write_${id}`,
  level: 'safety',
  what: `${what} in the middle of a write: ${wanted}, with no effect, and the next try is good`,
  skip: unless(hasDeliveries, isDatabase),
  run: (bench) =>
    eachSink(bench, async (stage) => {
      const database = databaseOf(stage);
      const items = stage.items(1);
      await database.fail('write', sqlState);
      mustBe(await stage.sink.write(items, stage.signal), [wanted], `the server said ${sqlState}`);
      await mustHaveEffects(stage, items[0]!, 0, 'after it');
      await database.fail('write', null);
      mustBe(await stage.sink.write(items, stage.signal), ['confirmed'], 'the next try');
      await mustHaveEffects(stage, items[0]!, 1, 'the next try');
    }),
}));

export const databaseWriteChecks: Check[] = [
  ...cutChecks,
  ...codeChecks,
  {
    id: 'database.write_lock_wait',
    level: 'safety',
    what: 'a write that waits for what somebody else holds ends with its deadline, later, and nothing of it is there',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(
        bench,
        async (stage) => {
          const database = databaseOf(stage);
          const items = stage.items(1);
          // Let it connect and bring what it needs first.
          mustBe(await stage.sink.write(stage.items(1, 2), stage.signal), ['confirmed'], 'nothing was wrong');
          const letGo = await database.hold(database.written);
          const began = performance.now();
          const outcomes = await stage.sink.write(items, stage.signal).finally(letGo);
          const took = performance.now() - began;
          mustBe(outcomes, ['later'], NOT_BEFORE_COMMIT);
          must(took < 3 * TIMEOUT_MS + SLACK_MS, `it took ${Math.round(took)} ms`);
          await mustHaveEffects(stage, items[0]!, 0, 'held');
          await mustRest(database, isIdle, 'it still waits on the server');
        },
        { limits: { timeoutMs: TIMEOUT_MS } },
      ),
  },
  {
    id: 'database.write_twice_at_once',
    level: 'safety',
    what: 'two processes that write one reference at once have one effect',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal, connector, another } = stage;
        if (sink.form !== 'delivery') throw new NotApplicable('it is no delivery');
        for (let n = 1; n <= 5; n++) {
          const [item] = stage.items(1, n);
          const sides = [connector, another()].map((side) => side.deliveries[sink.name]!);
          const told = await Promise.all(sides.map((side) => side.write([item!.item as never], signal)));
          mustBe(noted(bench, told.flat()), ['confirmed'], 'the second finds what the first has done');
          await mustHaveEffects(stage, item!, 1, 'written by both');
        }
      }),
  },
  {
    id: 'database.write_values_bound',
    level: 'safety',
    what: 'what stands in a reference is never part of a statement, nor a pattern',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal, connector } = stage;
        const kind = connector.deliveries[sink.name];
        if (kind === undefined) throw new NotApplicable('it is no delivery');
        const odd = [`x'); drop schema public cascade; --`, `%`, `_`, `\\`, `"'$1`, `北京/👩‍👩‍👧`, `' or ''='`];
        must((await kind.locate(odd, signal)).size === 0, 'it finds what nobody wrote');
        const [item] = stage.items(1);
        mustBe(await sink.write([item!], signal), ['confirmed'], 'nothing was wrong');
        must((await kind.locate(odd, signal)).size === 0, 'it takes one reference for another');
        const own = `${item!.reference}'"\\%_北京`;
        const { payload } = item!.item as { payload: unknown };
        const again = { reference: own, payload: { ...(payload as object), reference: own } };
        mustBe(noted(bench, await kind.write([again], signal)), ['confirmed', 'refused'], 'nothing was wrong');
        const found = await kind.locate([own, item!.reference], signal);
        must(found.has(item!.reference), 'its neighbour is not found any more');
      }),
  },
  {
    id: 'database.write_permission_lost',
    level: 'safety',
    what: 'a lease that is lost between any two statements: nothing is committed',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { proxy } = databaseOf(stage);
        for (let allowed = 0; allowed < STATEMENTS_MAX; allowed++) {
          const [item] = stage.items(1, allowed + 1);
          let asked = 0;
          const signal = permitted(stage.signal, () => asked++ < allowed);
          const before = proxy.statements.length;
          const [told] = await stage.sink.write([item!], signal);
          if (told?.outcome === 'confirmed') {
            must(allowed > 0, 'it never asks');
            return;
          }
          must(told?.outcome === 'later', `after ${allowed} times it is ${told?.outcome}; ${NOT_BEFORE_COMMIT}`);
          must(
            !proxy.statements.slice(before).some((text) => /^\s*commit/i.test(text)),
            'it was committed all the same',
          );
          await mustHaveEffects(stage, item!, 0, `after ${allowed} times`);
        }
        must(false, 'it never ends');
      }),
  },
  {
    id: 'database.write_stopped',
    level: 'safety',
    what: 'a write that is stopped while it waits for the server is not committed, and ends with its deadline',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(
        bench,
        async (stage) => {
          const database = databaseOf(stage);
          const [item, first] = stage.items(2);
          mustBe(await stage.sink.write([first!], stage.signal), ['confirmed'], 'nothing was wrong');
          const letGo = await database.hold(database.written);
          const stop = new AbortController();
          const writing = stage.sink.write([item!], stop.signal);
          const before = performance.now();
          await mustRest(database, (states) => states.includes('active'), 'it never came to the server');
          stop.abort();
          await letGo();
          const outcomes = await writing;
          must(performance.now() - before < 3 * TIMEOUT_MS + 2 * SLACK_MS, 'it went on after it was stopped');
          mustBe(outcomes, ['later'], NOT_BEFORE_COMMIT);
          await mustHaveEffects(stage, item!, 0, 'stopped');
        },
        { limits: { timeoutMs: TIMEOUT_MS } },
      ),
  },
  {
    id: 'database.write_down',
    level: 'contract',
    what: 'where no server listens nothing was written: it is for later, and lookups throw',
    skip: unless(hasSinks, isDatabase),
    run: (bench) =>
      eachSink(
        bench,
        async ({ sink, signal, items }) => {
          mustBe(await sink.write(items(1), signal), ['later'], 'no byte can have left');
          const error = await refusalOf(bench, () => sink.look(items(1), signal));
          must(error !== undefined && isNamed(error), 'the lookup gave an answer');
        },
        { url: 'postgresql://nobody@127.0.0.1:9/nowhere' },
      ),
  },
  ...(['cut_before', 'cut_after', 'silence'] as const).map(
    (fate): Check => ({
      id: `database.lookup_${fate}`,
      level: 'safety',
      what: `a lookup whose connection is lost (${fate.replace('_', ' ')}) is an error, never "not found"`,
      skip: unless(hasDeliveries, isDatabase),
      run: (bench) =>
        eachSink(
          bench,
          async (stage) => {
            const { proxy } = databaseOf(stage);
            const items = stage.items(1);
            mustBe(await stage.sink.write(items, stage.signal), ['confirmed'], 'nothing was wrong');
            proxy.fate = (text) => (/^\s*select/i.test(text) ? fate : 'pass');
            const error = await refusalOf(bench, () => stage.sink.look(items, stage.signal));
            must(error !== undefined, 'the lookup gave an answer');
            must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
          },
          fate === 'silence' ? { limits: { timeoutMs: TIMEOUT_MS } } : {},
        ),
    }),
  ),
];

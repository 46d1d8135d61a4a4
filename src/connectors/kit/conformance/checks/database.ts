/** What happens to other people's databases: nothing is written by a read, and of a write all or nothing, whatever is cut, held or refused. */
import { permitted } from '../../permit.ts';
import { type Check, hasDeliveries, hasFeeds, hasSinks, must, NotApplicable, onStage, unless } from '../check.ts';
import type { Database } from '../database.ts';
import type { StatementFate } from '../database-proxy.ts';
import { noted } from '../said.ts';
import type { SinkItem } from '../sinks.ts';
import { type Bench, itemsOf, nameOf, readAll, refusalOf, rowOf, rowsOf, SLACK_MS, type Stage } from '../stage.ts';
import { eachFeed, type FeedStage } from './each-feed.ts';
import { eachSink, effectsOf, mustBe, type SinkStage } from './each-sink.ts';
import { isNamed } from './lookups.ts';

const isDatabase: Check['skip'] = ({ description }) =>
  description.standsIn === 'database' ? undefined : 'its system is no database that it reads and writes by statements';

function databaseOf({ stand }: Pick<Stage, 'stand'>): Database {
  if (stand?.database === undefined) throw new NotApplicable('its stand-in is no database');
  return stand.database;
}

const TIMEOUT_MS = 600;
const STATEMENTS_MAX = 60;
const NOT_BEFORE_COMMIT = 'nothing was committed, so it surely had no effect';

/** It may do something for a moment after its answer; then it must be at rest. */
async function mustRest(database: Database, wanted: (states: string[]) => boolean, what: string): Promise<void> {
  const until = performance.now() + SLACK_MS;
  for (;;) {
    const states = (await database.sessions()).map(({ state }) => state);
    if (wanted(states)) return;
    must(performance.now() < until, `${what}: ${states.join(', ')}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const isIdle = (states: string[]) => states.every((state) => state === 'idle');

async function mustHaveEffects(stage: SinkStage, item: SinkItem, wanted: number, when: string): Promise<void> {
  const effects = await effectsOf(stage, item);
  must(effects === undefined || effects === wanted, `${when}: ${item.reference} had ${effects} effects, not ${wanted}`);
}

/** One write for each of its statements, which fares so; then one that is left alone and must be confirmed. */
async function atEachStatement(
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

const eachTable = (bench: Bench, run: (stage: FeedStage, database: Database) => Promise<void>, timeoutMs?: number) =>
  eachFeed(
    bench,
    async (stage) => {
      stage.rows[stage.feed]!.push(...rowsOf(stage.it, 3));
      await run(stage, databaseOf(stage));
    },
    timeoutMs === undefined ? {} : { limits: { timeoutMs } },
  );

const namesIn = async ({ source, signal }: FeedStage) => itemsOf((await readAll(source, { signal })).pages).map(nameOf);

export const databaseChecks: Check[] = [
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
  {
    id: 'database.read_only',
    level: 'safety',
    what: 'what is read is read by a transaction that can not write: the server sees to it',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachTable(bench, async (stage, database) => {
        await database.demandReadOnly();
        must((await namesIn(stage)).length > 0, 'it read nothing');
      }),
  },
  {
    id: 'database.read_one_moment',
    level: 'safety',
    what: 'all statements of a page see the same moment',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachTable(bench, async (stage, { proxy }) => {
        const before = proxy.statements.length;
        await stage.source.poll('', stage.signal);
        const said = proxy.statements.slice(before);
        const selects = said.filter((text) => /^\s*(select|with)/i.test(text));
        must(selects.length > 0, 'it made no select');
        must(
          selects.length === 1 || said.some((text) => /repeatable read|serializable/i.test(text)),
          `${selects.length} statements, each of its own moment`,
        );
      }),
  },
  ...(
    [
      ['40001', 'a serialization failure'],
      ['53300', 'too many connections'],
      ['57014', 'a statement that was cancelled'],
      ['42501', 'a right that is missing'],
      ['42P01', 'a table that is not there'],
    ] as const
  ).map(
    ([sqlState, what]): Check => ({
      id: `database.read_${sqlState.toLowerCase()}`,
      level: 'safety',
      what: `${what} while a page is read is an error, never an empty page, and afterwards nothing is missing`,
      skip: unless(hasFeeds, isDatabase),
      run: (bench) =>
        eachTable(bench, async (stage, database) => {
          await database.fail('read', sqlState);
          const error = await refusalOf(bench, () => stage.source.poll('', stage.signal));
          must(error !== undefined, 'it read a page');
          must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
          await database.fail('read', null);
          must((await namesIn(stage)).length >= 3, 'afterwards something is missing');
        }),
    }),
  ),
  {
    id: 'database.read_cut',
    level: 'safety',
    what: 'a connection that is lost at any statement of a page is an error, and afterwards nothing is missing',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachTable(bench, async (stage, { proxy }) => {
        for (const fate of ['cut_before', 'cut_after'] as const)
          for (let cut = 0; cut < STATEMENTS_MAX; cut++) {
            let isCut = false;
            proxy.restart();
            proxy.fate = (text, n) => {
              // What ends a read changes nothing.
              if (n !== cut || /^\s*(rollback|commit)/i.test(text)) return 'pass';
              isCut = true;
              return fate;
            };
            const error = await refusalOf(bench, () => stage.source.poll('', stage.signal));
            proxy.fate = undefined;
            must((await namesIn(stage)).length >= 3, `cut at ${cut + 1}: afterwards something is missing`);
            if (!isCut) break;
            must(error !== undefined && isNamed(error), `cut at ${cut + 1}: it read a page`);
          }
      }),
  },
  {
    id: 'database.read_statement_time',
    level: 'contract',
    what: 'a statement that takes too long is given up in time, and ended on the server, too',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachTable(
        bench,
        async (stage, database) => {
          await stage.source.poll('', stage.signal);
          const letGo = await database.hold(database.tables);
          const began = performance.now();
          // Past what brings the rows, which would wait, too.
          const own = stage.another().sources.find(({ feed }) => feed === stage.feed)!;
          const error = await refusalOf(bench, () => own.poll('', stage.signal));
          const took = performance.now() - began;
          await mustRest(database, isIdle, 'it still runs on the server').finally(letGo);
          must(error !== undefined, 'it gave a page');
          must(took < 3 * TIMEOUT_MS + 2 * SLACK_MS, `it took ${Math.round(took)} ms`);
        },
        TIMEOUT_MS,
      ),
  },
  {
    id: 'database.read_open_transaction',
    level: 'safety',
    what: 'what is not committed yet is not read, and read once it is',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachTable(bench, async (stage, database) => {
        const first = await namesIn(stage);
        // Rows are taken away by somebody who thinks better of it.
        await database.query(`begin; ${database.tables.map((table) => `delete from ${table};`).join(' ')} rollback`);
        const second = await namesIn(stage);
        must(JSON.stringify(first) === JSON.stringify(second), 'what was taken back was read');
      }),
  },
  {
    id: 'database.rest',
    level: 'manners',
    what: 'between its calls no transaction of it is open: the oldest holds back the cleaning of the whole server',
    skip: isDatabase,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const database = databaseOf(stage);
        for (const source of stage.connector.sources) await source.poll('', stage.signal);
        for (const sink of stage.sinks) {
          await sink.write([sink.item(1)], stage.signal);
          await sink.look([sink.item(1)], stage.signal);
        }
        await stage.connector.probe(stage.signal);
        await mustRest(database, isIdle, 'a transaction is open');
      }),
  },
  {
    id: 'database.connections',
    level: 'manners',
    what: 'it never has more connections than the estate lets it',
    skip: isDatabase,
    run: (bench) =>
      onStage(bench, { limits: { concurrency: 2 } }, async (stage) => {
        const database = databaseOf(stage);
        const all = [
          ...stage.connector.sources.map((source) => () => source.poll('', stage.signal)),
          ...stage.sinks.flatMap((sink) => [1, 2, 3].map((n) => () => sink.write([sink.item(n)], stage.signal))),
          () => stage.connector.probe(stage.signal),
        ];
        await Promise.all([...all, ...all].map((one) => refusalOf(bench, one)));
        must(database.proxy.connectionsMax <= 2, `${database.proxy.connectionsMax} connections at once`);
      }),
  },
  {
    id: 'database.close',
    level: 'contract',
    what: 'closed, it holds no connection and makes no statement any more',
    skip: isDatabase,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const { proxy } = databaseOf(stage);
        await stage.connector.probe(stage.signal);
        await stage.connector.close();
        const until = performance.now() + SLACK_MS;
        while (proxy.connections > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 10));
        must(proxy.connections === 0, `${proxy.connections} connections are open`);
        const before = proxy.statements.length;
        for (const source of stage.connector.sources) await refusalOf(bench, () => source.poll('', stage.signal));
        for (const sink of stage.sinks) await refusalOf(bench, () => sink.write([sink.item(1)], stage.signal));
        must(proxy.statements.length === before, 'it made statements after it was closed');
      }),
  },
  {
    id: 'database.probe_down',
    level: 'contract',
    what: 'the probe says of a database that is down, gone or not open to us that it is not well, and does not throw',
    skip: isDatabase,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const { proxy } = databaseOf(stage);
        const elsewhere = (change: (url: URL) => void) => {
          const url = new URL(proxy.url);
          change(url);
          return url.href;
        };
        const nobody = elsewhere((url) => {
          url.username = 'nobody_here';
        });
        const gone = elsewhere((url) => {
          url.pathname = '/no_such_database';
        });
        for (const url of [nobody, gone, 'postgresql://nobody@127.0.0.1:9/nowhere']) {
          const connector = stage.another({ url });
          const { ok, detail } = noted(bench, await connector.probe(stage.signal));
          must(!ok && detail !== '', `of ${new URL(url).pathname} it says that all is well`);
        }
      }),
  },
  {
    id: 'database.values_in_errors',
    level: 'safety',
    what: 'what a server says of a value is told without the value',
    skip: unless(hasDeliveries, isDatabase),
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const database = databaseOf(stage);
        const [item] = stage.items(1);
        const { reference } = item!;
        // As servers do: `Key (reference)=(…) already exists`, with the value in quotes.
        await database.query(`create or replace function conformance_write() returns trigger language plpgsql as $f$
          begin raise exception 'invalid value "%": "%"', 'Kim Smith', to_jsonb(new)::text using errcode = '22P02'; end $f$`);
        const [told] = await stage.sink.write([item!], stage.signal);
        must(told?.outcome === 'refused', `it is ${told?.outcome}`);
        const text = JSON.stringify(told);
        must(!text.includes('Kim Smith') && !text.includes(reference), `a value stands in it: ${text.slice(0, 160)}`);
      }),
  },
  {
    id: 'database.rows_change_between_pages',
    level: 'safety',
    what: 'rows that are written while pages are read are read, then or next time',
    skip: unless(hasFeeds, isDatabase),
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        databaseOf(stage);
        const count = Math.ceil(it.pageMax * 1.5);
        rows[feed]!.push(...rowsOf(it, count));
        let added = false;
        const between = () => {
          if (!added) rows[feed]!.push(rowOf(it, count + 1));
          added = true;
        };
        const { thingOf = (key: string) => key } = it;
        const first = await readAll(source, { signal, between });
        const second = await readAll(source, { signal, cursor: first.cursor });
        const things = new Set(
          itemsOf([...first.pages, ...second.pages]).map(({ scope, key }) => `${scope} ${thingOf(key)}`),
        );
        const perThing = things.size / (count + 1);
        must(Number.isInteger(perThing) && perThing > 0, `of ${count + 1} rows ${things.size} things were read`);
      }),
  },
];

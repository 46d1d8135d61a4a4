/** Reading other people's databases: one moment a page, and nothing is written by it. */
import { type Check, hasFeeds, must, unless } from '../check.ts';
import type { Database } from '../database.ts';
import { type Bench, itemsOf, nameOf, readAll, refusalOf, rowOf, rowsOf, SLACK_MS } from '../stage.ts';
import { databaseOf, isDatabase, isIdle, mustRest, STATEMENTS_MAX, TIMEOUT_MS } from './each-database.ts';
import { eachFeed, type FeedStage } from './each-feed.ts';
import { isNamed } from './lookups.ts';

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

export const databaseReadChecks: Check[] = [
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

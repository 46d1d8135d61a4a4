/** What happens to other people's databases: writes, reads, and how a guest behaves. */
import { type Check, hasDeliveries, must, onStage, unless } from '../check.ts';
import { noted } from '../said.ts';
import { refusalOf, SLACK_MS } from '../stage.ts';
import { databaseReadChecks } from './database-reads.ts';
import { databaseWriteChecks } from './database-writes.ts';
import { databaseOf, isDatabase, isIdle, mustRest } from './each-database.ts';
import { eachSink } from './each-sink.ts';

export const databaseChecks: Check[] = [
  ...databaseWriteChecks,
  ...databaseReadChecks,
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
];

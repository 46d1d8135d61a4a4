/** Reading: nothing is lost, whatever happens between two pages. */
import { type Check, hasFeeds, must, NotApplicable, unless } from '../check.ts';
import { BASE_AT, type Bench, iso, itemsOf, nameOf, readAll, refusalOf, rowOf, rowsOf } from '../stage.ts';
import { alone, eachFeed, keysAlone, keysOf, lost, sourceOf } from './each-feed.ts';

const isKeyset = (bench: Bench) =>
  Object.values(bench.declaration?.sources ?? {}).some(({ cursor }) => cursor === 'keyset')
    ? undefined
    : 'no feed of it is read by time';

const some = (count: number) =>
  Array.from({ length: Math.min(count, 4) }, (_, i) => 1 + Math.floor((i * (count - 1)) / 3));

export const feedChecks: Check[] = [
  {
    id: 'feed.empty',
    level: 'contract',
    what: 'a system with nothing in it is read to its end at once',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ source, signal }) => {
        const { pages } = await readAll(source, { signal });
        must(itemsOf(pages).length === 0, 'it read items where there is nothing');
      }),
  },
  {
    id: 'feed.reads_all',
    level: 'safety',
    what: 'over several pages each record is read, once, and at the end it says so',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const count = Math.ceil(stage.it.pageMax * 1.5);
        stage.rows[stage.feed]!.push(...rowsOf(stage.it, count));
        const { pages } = await readAll(stage.source, { signal: stage.signal });
        must(pages.length > 1, `${count} records came in one page: pageMax of the description is too small`);
        const names = itemsOf(pages).map(nameOf);
        must(new Set(names).size === names.length, `${names.length - new Set(names).size} items came twice`);
        const perThing = (await keysOf(stage, 1)).length;
        must(
          names.length === perThing * count,
          `${count} records of ${perThing} items each gave ${names.length} items`,
        );
      }),
  },
  {
    id: 'feed.quiet_end',
    level: 'manners',
    what: 'at the end, nothing new gives no items and goes on from the same place',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        rows[feed]!.push(...rowsOf(it, 3));
        const { cursor } = await readAll(source, { signal });
        const again = await readAll(source, { cursor, signal });
        must(itemsOf(again.pages).length === 0, 'it gives what it has given before');
        must(again.cursor === cursor, 'the cursor moves though nothing happened');
      }),
  },
  {
    id: 'feed.goes_on',
    level: 'safety',
    what: 'what is written after the end was read is read next time',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        rows[feed]!.push(...rowsOf(it, 3));
        const { cursor } = await readAll(source, { signal });
        rows[feed]!.push(rowOf(it, 4));
        must((await lost(stage, [4], { cursor })).length === 0, 'the fourth record was never read');
      }),
  },
  {
    id: 'feed.page_not_kept',
    level: 'safety',
    what: 'a page that was read and never kept comes again, the same',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        rows[feed]!.push(...rowsOf(it, 3));
        const first = await source.poll('', signal);
        const again = await source.poll('', signal);
        must(
          JSON.stringify(first.items.map(nameOf)) === JSON.stringify(again.items.map(nameOf)) && first.items.length > 0,
          'the second reading gave other items',
        );
      }),
  },
  {
    id: 'feed.end_not_kept',
    level: 'safety',
    what: 'what is met at the end of a feed that was read before comes again, too, until it is kept',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        rows[feed]!.push(rowOf(it, 5), rowOf(it, 6), rowOf(it, 7));
        let { cursor } = await readAll(source, { signal });
        // Of the second that was read last, and before it by its name: no place of the feed moves on.
        rows[feed]!.push(rowOf(it, 4, rows[feed]!.at(-1)!.at, 8));
        let page = await source.poll(cursor, signal);
        while (page.items.length === 0 && !page.drained) {
          cursor = page.cursor;
          page = await source.poll(cursor, signal);
        }
        must(page.items.length > 0, 'it was never read');
        // It could not be kept, so whoever reads comes back to the place that it knows.
        const again = (await source.poll(cursor, signal)).items.map(nameOf);
        const gone = page.items.map(nameOf).filter((name) => !again.includes(name));
        must(gone.length === 0, `read once, not kept, and never given again: ${gone[0]}`);
      }),
  },
  {
    id: 'feed.restart_between_pages',
    level: 'safety',
    what: 'a process that ends in the middle of the pages is followed by one that misses nothing',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const count = Math.ceil(stage.it.pageMax * 1.5);
        stage.rows[stage.feed]!.push(...rowsOf(stage.it, count));
        const restart = () => sourceOf(stage.another(), stage.feed);
        const missing = await lost(stage, some(count), { restart });
        must(missing.length === 0, `never read: ${missing.join(', ')}`);
      }),
  },
  {
    id: 'feed.keys_independent_of_page',
    level: 'safety',
    what: 'a record has the same keys and content whatever stands beside it in the page',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        const ns = [1, 2, 3];
        rows[feed]!.push(...rowsOf(it, 3));
        const together = new Set(itemsOf((await readAll(source, { signal })).pages).map(nameOf));
        for (const [n, names] of await alone(bench, feed, ns)) {
          must(names.length > 0, `record ${n} gives no item: what is not taken must be told, too`);
          const changed = names.filter((name) => !together.has(name));
          must(changed.length === 0, `alone, record ${n} is ${changed[0]}, and is not among others`);
        }
      }),
  },
  {
    id: 'feed.things_apart',
    level: 'safety',
    what: 'two things have two keys',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ feed }) => {
        const [one, two] = [await keysAlone(bench, feed, { n: 1 }), await keysAlone(bench, feed, { n: 2 })];
        const both = one.filter((key) => two.includes(key));
        must(both.length === 0, `both things are known as ${both[0]}`);
      }),
  },
  {
    id: 'feed.reread',
    level: 'safety',
    what: 'a page that was kept gives the same items from its bytes',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        must(source.reread !== undefined, 'it can not read a kept page again');
        rows[feed]!.push(...rowsOf(it, 3));
        const page = await source.poll('', signal);
        const names = JSON.stringify(page.items);
        must(JSON.stringify(source.reread(page.body)) === names, 'the items from the bytes are others');
        must(
          JSON.stringify(source.reread(page.body)) === names,
          'a third reading gives others: the mapping is not pure',
        );
      }),
  },
  {
    id: 'feed.duplicate',
    level: 'safety',
    what: 'a record that is listed twice is the same thing twice',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal }) => {
        const first = rowOf(it, 1);
        const copy = { ...first, seq: 2 };
        rows[feed]!.push(first, copy, rowOf(it, 3));
        const names = itemsOf((await readAll(source, { signal })).pages).map(nameOf);
        const [alone1] = (await alone(bench, feed, [1])).values();
        must(
          alone1!.every((name) => names.includes(name)),
          'the thing itself was lost',
        );
        const expected = new Set([...alone1!, ...(await alone(bench, feed, [3])).get(3)!]);
        const strangers = names.filter((name) => !expected.has(name));
        must(strangers.length === 0, `the copy is another thing: ${strangers[0]}`);
      }),
  },
  {
    id: 'feed.reorder',
    level: 'safety',
    what: 'records in another order are the same things',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal, another }) => {
        rows[feed]!.push(...rowsOf(it, 4));
        const inOrder = itemsOf((await readAll(source, { signal })).pages)
          .map(nameOf)
          .sort();
        const contents = rows[feed]!.map(({ raw }) => raw);
        rows[feed] = rows[feed]!.map((row, index) => ({ ...row, raw: contents.at(-1 - index) }));
        const turned = await readAll(sourceOf(another(), feed), { signal }).catch(() => undefined);
        // A feed whose records say their own place may refuse a page that goes back; it must not read it half.
        if (turned === undefined) throw new NotApplicable('it refuses a page that goes back');
        must(
          JSON.stringify(itemsOf(turned.pages).map(nameOf).sort()) === JSON.stringify(inOrder),
          'turned round, the same records are other things',
        );
      }),
  },
  {
    id: 'feed.same_second',
    level: 'safety',
    what: 'records of one second over the edge of a page are all read',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const count = Math.ceil(stage.it.pageMax * 1.5);
        const at = iso(BASE_AT);
        stage.rows[stage.feed]!.push(...Array.from({ length: count }, (_, i) => rowOf(stage.it, i + 1, at, i + 1)));
        const { pages } = await readAll(stage.source, { signal: stage.signal });
        const perThing = (await keysOf(stage, 1)).length;
        const keys = new Set(itemsOf(pages).map(({ scope, key }) => `${scope} ${key}`));
        must(keys.size === perThing * count, `${perThing * count} items of one second, ${keys.size} read`);
      }),
  },
  {
    id: 'feed.same_second_later',
    level: 'safety',
    what: 'a record of the second that was read last, written after that, is read',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        const at = iso(BASE_AT);
        // The new one sorts before those that are known: ids are given before the commit.
        rows[feed]!.push(rowOf(it, 5, at, 5), rowOf(it, 6, at, 6));
        const { cursor } = await readAll(source, { signal });
        rows[feed]!.push(rowOf(it, 4, at, 7));
        must((await lost(stage, [4], { cursor })).length === 0, 'it was never read');
      }),
  },
  {
    id: 'feed.late_commit',
    level: 'safety',
    what: 'a change that commits after a later one was read is found within the overlap',
    skip: unless(hasFeeds, isKeyset),
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        const declared = bench.declaration?.sources[feed];
        if (declared?.cursor !== 'keyset') throw new NotApplicable('it is not read by time');
        rows[feed]!.push(...rowsOf(it, 3));
        const { cursor } = await readAll(source, { signal });
        const at = iso(Date.parse(rows[feed]!.at(-1)!.at) - Math.floor((declared.overlapMs ?? 0) / 2));
        rows[feed]!.push(rowOf(it, 9, at, 9));
        must((await lost(stage, [9], { cursor })).length === 0, 'it was never read');
      }),
  },
  {
    id: 'feed.page_shift',
    level: 'safety',
    what: 'records that change while pages are read push no other out',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it } = stage;
        const count = Math.ceil(it.pageMax * 1.5);
        rows[feed]!.push(...rowsOf(it, count));
        const between = (_page: unknown, pages: number) => {
          if (pages !== 1) return;
          // Two that were read move to the end; with pages by number, two that were not move forward into what counts as read.
          for (const n of [1, 2]) {
            const at = iso(BASE_AT + (count + n) * 60_000);
            rows[feed] = [...rows[feed]!.filter((row) => row.n !== n), rowOf(it, n, at, count + n)];
          }
        };
        const wanted = [it.pageMax, it.pageMax + 1, it.pageMax + 2, count];
        const missing = await lost(
          stage,
          wanted.filter((n) => n <= count && n > 2),
          { between },
        );
        must(missing.length === 0, `never read: ${missing.join(', ')}`);
      }),
  },
  {
    id: 'feed.delete_between_pages',
    level: 'safety',
    what: 'records that are deleted while pages are read push no other out',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it } = stage;
        const count = Math.ceil(it.pageMax * 1.5);
        rows[feed]!.push(...rowsOf(it, count));
        const between = (_page: unknown, pages: number) => {
          if (pages === 1) rows[feed] = rows[feed]!.filter((row) => row.n > 3);
        };
        const wanted = [it.pageMax + 1, it.pageMax + 2, it.pageMax + 3, count].filter((n) => n <= count && n > 3);
        const missing = await lost(stage, wanted, { between });
        must(missing.length === 0, `never read: ${missing.join(', ')}`);
      }),
  },
  {
    id: 'feed.last_deleted',
    level: 'contract',
    what: 'when the newest record is deleted the feed goes on',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        rows[feed]!.push(...rowsOf(it, 3));
        const { cursor } = await readAll(source, { signal });
        rows[feed] = [...rows[feed]!.filter((row) => row.n !== 3), rowOf(it, 4)];
        must((await lost(stage, [4], { cursor })).length === 0, 'the next record was never read');
      }),
  },
  {
    id: 'feed.clock_ahead',
    level: 'contract',
    what: 'a system whose clock is years ahead of ours is read as any other',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { rows, feed, it, source, signal } = stage;
        rows[feed]!.push(rowOf(it, 1, '2031-01-01T00:00:00Z', 1));
        const { cursor } = await readAll(source, { signal });
        rows[feed]!.push(rowOf(it, 2, '2031-01-01T00:00:01Z', 2));
        must((await lost(stage, [2], { cursor })).length === 0, 'the second record was never read');
      }),
  },
  {
    id: 'feed.foreign_cursor',
    level: 'contract',
    what: 'a cursor of another feed is refused, never taken for the beginning',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ source, signal, rows, feed, it }) => {
        rows[feed]!.push(...rowsOf(it, 1));
        for (const cursor of ['not a cursor of this feed', '{"p":', '-1'])
          must(
            (await refusalOf(bench, () => source.poll(cursor, signal))) !== undefined,
            `it took ${JSON.stringify(cursor)}`,
          );
      }),
  },
  {
    id: 'feed.no_effect',
    level: 'safety',
    what: 'reading changes nothing in the system, also where its levels lie',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async ({ rows, feed, it, source, signal, server, model }) => {
        const number = bench.description.availability?.(1);
        rows[feed]!.push(...rowsOf(it, 3));
        let { cursor } = await readAll(source, { signal });
        if (number !== undefined) model.hide?.(number.sku, 2);
        for (let i = 0; i < 4; i++) ({ cursor } = await readAll(source, { cursor, signal }));
        const writes = server.calls.filter(({ role }) => role === 'write');
        must(writes.length === 0, `it made ${writes.length} writes, the first to ${writes[0]?.path}`);
      }),
  },
];

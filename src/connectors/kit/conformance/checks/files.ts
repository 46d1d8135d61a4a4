/** What happens to files in a drop box: half of one, one that grows, one that vanishes, other columns, a disk that refuses. */
import { type Check, hasDeliveries, hasFeeds, must, NotApplicable, unless } from '../check.ts';
import { type ColumnChange, columnChanges, type Folder } from '../folder.ts';
import { itemsOf, nameOf, readAll, refusalOf, rowOf, rowsOf } from '../stage.ts';
import { eachFeed, type FeedStage, sourceOf } from './each-feed.ts';
import { eachSink, mustBe, type SinkStage } from './each-sink.ts';
import { isNamed } from './lookups.ts';

const isDropBox: Check['skip'] = ({ description }) =>
  description.transport === 'own' ? undefined : 'it exchanges no files';

interface FileStage extends FeedStage {
  folder: Folder;
  /** The whole file of these things, and what they give. */
  textOf(ns: readonly number[]): string;
  namesOf(ns: readonly number[]): Promise<string[]>;
  /** Names and reasons of what was read until the end. */
  read(cursor?: string): Promise<{ names: string[]; set_aside: string[]; cursor: string }>;
}

function folderOf({ stand }: Pick<FeedStage, 'stand'>): Folder {
  if (stand?.folder === undefined) throw new NotApplicable('it exchanges no files');
  return stand.folder;
}

const eachFileFeed = (bench: Parameters<Check['run']>[0], run: (stage: FileStage) => Promise<void>): Promise<void> =>
  eachFeed(bench, async (stage) => {
    const folder = folderOf(stage);
    const { feed, it, signal } = stage;
    const textOf = (ns: readonly number[]) => folder.feeds[feed]!.text(ns.map((n) => rowOf(it, n).raw));
    const read = async (cursor?: string) => {
      const { pages, cursor: end } = await readAll(stage.source, { signal, ...(cursor !== undefined && { cursor }) });
      const items = itemsOf(pages);
      return {
        names: items.filter(({ command }) => command !== undefined).map(nameOf),
        set_aside: items.flatMap(({ unreadable }) => (unreadable === undefined ? [] : [unreadable.reason])),
        cursor: end,
      };
    };
    // What a file with nothing wrong gives.
    const namesOf = async (ns: readonly number[]) => {
      let names: string[] = [];
      await eachFeed({ ...bench, description: { ...bench.description, feeds: { [feed]: it } } }, async (other) => {
        const box = folderOf(other);
        box.rows = 'left';
        box.put(feed, textOf(ns));
        names = itemsOf((await readAll(other.source, { signal })).pages).map(nameOf);
      });
      return names;
    };
    folder.rows = 'left';
    await run({ ...stage, folder, textOf, namesOf, read });
  });

const missing = (wanted: readonly string[], names: readonly string[]) => wanted.filter((name) => !names.includes(name));

function mustHold(wanted: readonly string[], names: readonly string[], what: string): void {
  const gone = missing(wanted, names);
  must(gone.length === 0, `${what}: ${gone.length} of ${wanted.length} are missing, the first ${gone[0]}`);
  const strange = missing(names, wanted);
  must(strange.length === 0, `${what}: read is what nobody wrote: ${strange[0]}`);
}

/** The next file of the feed is read, whatever was the matter with the first. */
async function mustGoOn(stage: FileStage, cursor: string): Promise<void> {
  const { folder, feed, textOf, namesOf, read } = stage;
  folder.put(feed, textOf([7, 8]), 2);
  mustHold(await namesOf([7, 8]), (await read(cursor)).names, 'the file after it');
}

/** A file of this content is set aside with a reason, and the one after it is read. */
async function mustBeBad(stage: FileStage, content: string | Buffer, words: RegExp): Promise<void> {
  const { folder, feed, read } = stage;
  folder.put(feed, content);
  const { names, set_aside, cursor } = await read();
  must(names.length === 0, `of it was read: ${names[0]}`);
  must(set_aside.length > 0, 'it was passed over without a word');
  must(
    set_aside.some((reason) => words.test(reason)),
    `it does not say what is wrong: ${set_aside[0]}`,
  );
  await mustGoOn(stage, cursor);
}

/** The same things, whatever the file looks like. */
async function mustBeTheSame(stage: FileStage, change: (text: string) => string | Buffer): Promise<void> {
  const { folder, feed, textOf, namesOf, read } = stage;
  folder.put(feed, change(textOf([1, 2, 3])));
  mustHold(await namesOf([1, 2, 3]), (await read()).names, 'changed so');
}

const WORDS: Readonly<Record<'removed' | 'renamed' | 'twice', RegExp>> = {
  removed: /missing/,
  renamed: /missing.*instead/,
  twice: /twice/,
};
const WHAT: Readonly<Record<ColumnChange, string>> = {
  reordered: 'columns in another order are the same columns',
  added: 'a column that nobody reads changes nothing of what is read',
  removed: 'a file without a column that is read is set aside as a whole, and the column is named',
  renamed: 'a file whose column has another name is set aside as a whole, with what is there instead',
  twice: 'a file that has a column twice is set aside as a whole: which one counts nobody can tell',
};

const safety = (id: string, what: string, run: (stage: FileStage) => Promise<void>): Check => ({
  id: `file.${id}`,
  level: 'safety',
  what,
  skip: unless(hasFeeds, isDropBox),
  run: (bench) => eachFileFeed(bench, run),
});

const reading: Check[] = [
  safety(
    'half',
    'of a file of which half is there nothing is read as if it were whole; once it is there, all of it',
    async (stage) => {
      const { folder, feed, textOf, namesOf, read } = stage;
      const whole = textOf([1, 2, 3, 4]);
      const wanted = await namesOf([1, 2, 3, 4]);
      // Wherever it is cut: within the columns, a record, a number, right before an end.
      for (const share of [0.1, 0.35, 0.6, 0.8, 0.97]) {
        folder.put(feed, whole.slice(0, Math.floor(whole.length * share)));
        const half = await read();
        const strange = missing(half.names, wanted);
        must(strange.length === 0, `cut at ${share}: what is half was read: ${strange[0]}`);
        must(half.set_aside.length > 0, `cut at ${share}: nobody is told`);
        folder.put(feed, whole);
        mustHold(wanted, [...half.names, ...(await read(half.cursor)).names].filter(unique), `cut at ${share}`);
      }
    },
  ),
  safety(
    'unfinished_name',
    'a file that is still written under another name is not touched until it has its own',
    async (stage) => {
      const { folder, feed, textOf, namesOf, read } = stage;
      const { name } = folder.feeds[feed]!;
      const names = ['part', 'tmp', 'filepart'].map((end) => `${name(1)}.${end}`);
      for (const unfinished of [...names, `.${name(1)}`, `${name(1)}~`]) folder.drop(feed, unfinished, textOf([1]));
      const before = await read();
      must(before.names.length + before.set_aside.length === 0, 'it read what is not finished');
      folder.put(feed, textOf([1]));
      mustHold(await namesOf([1]), (await read(before.cursor)).names, 'under its own name');
    },
  ),
  safety('grows', 'what is added to a file after it was read is read, and what it had is the same', async (stage) => {
    const { folder, feed, textOf, namesOf, source, signal, read } = stage;
    folder.put(feed, textOf([1, 2]));
    const page = await source.poll('', signal);
    folder.overwrite(feed, textOf([1, 2, 3]));
    const { names } = await read(page.cursor);
    mustHold(await namesOf([1, 2, 3]), [...page.items.map(nameOf), ...names].filter(unique), 'grown');
  }),
  safety('vanishes', 'a file that is taken away between two pages is told, and the next one is read', async (stage) => {
    const { folder, feed, it, textOf, signal, another } = stage;
    const count = Math.ceil(it.pageMax * 1.5);
    folder.put(feed, textOf(rowsOf(it, count).map(({ n }) => n)));
    const first = await stage.source.poll('', signal);
    folder.take(feed);
    // Another process has no copy of it.
    const source = sourceOf(another(), feed);
    const { pages, cursor } = await readAll(source, { cursor: first.cursor, signal });
    must(
      itemsOf(pages).some(({ unreadable }) => unreadable !== undefined),
      'half of it was read and nobody is told',
    );
    await mustGoOn({ ...stage, source }, cursor);
  }),
  safety('vanished_before', 'a file that is gone before it is opened is none', async (stage) => {
    const { folder, feed, textOf, read } = stage;
    folder.put(feed, textOf([1]));
    folder.take(feed);
    const { names, set_aside, cursor } = await read();
    must(names.length + set_aside.length === 0, 'it read what is not there');
    await mustGoOn(stage, cursor);
  }),
  ...([true, false] as const).map((isRestarted) =>
    safety(
      isRestarted ? 'replaced_restarted' : 'replaced',
      `a file that gets other content between two pages${isRestarted ? ' and two processes' : ''} is read as the new one, from its beginning`,
      async (stage) => {
        const { folder, feed, it, textOf, namesOf, signal, another } = stage;
        const count = Math.ceil(it.pageMax * 1.5);
        const old = rowsOf(it, count).map(({ n }) => n);
        const fresh = old.map((n) => n + 5_000);
        folder.put(feed, textOf(old));
        const first = await stage.source.poll('', signal);
        folder.put(feed, textOf(fresh));
        const source = isRestarted ? sourceOf(another(), feed) : stage.source;
        const { pages } = await readAll(source, { cursor: first.cursor, signal });
        const names = itemsOf(pages).map(nameOf);
        const gone = missing(await namesOf(fresh), names);
        must(gone.length === 0, `${gone.length} of the new file were never read`);
        const [one, other] = [await namesOf(old), await namesOf(fresh)];
        const strange = missing(names, [...one, ...other]);
        must(strange.length === 0, `read is what stands in neither: ${strange[0]}`);
      },
    ),
  ),
  safety('twice', 'two files with the same content are the same things', async (stage) => {
    const { folder, feed, textOf, namesOf, read } = stage;
    folder.put(feed, textOf([1, 2]), 1);
    folder.put(feed, textOf([1, 2]), 2);
    mustHold(await namesOf([1, 2]), (await read()).names.filter(unique), 'sent twice');
  }),
  safety('name_again', 'a name that comes again with other content is another file; both are kept', async (stage) => {
    const { folder, feed, textOf, namesOf, read } = stage;
    folder.put(feed, textOf([1]));
    const first = await read();
    folder.put(feed, textOf([2]));
    const second = await read(first.cursor);
    mustHold(await namesOf([2]), second.names, 'the second of its name');
    folder.put(feed, textOf([2]));
    mustHold(await namesOf([2]), (await read(second.cursor)).names, 'the same once more');
  }),
  safety('empty', 'an empty file is told, and the next one is read', (stage) => mustBeBad(stage, '', /empty/)),
  safety('binary', 'a file that is no text is set aside as a whole', (stage) =>
    mustBeBad(stage, Buffer.concat([Buffer.from('PK\x03\x04\x14\0\0\0\x08\0'), Buffer.alloc(4_000, 0xe5)]), /./),
  ),
  safety('html', 'a page of HTML under the name of a file is set aside, and nothing of it is read', (stage) =>
    mustBeBad(stage, '<!doctype html>\n<html><head><title>Sign in</title></head>\n<body>Please</body></html>\n', /./),
  ),
  safety('byte_order_mark', 'a byte order mark is no part of the first column', (stage) =>
    mustBeTheSame(stage, (text) => `\ufeff${text}`),
  ),
  safety('utf16', 'a byte order mark of UTF-16 counts for more than what was declared', (stage) =>
    mustBeTheSame(stage, (text) => Buffer.from(`\ufeff${text}`, 'utf16le')),
  ),
  safety('line_ends', 'lines may end as on other machines', (stage) =>
    mustBeTheSame(stage, (text) => text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')),
  ),
  safety('huge_line', 'a line of many megabytes is set aside, and the next file is read', async (stage) => {
    const before = process.memoryUsage().rss;
    await mustBeBad(stage, `${'x'.repeat(24 << 20)}\n`, /characters|column|JSON/);
    const grown = (process.memoryUsage().rss - before) >> 20;
    must(grown < 400, `it took ${grown} MB`);
  }),
  safety('huge_line_between', 'a line of many megabytes between others is set aside alone', async (stage) => {
    const { folder, feed, textOf, namesOf, read } = stage;
    const lines = textOf([1, 2]).split(/(?<=\n)/);
    folder.put(feed, [...lines.slice(0, -1), `${'x'.repeat(5 << 20)}\n`, lines.at(-1)!].join(''));
    const { names, set_aside } = await read();
    mustHold(await namesOf([1, 2]), names, 'its neighbours');
    must(set_aside.length === 1, `${set_aside.length} things were set aside`);
  }),
  ...columnChanges.map((change) =>
    safety(`columns_${change}`, WHAT[change], async (stage) => {
      const changed = stage.folder.feeds[stage.feed]!.columns?.[change];
      if (changed === undefined) throw new NotApplicable('its columns have no names');
      if (change === 'reordered' || change === 'added') await mustBeTheSame(stage, changed);
      else await mustBeBad(stage, changed(stage.textOf([1, 2])), WORDS[change]);
    }),
  ),
  safety(
    'folder_refuses',
    'a folder that can not be listed is an error with a code, never an empty one',
    async (stage) => {
      const { folder, feed, textOf, namesOf, source, signal, bench, read } = stage;
      const { folder: path } = folder.feeds[feed]!;
      folder.put(feed, textOf([1]));
      folder.block(path);
      const error = await refusalOf(bench, () => source.poll('', signal));
      must(error !== undefined, 'it was read as an empty folder');
      must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
      folder.unblock(path);
      mustHold(await namesOf([1]), (await read()).names, 'once it can be listed');
    },
  ),
  safety(
    'archive_refuses',
    'where a file that was read can not be put away it is not forgotten, and read no second time as news',
    async (stage) => {
      const { folder, feed, textOf, namesOf, source, signal, bench, read } = stage;
      const { archive } = folder.feeds[feed]!;
      if (archive === undefined) throw new NotApplicable('it puts nothing away');
      folder.put(feed, textOf([1]));
      const page = await source.poll('', signal);
      folder.block(archive);
      const error = await refusalOf(bench, () => source.poll(page.cursor, signal));
      must(
        error !== undefined && isNamed(error),
        `it said nothing, or without a code: ${error?.message.slice(0, 160)}`,
      );
      folder.unblock(archive);
      folder.put(feed, textOf([2]), 2);
      mustHold(await namesOf([2]), (await read(page.cursor)).names, 'once it can be put away');
    },
  ),
];

const probing: Check = {
  id: 'file.probe_folder_gone',
  level: 'contract',
  what: 'the probe of a folder that can not be listed says so, and does not throw',
  skip: isDropBox,
  run: (bench) =>
    eachFileFeed(bench, async ({ folder, feed, connector, signal }) => {
      folder.block(folder.feeds[feed]!.folder);
      const { ok, detail } = await connector.probe(signal);
      must(!ok, 'it says that all is well');
      must(detail !== '', 'it does not say why');
    }),
};

const eachOut = (
  bench: Parameters<Check['run']>[0],
  run: (stage: SinkStage, folder: Folder, out: string) => Promise<void>,
) =>
  eachSink(bench, async (stage) => {
    const folder = folderOf(stage);
    const out = folder.deliveries[stage.sink.name];
    if (out === undefined) throw new NotApplicable('it is no delivery');
    await run(stage, folder, out);
  });

const writing: Check[] = [
  {
    id: 'file.out_whole',
    level: 'safety',
    what: 'what goes out is seen whole or not at all: nothing unfinished is left, and nothing is written over',
    skip: unless(hasDeliveries, isDropBox),
    run: (bench) =>
      eachOut(bench, async ({ sink, items, signal }, folder, out) => {
        await sink.write(items(3), signal);
        const first = folder.there(out).map((name) => [name, folder.read(`${out}/${name}`)].join(' '));
        must(first.length > 0, 'nothing is there');
        must(folder.unfinished(out).length === 0, `left behind: ${folder.unfinished(out).join(', ')}`);
        await sink.write(items(3, 4), signal);
        const then = folder.there(out).map((name) => [name, folder.read(`${out}/${name}`)].join(' '));
        must(missing(first, then).length === 0, 'the second writing changed what the first had written');
        must(then.length === 2 * first.length, `${first.length} files, then ${then.length}`);
      }),
  },
  {
    id: 'file.out_taken',
    level: 'safety',
    what: 'what the partner took away is known as sent, and is not sent again',
    skip: unless(hasDeliveries, isDropBox),
    run: (bench) =>
      eachOut(bench, async ({ sink, items, signal, another }, folder, out) => {
        await sink.write(items(2), signal);
        for (const name of folder.there(out)) folder.remove(`${out}/${name}`);
        mustBe(await sink.write(items(2), signal), ['confirmed'], 'it was sent');
        must(folder.there(out).length === 0, 'it was sent again');
        // As after a restart.
        const kind = another().deliveries[sink.name]!;
        const found = await kind.locate([items(1)[0]!.reference], signal);
        must(found.size === 1, 'it is not found any more');
      }),
  },
  {
    id: 'file.out_refused',
    level: 'safety',
    what: 'where nothing can be written it is for later, and once it can each is written once',
    skip: unless(hasDeliveries, isDropBox),
    run: (bench) =>
      eachOut(bench, async ({ sink, items, signal, writes }, folder, out) => {
        folder.block(out);
        mustBe(await sink.write(items(2), signal), ['later'], 'nothing can have been written');
        folder.unblock(out);
        must(writes() === 0, 'something was written');
        mustBe(await sink.write(items(2), signal), ['confirmed'], 'nothing is wrong any more');
        const files = writes();
        await sink.write(items(2), signal);
        must(writes() === files, 'it was written twice');
      }),
  },
  {
    id: 'file.out_lookup_refused',
    level: 'safety',
    what: 'where nothing can be looked up that is an error, never "not found"',
    skip: unless(hasDeliveries, isDropBox),
    run: (bench) =>
      eachOut(bench, async ({ sink, items, signal }, folder, out) => {
        await sink.write(items(1), signal);
        folder.block(out);
        const error = await refusalOf(bench, () => sink.look(items(1), signal));
        must(error !== undefined, 'the lookup gave an answer');
        must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
      }),
  },
];

export const fileChecks: Check[] = [...reading, ...writing, probing];

function unique<T>(value: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(value) === index;
}

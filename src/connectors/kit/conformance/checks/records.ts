/** Records of any content: what can't be read is set aside alone, and what is read is what was meant. */
import type { InboundItem } from '../../../../canonical/index.ts';
import { type Check, hasFeeds, must, NotApplicable, unless } from '../check.ts';
import type { FeedDescription, FeedRow } from '../describe.ts';
import { isoTimesIn, mutants, numbersIn, replaceLeaves, STRANGE } from '../mutate.ts';
import { BASE_AT, type Bench, iso, itemsOf, nameOf, readAll, rowOf } from '../stage.ts';
import { eachFeed, type FeedStage, sourceOf } from './each-feed.ts';

/** PostgreSQL takes neither, as text or inside jsonb; behind an even number of backslashes it only looks like one. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\(?:u0000|ud[89a-f])/i;
const MUTANTS_MAX = 160;

/** Items of one raw record between two good ones; the good ones must be as they are alone. */
async function between(stage: FeedStage, raws: readonly unknown[]): Promise<InboundItem[]> {
  const { rows, feed, it, signal, another } = stage;
  const good: FeedRow[] = [rowOf(it, 1), rowOf(it, 1_000)];
  const read = async (list: FeedRow[]) => {
    rows[feed] = list;
    return itemsOf((await readAll(sourceOf(another(), feed), { signal })).pages);
  };
  const neighbours = (await read(good)).map(nameOf);
  const at = (index: number) => iso(BASE_AT + 60_000 * (2 + index));
  const strange = raws.map((raw, index): FeedRow => ({ n: 2 + index, at: at(index), seq: 2 + index, raw }));
  const items = await read([good[0]!, ...strange, good[1]!]);
  const names = items.map(nameOf);
  const gone = neighbours.filter((name) => !names.includes(name));
  must(gone.length === 0, `a neighbour was lost or changed: ${gone[0]}`);
  return items.filter((item) => !neighbours.includes(nameOf(item)));
}

function mustBeSound(items: readonly InboundItem[]): void {
  for (const item of items) {
    must((item.command === undefined) !== (item.unreadable === undefined), 'an item is neither read nor set aside');
    must(item.key !== '' && item.scope !== '', 'an item has no key');
    must(!UNSTORABLE.test(JSON.stringify(item)), `an item holds what no database stores: ${item.scope} ${item.key}`);
    if (item.unreadable !== undefined) {
      const { reason, place } = item.unreadable;
      must(reason !== '', 'it was set aside without a reason');
      must(place === '' || place.startsWith('/'), `the place ${place} is no JSON pointer`);
    }
    for (const number of numbersIn(item.command ?? null))
      must(Number.isSafeInteger(number), `a number that is no safe integer passed: ${number}`);
  }
}

/** Each mutant alone where all together are not read, so that the one to blame is named. */
async function readMutants(stage: FeedStage, made: readonly { place: string; raw: unknown }[]): Promise<void> {
  for (let from = 0; from < made.length; from += 20) {
    const part = made.slice(from, from + 20);
    try {
      mustBeSound(
        await between(
          stage,
          part.map(({ raw }) => raw),
        ),
      );
    } catch (error) {
      for (const { place, raw } of part) {
        try {
          mustBeSound(await between(stage, [raw]));
        } catch (own) {
          throw new Error(`${place}: ${own instanceof Error ? own.message : String(own)}`, { cause: own });
        }
      }
      throw error;
    }
  }
}

function record(it: FeedDescription, n = 2): unknown {
  return rowOf(it, n).raw;
}

const has = (name: 'unknownEnum' | 'deleted' | 'merged', why: string) => (bench: Bench) =>
  Object.values(bench.description.feeds ?? {}).some((feed) => feed[name] !== undefined) ? undefined : why;

export const recordChecks: Check[] = [
  {
    id: 'record.broken',
    level: 'safety',
    what: 'a record that can not be read is set aside alone, with reason, place and value; its neighbours are read',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const raws = stage.it.broken(iso(BASE_AT + 120_000), 2);
        must(raws.length > 0, 'the description holds no broken record');
        for (const [index, raw] of raws.entries()) {
          const items = await between(stage, [raw]);
          mustBeSound(items);
          must(
            items.some((item) => item.unreadable !== undefined),
            `broken record ${index} was read as if it were whole, or dropped`,
          );
        }
      }),
  },
  {
    id: 'record.broken_again',
    level: 'safety',
    what: 'a broken record that is read again is the same thing, not a new one each time',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const raw = stage.it.broken(iso(BASE_AT + 120_000), 2)[0];
        const [once, again] = [await between(stage, [raw]), await between(stage, [structuredClone(raw)])];
        must(JSON.stringify(once) === JSON.stringify(again), 'its second reading gave another key');
      }),
  },
  {
    id: 'record.unknown_enum',
    level: 'safety',
    what: 'a kind or status that nobody knows yet is set aside and named',
    skip: unless(hasFeeds, has('unknownEnum', 'the description holds no record of an unknown kind')),
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        if (stage.it.unknownEnum === undefined) throw new NotApplicable('no record of an unknown kind');
        const items = await between(stage, [stage.it.unknownEnum(iso(BASE_AT + 120_000), 2)]);
        must(
          items.some((item) => item.unreadable !== undefined),
          'it was taken for something known, or dropped',
        );
      }),
  },
  {
    id: 'record.deleted',
    level: 'contract',
    what: 'what the system lists as deleted is told or set aside, and stops nothing',
    skip: unless(hasFeeds, has('deleted', 'the system does not list what was deleted')),
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        if (stage.it.deleted === undefined) throw new NotApplicable('it does not list what was deleted');
        mustBeSound(await between(stage, [stage.it.deleted(2, iso(BASE_AT + 120_000), 2)]));
      }),
  },
  {
    id: 'record.merged',
    level: 'contract',
    what: 'what the system lists as merged into another is told or set aside, and stops nothing',
    skip: unless(hasFeeds, has('merged', 'the system does not merge things')),
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        if (stage.it.merged === undefined) throw new NotApplicable('it does not merge things');
        const items = await between(stage, [stage.it.merged(2, 1, iso(BASE_AT + 120_000), 2)]);
        mustBeSound(items);
        must(items.length > 0, 'the merge is not told');
      }),
  },
  {
    id: 'record.any_content',
    level: 'safety',
    what: 'whatever stands in a field, nothing is thrown, lost or unstorable, and neighbours are read',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, (stage) =>
        readMutants(stage, mutants(record(stage.it), stage.it.placeFields, STRANGE).slice(0, MUTANTS_MAX)),
      ),
  },
  {
    id: 'record.missing_fields',
    level: 'safety',
    what: 'a record without one of its fields is read or set aside; nothing is thrown',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, (stage) =>
        readMutants(stage, mutants(record(stage.it), stage.it.placeFields, [undefined]).slice(0, MUTANTS_MAX)),
      ),
  },
  {
    id: 'record.no_record',
    level: 'safety',
    what: 'an entry that is no record at all is set aside',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        if (bench.declaration?.sources[stage.feed]?.cursor === 'keyset')
          throw new NotApplicable('without its place an entry has no page to stand in');
        for (const raw of ['not a record', 17, null, [], {}]) {
          const items = await between(stage, [raw]);
          mustBeSound(items);
          must(
            items.some((item) => item.unreadable !== undefined),
            `${JSON.stringify(raw)} was dropped`,
          );
        }
      }),
  },
  {
    id: 'record.unstorable',
    level: 'safety',
    what: 'texts that no database stores (NUL, half a surrogate pair) stop nothing',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, (stage) =>
        readMutants(stage, mutants(record(stage.it), stage.it.placeFields, ['a\0b', 'a\ud800b'])),
      ),
  },
  {
    id: 'record.deep',
    level: 'safety',
    what: 'a record nested 10,000 deep is set aside or read, and its neighbours are read',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const depth = 10_000;
        const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
        // By text: no writer of JSON goes so deep.
        stage.server.rewrite = (text) => text.replaceAll('"@deep@"', deep);
        const made = mutants(record(stage.it), stage.it.placeFields, ['@deep@']);
        const raws = [{ ...(record(stage.it) as object), noteOfNobody: '@deep@' }, ...made.map(({ raw }) => raw)];
        for (const raw of raws) mustBeSound(await between(stage, [raw]));
      }),
  },
  {
    id: 'record.not_utf8',
    level: 'safety',
    what: 'bytes that are no UTF-8 never become a text that nobody wrote',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        stage.server.rewrite = (text) => {
          const bytes = Buffer.from(text);
          for (let at = bytes.indexOf('@bad@'); at >= 0; at = bytes.indexOf('@bad@')) bytes.fill(0xff, at, at + 5);
          return bytes;
        };
        const made = mutants(record(stage.it), stage.it.placeFields, ['x@bad@'], (leaf) => typeof leaf === 'string');
        for (const { place, raw } of made)
          for (const item of await between(stage, [raw]))
            must(
              !JSON.stringify(item.command ?? null).includes('\ufffd'),
              `${place}: a command holds a replacement character`,
            );
      }),
  },
  {
    id: 'record.decimals',
    level: 'safety',
    what: 'no fraction of a quantity or of money passes as a float, and no large number is rounded',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const large = [0.1 + 0.2, 1e21, 2 ** 53 + 2, -0.5, 1.005];
        for (const value of large) {
          const made = mutants(record(stage.it), stage.it.placeFields, [value], (leaf) => typeof leaf === 'number');
          await readMutants(stage, made);
        }
      }),
  },
  {
    id: 'record.decimal_exact',
    level: 'safety',
    what: 'an amount of more digits than a float holds is passed on digit by digit or set aside, as a text and as a number',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const exact = '900719925474.099301';
        // By text: a writer of JSON would have rounded it before.
        stage.server.rewrite = (text) => text.replaceAll('"@number@"', exact);
        const plain = record(stage.it);
        const { placeFields } = stage.it;
        const isText = (leaf: unknown) => typeof leaf === 'string' && /^-?\d+(\.\d+)?$/.test(leaf);
        const made = [
          ...mutants(plain, placeFields, [exact], isText),
          ...mutants(plain, placeFields, ['@number@'], (leaf) => typeof leaf === 'number'),
        ];
        for (const { place, raw } of made)
          for (const item of await between(stage, [raw])) {
            // Of a rounded one the first digits are there; a whole number of minor units has no point.
            const told = JSON.stringify(item.command ?? null).replaceAll('.', '');
            const rounded = /900719925474\d*/.exec(told)?.[0];
            must(
              rounded === undefined || rounded.startsWith(exact.replace('.', '')),
              `${place}: ${exact} became ${rounded}`,
            );
          }
      }),
  },
  {
    id: 'record.unicode',
    level: 'contract',
    what: 'names and numbers in any script are kept as they are, or set aside, never spoiled',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const text = '北京-👩‍👩‍👧-שלום-𝟙';
        const made = mutants(record(stage.it), stage.it.placeFields, [text], (leaf) => typeof leaf === 'string');
        for (const { place, raw } of made)
          for (const item of await between(stage, [raw])) {
            const told = JSON.stringify(item);
            must(!told.includes('\ufffd'), `${place}: it became a replacement character`);
            must(
              !told.includes('北京') || told.includes(text) || told.includes('…'),
              `${place}: it was cut or changed`,
            );
          }
      }),
  },
  {
    id: 'record.time_zone',
    level: 'safety',
    what: 'one moment written in another offset is the same moment',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const plain = record(stage.it);
        const { inOffset = isoTimesIn } = stage.it;
        const [as, is] = [inOffset(structuredClone(plain), '+05:30'), JSON.stringify(plain)];
        if (JSON.stringify(as) === is)
          throw new NotApplicable('no time that can be written in another offset stands in the record');
        const [one, other] = [await between(stage, [plain]), await between(stage, [as])];
        const contents = (items: InboundItem[]) => JSON.stringify(items.map(({ key, command }) => ({ key, command })));
        must(contents(one) === contents(other), `${contents(one)} became ${contents(other)}`);
        must(JSON.stringify(one.map(nameOf)) === JSON.stringify(other.map(nameOf)), 'its fingerprint is another');
      }),
  },
  {
    id: 'record.dst',
    level: 'safety',
    what: 'the time zone of the machine, and the hour that comes twice, change nothing',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        const { it } = stage;
        const { env } = process;
        const before = env.TZ;
        const told: string[] = [];
        try {
          for (const zone of ['UTC', 'America/New_York', 'Europe/London', 'Asia/Kolkata']) {
            env.TZ = zone;
            // The hour that is missing in London, the one that comes twice there, and both in New York.
            const hours = [
              '2026-03-29T01:30:00Z',
              '2026-10-25T00:30:00Z',
              '2026-10-25T01:30:00Z',
              '2026-03-08T07:30:00Z',
            ];
            const raws = hours.map((at, index) =>
              replaceLeaves(record(it, 2 + index), (leaf) => (isTime(leaf) ? at : leaf)),
            );
            // And one as it is: its times may be those of a clock on a wall, without an offset.
            raws.push(record(it, 2 + hours.length));
            told.push(JSON.stringify((await between(stage, raws)).map(({ command }) => command)));
          }
        } finally {
          if (before === undefined) delete env.TZ;
          else env.TZ = before;
        }
        must(new Set(told).size === 1, 'the same records mean something else where the machine stands in another zone');
      }),
  },
  {
    id: 'record.utc',
    level: 'contract',
    what: 'times in what was read are RFC 3339 in UTC',
    skip: hasFeeds,
    run: (bench) =>
      eachFeed(bench, async (stage) => {
        for (const { command } of await between(stage, [record(stage.it)]))
          for (const [name, value] of Object.entries(command ?? {}))
            if (/At$/.test(name) && typeof value === 'string')
              must(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value), `${name} is ${value}`);
      }),
  },
];

function isTime(leaf: unknown): boolean {
  return typeof leaf === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(leaf);
}

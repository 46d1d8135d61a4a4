/**
 * Files of one kind, one after the other.
 *
 * A file is taken when it is settled, copied to this machine's disk, and read from the copy: whoever writes to it meanwhile changes nothing
 * of what is read, and the copy only counts if the file was the same before and after. A page's cursor names the file, what was in it (its
 * digest) and how many records of it were handed over; a restart finds the file again by both and goes on behind them. A file is
 * archived when the next page is asked for, since the cursor that is handed back then proves that its last page is stored.
 */
import type { InboundItem } from '../../canonical/index.ts';
import { type Clock, type FeedPage, type Placed, type RecordReader, type Source, scopes } from '../kit/index.ts';
import { BadFile, type FileRecord, recordsOf } from './formats.ts';
import { CONTENT_TYPE, isMatch, type PageBody, readerOf, tellColumns, todoOf } from './map.ts';
import { type Position, positionOf, positionText } from './position.ts';
import type { Inbound } from './settings.ts';
import { Settle } from './settle.ts';
import { type Copy, copyOf } from './spool.ts';
import { type FileEntry, type FileStore, identityOf } from './store.ts';

/** Records a page; those of one order are never parted. */
const PAGE_RECORDS = 500;
const GROUP_RECORDS_MAX = 5_000;
const REASON_CHARS_MAX = 300;

interface Open {
  entry: FileEntry;
  copy: Copy;
  records: AsyncGenerator<FileRecord>;
  /** Read, and not yet handed over. */
  next: FileRecord | undefined;
  /** Why the rest of it can't be read; told after what was. */
  bad: BadFile | undefined;
  columns: readonly string[];
  /** Handed over with the page before. */
  count: number;
  ended: boolean;
}

export function fileSource(
  store: FileStore,
  inbound: Inbound,
  { system, channel, clock, at }: { system: string; channel: string | null; clock: Clock; at: string },
): Source & { close(): Promise<void> } {
  const { feed, folder, archive = `${folder}/archive`, reject = `${folder}/reject` } = inbound;
  const pageMax = inbound.pageRecords ?? PAGE_RECORDS;
  const reader: RecordReader = readerOf(inbound, at, system, channel);
  const settle = new Settle(inbound, clock);
  let open: Open | undefined;
  const itemsOf = (body: PageBody): InboundItem[] => {
    const items = reader.read(body.records.map((record) => placed(record, body)));
    for (const note of body.notes)
      items.push({
        scope: scopes.unreadable(system),
        key: note.key,
        fingerprint: note.key,
        itemNo: items.length,
        unreadable: { reason: note.reason, place: note.place, value: body.file, class: note.class },
      });
    return items;
  };

  async function leave(): Promise<void> {
    const here = open;
    open = undefined;
    await here?.records.return(undefined).catch(() => {});
    await here?.copy.remove();
  }

  /** Moves a file that was read, unless somebody changed it: then it is a new one, to be read. */
  async function putAway(position: Position, signal: AbortSignal): Promise<Position> {
    const { file = '', digest = '', bad } = position;
    const entry = await store.find(`${folder}/${file}`, signal);
    const isSame = entry !== null && identityOf(entry) === position.identity;
    const rest: Position = { columns: position.columns, kept: position.kept };
    const marker = inbound.settle.by === 'marker' ? inbound.settle.suffix : undefined;
    if (archive === null) return { ...rest, kept: [...(position.kept ?? []), nameOf(file, position.identity!)] };
    const target = bad === undefined ? archive : reject;
    if (isSame) {
      await store.makeFolder(target, signal);
      if (bad !== undefined) {
        const why = { file, digest, line: bad.line, reason: bad.reason };
        await store.write(`${target}/${file}.reason.json`, Buffer.from(`${JSON.stringify(why, null, 2)}\n`), signal);
      }
      let to = `${target}/${file}`;
      // The same name was here before; the same content under it, too, if a crash came right after a move.
      for (let n = 1; (await store.find(to, signal)) !== null; n++)
        to = `${target}/${file}.${digest.slice(0, 8)}${n === 1 ? '' : `.${n}`}`;
      await store.rename(`${folder}/${file}`, to, signal);
      const moved = await store.find(to, signal);
      // Changed between the look and the move: back with it, under its own name if that is free.
      if (moved !== null && identityOf(moved) !== position.identity) {
        const back = (await store.find(`${folder}/${file}`, signal)) === null ? file : `${digest.slice(0, 8)}.${file}`;
        await store.rename(to, `${folder}/${back}`, signal);
        return rest;
      }
    }
    if (marker !== undefined && (isSame || entry === null)) await store.remove(`${folder}/${file}${marker}`, signal);
    return rest;
  }

  async function begin(entry: FileEntry, position: Position, signal: AbortSignal): Promise<Open | null> {
    await leave();
    const copy = await copyOf(store, `${folder}/${entry.name}`, entry, signal);
    // Somebody was still at it.
    if (copy === null) {
      settle.forget(entry.name);
      return null;
    }
    const here: Open = {
      entry,
      copy,
      next: undefined,
      bad: undefined,
      columns: [],
      count: 0,
      ended: false,
      records: undefined!,
    };
    here.records = recordsOf(copy.read(), {
      format: inbound.format,
      encoding: inbound.encoding,
      lists: inbound.map.lines === undefined ? [] : [inbound.map.lines],
      finalNewline: inbound.finalNewline ?? false,
      onColumns: (columns) => {
        here.columns = columns;
        tellColumns(columns, reader.columns, inbound.newColumns ?? 'tell', position.columns);
      },
    });
    open = here;
    await advance(here);
    // Where a page before this restart ended.
    const done = position.digest === copy.digest ? (position.count ?? 0) : 0;
    while (here.count < done && here.next !== undefined) {
      here.count += 1;
      await advance(here);
    }
    return here;
  }

  async function advance(here: Open): Promise<void> {
    here.next = undefined;
    if (here.bad !== undefined || here.ended) return;
    try {
      const { value, done } = await here.records.next();
      if (done === true) here.ended = true;
      else here.next = value;
    } catch (error) {
      if (!(error instanceof BadFile)) throw error;
      here.bad = error;
    }
  }

  async function nextFile(
    position: Position,
    signal: AbortSignal,
  ): Promise<{ entry: FileEntry | undefined; more: boolean; kept: string[] }> {
    const all = await store.list(folder, signal);
    const found = all.filter(({ name }) => isMatch(name, inbound.match));
    const kept = (position.kept ?? []).filter((known) =>
      found.some((file) => nameOf(file.name, identityOf(file)) === known),
    );
    const fresh = found.filter((file) => !kept.includes(nameOf(file.name, identityOf(file))));
    const ready = settle.settled(fresh, all);
    const byTime = (one: FileEntry, other: FileEntry) => one.changedMs - other.changedMs;
    const byName = (one: FileEntry, other: FileEntry) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
    ready.sort((one, other) => (inbound.order === 'time' && byTime(one, other)) || byName(one, other));
    return { entry: ready[0], more: ready.length > 1, kept };
  }

  function pageOf(body: PageBody, position: Position, drained: boolean): FeedPage {
    const bytes = Buffer.from(JSON.stringify(body), 'utf8');
    return { body: bytes, contentType: CONTENT_TYPE, items: itemsOf(body), cursor: positionText(position), drained };
  }

  return {
    feed,
    reread: (bytes) => itemsOf(JSON.parse(bytes.toString('utf8')) as PageBody),
    close: leave,
    async poll(cursor, signal): Promise<FeedPage> {
      let position = positionOf(cursor, feed);
      const empty = (drained: boolean): FeedPage => {
        const nothing = Buffer.alloc(0);
        return { body: nothing, contentType: CONTENT_TYPE, items: [], cursor: positionText(position), drained };
      };
      if (position.ended === true) {
        await leave();
        position = await putAway(position, signal);
      }
      let here = open;
      const goesOn =
        here !== undefined &&
        here.entry.name === position.file &&
        here.copy.digest === position.digest &&
        here.count === position.count;
      if (!goesOn) {
        let entry: FileEntry | undefined;
        if (position.file !== undefined) {
          entry = (await store.find(`${folder}/${position.file}`, signal)) ?? undefined;
          // Somebody took it while it was read: what is left of it is told, and not waited for.
          if (entry === undefined) return gone(position);
          if (
            identityOf(entry) !== position.identity &&
            settle.settled([entry], await store.list(folder, signal)).length === 0
          )
            return empty(true);
        } else {
          const { entry: found, kept } = await nextFile(position, signal);
          position = { ...position, kept };
          entry = found;
        }
        if (entry === undefined) return empty(true);
        here = (await begin(entry, position, signal)) ?? undefined;
        if (here === undefined) return empty(true);
      }
      return await pageFrom(here!, position);
    },
  };

  async function pageFrom(here: Open, position: Position): Promise<FeedPage> {
    const { entry, copy } = here;
    const body: PageBody = {
      file: entry.name,
      changedAt: new Date(entry.changedMs).toISOString(),
      digest: copy.digest,
      records: [],
      notes: [],
    };
    const began = here.count;
    let count = began;
    let group: string | undefined;
    while (here.next !== undefined) {
      const record = here.next;
      const own = record.fault === undefined ? reader.groupOf({ ...record.values, ...ownOf(record, body) }) : undefined;
      const goesOn = own !== undefined && own === group && body.records.length < GROUP_RECORDS_MAX;
      if (body.records.length >= pageMax && !goesOn) break;
      group = own;
      body.records.push(record);
      count += 1;
      await advance(here);
    }
    const ended = here.next === undefined;
    const { bad } = here;
    const first = began === 0;
    const known = position.columns;
    const isNamed = inbound.format.kind === 'csv' && here.columns.length > 0;
    if (first && isNamed && bad === undefined && known !== undefined && known.join('\n') !== here.columns.join('\n'))
      body.notes.push({
        key: `columns:${feed}:${copy.digest}`,
        class: 'file_columns_new',
        reason: `the columns changed${changeOf(known, here.columns)}; the file is read, as the map finds all it needs: ${todoOf('file_columns_new', null)}`,
        place: '/line/1',
      });
    if (bad !== undefined && ended) {
      const reason = bad.message.slice(0, REASON_CHARS_MAX);
      body.notes.push({
        key: `file:${feed}:${copy.digest}`,
        class: bad.class,
        reason: `${entry.name} ${reason}: ${todoOf(bad.class, archive === null ? null : reject)}`,
        place: `/line/${bad.line}`,
      });
    }
    const next: Position = {
      file: entry.name,
      identity: identityOf(entry),
      digest: copy.digest,
      count,
      ...(ended && { ended: true }),
      ...(ended && bad !== undefined && { bad: { reason: bad.message.slice(0, REASON_CHARS_MAX), line: bad.line } }),
      columns: isNamed && bad === undefined ? [...here.columns] : position.columns,
      kept: position.kept,
    };
    here.count = count;
    return pageOf(body, next, false);
  }

  function gone(position: Position): FeedPage {
    const { file = '', digest = '', count = 0 } = position;
    const body: PageBody = {
      ...{ file, changedAt: '', digest, records: [] },
      notes: [
        {
          key: `gone:${feed}:${digest}`,
          class: 'file_gone',
          reason: `${file} was taken away while it was read; ${count} records of it were handed over: ${todoOf('file_gone', null)}`,
          place: `/record/${count}`,
        },
      ],
    };
    const bytes = Buffer.from(JSON.stringify(body), 'utf8');
    const cursor = positionText({ columns: position.columns, kept: position.kept });
    return { body: bytes, contentType: CONTENT_TYPE, items: itemsOf(body), cursor, drained: false };
  }
}

/** Records, with what the file itself says of them: `$file`, `$changedAt`, `$line` and `$ref`, which names a record of a file. */
function placed(record: FileRecord, body: PageBody): Placed {
  const { line, values, fault } = record;
  return { place: `/line/${line}`, values, own: ownOf(record, body), ...(fault !== undefined && { fault }) };
}

function ownOf({ line }: FileRecord, { file, changedAt }: PageBody): Record<string, string> {
  return { $file: file, $changedAt: changedAt, $line: String(line), $ref: `${file}:${line}` };
}

function nameOf(file: string, identity: string): string {
  return `${file}|${identity}`;
}

function changeOf(before: readonly string[], after: readonly string[]): string {
  const added = after.filter((name) => !before.includes(name));
  const gone = before.filter((name) => !after.includes(name));
  if (added.length + gone.length === 0) return ' their order';
  return `${added.length > 0 ? `; new: ${added.join(', ')}` : ''}${gone.length > 0 ? `; gone: ${gone.join(', ')}` : ''}`.slice(
    0,
    250,
  );
}

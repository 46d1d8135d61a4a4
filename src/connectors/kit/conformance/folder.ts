/** A folder of this machine that stands in for a partner's drop box. What it is asked for is brought there before each poll. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FeedRow, FeedRows, Spoil, Stand } from './describe.ts';

export interface FolderFeed {
  /** Where the connector looks for its files. */
  folder: string;
  /** A name that it takes, the same for all files of a number. */
  name(number: number): string;
  /** The whole file of these records, as the partner writes it. */
  text(records: readonly unknown[]): string;
  /** Where it puts what it has read. */
  archive?: string;
  /** Of files whose columns have names: the same records with one thing about the columns changed. */
  columns?: Readonly<Record<ColumnChange, (text: string) => string>>;
}

export const columnChanges = ['reordered', 'added', 'removed', 'renamed', 'twice'] as const;
export type ColumnChange = (typeof columnChanges)[number];

export interface FolderDescription {
  feeds: Readonly<Record<string, FolderFeed>>;
  /** By kind of delivery, the folder that its files go to. */
  deliveries: Readonly<Record<string, string>>;
}

/** What only a folder can do. */
export interface Folder extends FolderDescription {
  /** Puts a file there as partners should: under another name first. @returns its name */
  put(feed: string, content: string | Buffer, number?: number): string;
  /** Puts something there under any name. */
  drop(feed: string, name: string, content: string | Buffer): void;
  remove(path: string): void;
  /** Names of what is there under a name that nobody picks up. */
  unfinished(folder: string): string[];
  /** Overwrites it, or adds to it, where it lies. */
  overwrite(feed: string, content: string | Buffer, number?: number): void;
  take(feed: string, number?: number): void;
  /** Names of the files in a folder; what is hidden is not counted. */
  there(folder: string): string[];
  read(path: string): string;
  /** Puts something in the place of a folder that can't be listed or written to. Root may do anything, so rights say nothing. */
  block(folder: string): void;
  unblock(folder: string): void;
  /** From now on the rows are not brought: a check puts files there by itself. */
  rows: 'brought' | 'left';
}

/**
 * The rows of a feed are one file, as if the partner sent all it has each time something changes: under the same name, over what
 * lies there, which is the worst that partners do.
 */
export function folderStand(rows: FeedRows, spoil: Spoil, description: FolderDescription): Stand {
  const root = mkdtempSync(join(tmpdir(), 'crossdock-stand-'));
  const at = (...parts: string[]) => join(root, ...parts);
  const brought = new Map<string, string>();
  const folders = [
    ...Object.values(description.feeds).map(({ folder }) => folder),
    ...Object.values(description.deliveries),
  ];
  for (const folder of folders) mkdirSync(at(folder), { recursive: true });
  const pathOf = (feed: string, number: number) => {
    const { folder, name } = description.feeds[feed]!;
    return at(folder, name(number));
  };
  const blocked = (name: string) => at(`.blocked-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`);
  const folder: Folder = {
    ...description,
    rows: 'brought',
    put(feed, content, number = 1) {
      const path = pathOf(feed, number);
      const unfinished = join(dirname(path), '.unfinished');
      writeFileSync(unfinished, content);
      renameSync(unfinished, path);
      return description.feeds[feed]!.name(number);
    },
    drop: (feed, name, content) => writeFileSync(at(description.feeds[feed]!.folder, name), content),
    remove: (path) => rmSync(at(path)),
    unfinished: (name) =>
      readdirSync(at(name), { withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.startsWith('.'))
        .map((entry) => entry.name),
    overwrite: (feed, content, number = 1) => writeFileSync(pathOf(feed, number), content),
    take: (feed, number = 1) => rmSync(pathOf(feed, number)),
    there: (name) =>
      !existsSync(at(name))
        ? []
        : readdirSync(at(name), { withFileTypes: true })
            .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
            .map((entry) => entry.name)
            .sort(),
    read: (path) => readFileSync(at(path), 'utf8'),
    block(name) {
      if (existsSync(at(name))) renameSync(at(name), blocked(name));
      else mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), '');
    },
    unblock(name) {
      rmSync(at(name));
      if (existsSync(blocked(name))) renameSync(blocked(name), at(name));
    },
  };

  function bring(feed: string, list: readonly FeedRow[]): void {
    const records = list.map(({ raw }) => raw);
    const content = spoil(description.feeds[feed]!.text(records));
    const digest = createHash('sha256').update(content).digest('hex');
    // Nothing changed, or nothing ever came.
    if (brought.get(feed) === digest || (records.length === 0 && !brought.has(feed))) return;
    brought.set(feed, digest);
    folder.put(feed, content);
  }

  return {
    url: pathToFileURL(root).href,
    folder,
    async bring() {
      if (folder.rows === 'brought') for (const [feed, list] of Object.entries(rows)) bring(feed, list);
    },
    /** Files that went out; marks of ours, which are hidden, are not seen by anybody. */
    writes: () => Object.values(description.deliveries).reduce((sum, name) => sum + folder.there(name).length, 0),
    effects(kind, reference) {
      const name = description.deliveries[kind]!;
      const quoted = JSON.stringify(reference).slice(1, -1);
      return folder.there(name).filter((file) => folder.read(join(name, file)).includes(quoted)).length;
    },
    close: async () => rmSync(root, { recursive: true, force: true }),
  };
}

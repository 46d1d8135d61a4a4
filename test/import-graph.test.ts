/**
 * The walls between rooms, kept without packages: who imports whom is read from the source. A room is a folder below `src/`;
 * each system's connector and the kit are rooms of their own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** What a room may import. Each line stands on the ones above it. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  canonical: [],
  store: ['canonical'],
  // Calendars and sourcing: pure.
  promise: ['canonical'],
  'connectors/kit': ['canonical'],
  connector: ['connectors/kit', 'canonical'],
  // The kit for the type of a connector that an estate brings along.
  estate: ['connectors/kit', 'promise', 'canonical'],
  log: ['store', 'canonical'],
  master: ['log', 'promise', 'store', 'canonical'],
  ledger: ['log', 'master', 'store', 'canonical'],
  pricing: ['log', 'master', 'store', 'canonical'],
  projections: ['log', 'master', 'store', 'canonical'],
  // What accounts may owe is decided with their orders, before stock is locked.
  credit: ['log', 'master', 'store', 'canonical'],
  modes: ['log', 'master', 'store', 'canonical'],
  orders: ['modes', 'credit', 'pricing', 'ledger', 'log', 'master', 'promise', 'store', 'canonical'],
  // Orders and ledger, too: keys, order, stock and facts of a message are one transaction, so ingest runs the order batch.
  ingest: ['connectors/kit', 'orders', 'credit', 'pricing', 'ledger', 'log', 'master', 'store', 'canonical'],
  // As well: a confirmed delivery and what it does to its order are one transaction; numbers are set aside before they are sent.
  outbound: ['connectors/kit', 'orders', 'pricing', 'ledger', 'log', 'master', 'store', 'canonical'],
  reconcile: ['connectors/kit', 'outbound', 'orders', 'pricing', 'ledger', 'log', 'master', 'store', 'canonical'],
  ops: [
    'reconcile',
    'projections',
    'ingest',
    'outbound',
    'orders',
    'pricing',
    'ledger',
    'log',
    'master',
    'store',
    'canonical',
  ],
  // The kit for its keys: the same thing by API and by feed must have the same key.
  api: [
    ...['connectors/kit', 'ops', 'reconcile', 'projections', 'ingest', 'outbound', 'orders', 'ledger', 'log', 'master'],
    ...['modes', 'credit', 'pricing', 'promise', 'estate', 'store', 'canonical'],
  ],
};
/** Where connectors meet the rest. */
const everything = new Set(['app', 'server', 'cli', 'connectors', 'index']);

/** Files other than index.ts that another room may import, and why. */
const sideDoors: Readonly<Record<string, string>> = {
  'canonical/errors.ts': 'what starts in 60 ms loads nothing else of the language',
  'store/migrate.ts': 'administration: not for rooms, and without the pool',
  'store/doctor.ts': 'administration: not for rooms, and without the pool',
  'store/embedded/index.ts': 'a door of its own: whoever has a server never loads it',
  'connectors/kit/conformance/index.ts': 'a door of its own: no hub loads the suite and its server',
  'estate/nearest.ts': 'the nearest right word, for headings of CSV files; the estate itself is not loaded',
};

interface Import {
  from: string;
  to: string;
}

function sources(folder: string): string[] {
  const all = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** Imports and re-exports, static and dynamic, of files of ours. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  for (const pattern of [/\bfrom\s+'(\.[^']+)'/g, /\bimport\s*\(\s*'(\.[^']+)'/g, /^import\s+'(\.[^']+)'/gm])
    for (const match of text.matchAll(pattern))
      found.push({ from: file, to: normalize(join(dirname(file), match[1]!)) });
  return found;
}

function roomOf(file: string): string {
  const [top, room, ...rest] = file.split('/');
  if (top !== 'src') return top!;
  if (rest.length === 0) return room!.replace(/\.ts$/, '');
  return room === 'connectors' && rest.length > 1 ? `connectors/${rest[0]}` : room!;
}

const isForTests = (file: string) => /\.test\.ts$|\/testing\.ts$|\/testing\//.test(file);
const told = ({ from, to }: Import) => `${from} imports ${to}`;

const src = sources('src').flatMap(importsOf);
const code = src.filter(({ from }) => !isForTests(from));

describe('rooms', () => {
  it('the files that are imported are there', () => {
    expect(src.length).toBeGreaterThan(500);
    expect(src.filter(({ to }) => !existsSync(join(root, to))).map(told)).toEqual([]);
  });

  it('import only what lies below them', () => {
    const wrong = code.filter((one) => {
      const [from, to] = [roomOf(one.from), roomOf(one.to)];
      if (from === to || everything.has(from)) return false;
      const isConnector = from.startsWith('connectors/') && from !== 'connectors/kit';
      return !allowed[isConnector ? 'connector' : from]?.includes(to);
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('import others through their door', () => {
    const wrong = code.filter(({ from, to }) => {
      const room = roomOf(to);
      if (roomOf(from) === room || to === `src/${room}.ts`) return false;
      return to !== `src/${room}/index.ts` && sideDoors[to.slice(4)] === undefined;
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('have no side door that nobody uses', () => {
    const used = new Set(code.filter(({ from, to }) => roomOf(from) !== roomOf(to)).map(({ to }) => to.slice(4)));
    expect(Object.keys(sideDoors).filter((door) => !used.has(door))).toEqual([]);
  });

  it('are all in the table', () => {
    const rooms = new Set(sources('src').map(roomOf));
    const known = (room: string) =>
      everything.has(room) || allowed[room] !== undefined || existsSync(join(root, 'src', room, 'map.ts'));
    expect([...rooms].filter((room) => !known(room))).toEqual([]);
  });

  it('have no circle among their files', () => {
    const next = new Map<string, string[]>();
    // A type is gone when the code runs.
    for (const file of sources('src').filter((name) => !isForTests(name))) {
      const text = readFileSync(join(root, file), 'utf8').replaceAll(/^import type [^;]+;/gm, '');
      const targets = [...text.matchAll(/\bfrom\s+'(\.[^']+)'/g)].map((m) => normalize(join(dirname(file), m[1]!)));
      next.set(file, targets);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) circles.push([...path.slice(at), file].join(' > '));
      if (at >= 0 || done.has(file)) return;
      for (const target of next.get(file) ?? []) walk(target, [...path, file]);
      done.add(file);
    };
    for (const file of next.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });
});

describe('walls around the whole', () => {
  it('the hub knows nothing of the simulated estate, of tests or of benchmarks', () => {
    expect(code.filter(({ to }) => !to.startsWith('src/')).map(told)).toEqual([]);
    const tests = src.filter(({ from }) => isForTests(from));
    expect(tests.filter(({ to }) => !to.startsWith('src/') && !to.startsWith('test/helpers/')).map(told)).toEqual([]);
  });

  it('code does not import what is for tests', () => {
    expect(code.filter(({ to }) => isForTests(to)).map(told)).toEqual([]);
  });

  it('the simulated estate shares nothing with the hub', () => {
    const sim = sources('sim').flatMap(importsOf);
    expect(sim.length).toBeGreaterThan(50);
    expect(sim.filter(({ to }) => !to.startsWith('sim/')).map(told)).toEqual([]);
  });

  it('the observer judges without a line of the hub', () => {
    const observer = sources('test/observer').filter((file) => !file.endsWith('.db.test.ts'));
    const imports = observer.flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter(({ to }) => to.startsWith('src/')).map(told)).toEqual([]);
  });

  it('connectors know neither database nor each other', () => {
    const wrong = code.filter(({ from, to }) => {
      const [room, other] = [roomOf(from), roomOf(to)];
      return room.startsWith('connectors/') && room !== other && !['connectors/kit', 'canonical'].includes(other);
    });
    expect(wrong.map(told)).toEqual([]);
    // One reaches other systems' databases, whose address an estate gives; the other stands in for one, and no hub loads it.
    const reaching = sources('src/connectors').filter(
      (file) => !isForTests(file) && /['"]pg['"]/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(reaching.sort()).toEqual([
      'src/connectors/kit/conformance/database.ts',
      'src/connectors/kit/sql/postgres.ts',
    ]);
  });
});

/**
 * Starts, stops and resets peers of one state folder. A peer's folder there holds its packages, its PostgreSQL with the seeded
 * template, logs, pid files, `made.json` (what the template was made of) and `up.json` (how to reach it).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../kinds.ts';
import { PeerFault } from './fault.ts';
import { debianVersions, installApp, installDebian, isOpenToOthers, refuseFullDisk } from './install.ts';
import { type Keys, PeerContext, type PeerKind, portOf } from './kind.ts';
import { withLock } from './lock.ts';
import { isPortFree } from './ports.ts';
import { PeerPostgres, PG_PACKAGE, postgresBin } from './postgres.ts';
import { memoryMibOf } from './processes.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const PEERS = join(root, 'test', 'peers');
const PORT_SHIFTS = 20;
const PORT_SHIFT_STEP = 1000;

export interface UpPeer extends Keys {
  readonly name: string;
  readonly url: string;
}

export interface PeerStatus {
  readonly name: string;
  readonly state: 'up' | 'down' | 'half' | 'absent';
  readonly url?: string;
  readonly memoryMib?: number;
  readonly postgresMib?: number;
}

/** What one action did, for a person and for `--json`. */
export interface PeerReport {
  readonly name: string;
  readonly did: 'started' | 'was up' | 'restarted' | 'stopped' | 'was down' | 'reset' | 'wiped';
  readonly seconds: number;
  readonly built: boolean;
  readonly url?: string;
}

/** Below the checkout, so that a second run finds the templates; elsewhere where PostgreSQL's user could not walk in. */
export function stateFolder(): string {
  if (process.env.PEER_STATE_DIR) return process.env.PEER_STATE_DIR;
  const folder = join(root, '.crossdock', 'peers');
  if (process.getuid?.() !== 0 || isOpenToOthers(folder)) return folder;
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 8);
  return join(process.env.TMPDIR ?? '/tmp', `crossdock-peers-${mark}`);
}

export function kindsOf(names: readonly string[]): PeerKind[] {
  if (names.length === 0) return [...kinds];
  return names.map((name) => {
    const kind = kinds.find((one) => one.name === name);
    if (kind) return kind;
    const known = kinds.map((one) => one.name).join(', ');
    throw new PeerFault('unknown_peer', { what: `there is no peer ${name}`, next: `the peers are ${known}` });
  });
}

export class Peers {
  readonly folder: string;
  readonly #shift: number;
  readonly #say: (line: string) => void;

  constructor(
    say: (line: string) => void,
    { folder = stateFolder(), shift = Number(process.env.PEER_PORT_SHIFT ?? 0) } = {},
  ) {
    this.folder = folder;
    this.#shift = shift;
    this.#say = say;
  }

  /** @param fresh one that is not running begins with what was seeded */
  async up(kind: PeerKind, { fresh = false } = {}): Promise<PeerReport> {
    return this.#locked(kind, async (peer, seconds) => {
      refuseFullDisk(peer.folder, existsSync(peer.file('made.json')) ? 50 : kind.diskMb);
      const wasPgUp = await this.#install(peer);
      const built = await this.#make(peer);
      const settings = settingsOf(peer);
      const programs = kind.programs(peer);
      const isRunning = programs.some(({ name }) => peer.runningOf(name));
      const isOther = isRunning && readOr(peer.file('settings.json')) !== settings;
      if (isOther) await this.#stopPrograms(peer);
      if (built || !existsSync(peer.file('live.ok')) || (fresh && !isRunning)) await this.#restore(peer);
      let started = false;
      for (const program of kind.programs(peer)) started = (await peer.start(program)) || started;
      writeFileSync(peer.file('settings.json'), settings);
      const made = JSON.parse(readFileSync(peer.file('made.json'), 'utf8')) as { keys: Keys };
      const up: UpPeer = { ...made.keys, ...kind.keys(peer), name: kind.name, portShift: this.#shift };
      writeFileSync(peer.file('up.json'), `${JSON.stringify(up, null, 1)}\n`, { mode: 0o600 });
      const wasUp = programs.length === 0 ? !built && wasPgUp : !started;
      const did = isOther ? 'restarted' : wasUp ? 'was up' : 'started';
      return { name: kind.name, did, seconds: seconds(), built, url: up.url };
    });
  }

  async reset(kind: PeerKind): Promise<PeerReport> {
    return this.#locked(kind, async (peer, seconds) => {
      if (!existsSync(peer.file('made.json')))
        throw new PeerFault('step_failed', {
          what: `${kind.name} was never started in this state folder`,
          where: this.folder,
          next: `run: npm run peers -- up ${kind.name}`,
        });
      const wasUp = existsSync(peer.file('up.json'));
      if (peer.hasPostgres) await peer.pg.start();
      await this.#stopPrograms(peer);
      await this.#restore(peer);
      if (wasUp) for (const program of kind.programs(peer)) await peer.start(program);
      else if (peer.hasPostgres) await peer.pg.stop();
      return { name: kind.name, did: 'reset', seconds: seconds(), built: false };
    });
  }

  async down(kind: PeerKind, { wipe = false } = {}): Promise<PeerReport> {
    const folder = join(this.folder, kind.name);
    if (!existsSync(folder)) return { name: kind.name, did: 'was down', seconds: 0, built: false };
    return this.#locked(kind, async (peer, seconds) => {
      const programs = await this.#stopPrograms(peer);
      const wasUp = programs || (peer.hasPostgres && (await peer.pg.isRunning()));
      if (peer.hasPostgres) await peer.pg.stop();
      rmSync(peer.file('up.json'), { force: true });
      if (wipe) rmSync(folder, { recursive: true, force: true });
      const did = wipe ? 'wiped' : wasUp ? 'stopped' : 'was down';
      return { name: kind.name, did, seconds: seconds(), built: false };
    });
  }

  async status(kind: PeerKind): Promise<PeerStatus> {
    const folder = join(this.folder, kind.name);
    if (!existsSync(join(folder, 'made.json')))
      return { name: kind.name, state: existsSync(folder) ? 'half' : 'absent' };
    const peer = this.#peer(kind);
    const pids = readdirSync(folder)
      .filter((name) => name.endsWith('.pid'))
      .map((name) => peer.runningOf(name.slice(0, -'.pid'.length)))
      .filter((id) => id !== undefined);
    const hasPg = peer.hasPostgres && (await peer.pg.isRunning());
    const up = readUp(folder);
    if (!up || (pids.length === 0 && !hasPg)) return { name: kind.name, state: 'down' };
    return {
      name: kind.name,
      state: pids.length === 0 && kind.programs(peer).length > 0 ? 'half' : 'up',
      url: up.url,
      memoryMib: pids.reduce((sum, { pid }) => sum + memoryMibOf(pid), 0),
      ...(hasPg ? { postgresMib: peer.pg.memoryMib() } : {}),
    };
  }

  /** Ends one process of a peer as a crash would, for tests of faults. */
  kill(kind: PeerKind, program: string): Promise<boolean> {
    return this.#peer(kind).stop(program, 'SIGKILL');
  }

  /** @returns whether its PostgreSQL was running before */
  async #install(peer: PeerContext): Promise<boolean> {
    const { kind } = peer;
    const debian = [...kind.debian, ...(kind.database && !postgresBin() ? [PG_PACKAGE] : [])];
    // Side by side: apt waits for its servers, npm for its own.
    await Promise.all([
      installDebian(peer.folder, debian).then(() => kind.install?.(peer)),
      kind.app ? installApp(join(peer.source, kind.app), peer.folder) : undefined,
    ]);
    if (!peer.hasPostgres || (await peer.pg.isRunning())) return peer.hasPostgres;
    await peer.pg.start();
    return false;
  }

  /** @returns whether the template had to be made: there was none, it was half-finished, or made of something else */
  async #make(peer: PeerContext): Promise<boolean> {
    const key = keyOf(peer);
    const stamp = peer.file('made.json');
    const half = peer.file('making');
    if (readKey(stamp) === key && !existsSync(half)) return false;
    if (existsSync(half)) peer.say('an earlier set-up stopped half-way; making it again');
    else if (existsSync(stamp)) peer.say('what it is made of has changed; making it again');
    await this.#stopPrograms(peer);
    rmSync(stamp, { force: true });
    rmSync(peer.file('live.ok'), { force: true });
    writeFileSync(half, '');
    const keys = (await peer.kind.make?.(peer)) ?? {};
    writeFileSync(stamp, JSON.stringify({ key, keys }));
    rmSync(half);
    return true;
  }

  async #restore(peer: PeerContext): Promise<void> {
    rmSync(peer.file('live.ok'), { force: true });
    await peer.kind.restore?.(peer);
    writeFileSync(peer.file('live.ok'), '');
  }

  /** All that has a pid file, also what other settings had started. */
  async #stopPrograms(peer: PeerContext): Promise<boolean> {
    const names = readdirSync(peer.folder).filter((name) => name.endsWith('.pid'));
    const ended = await Promise.all(names.map((name) => peer.stop(name.slice(0, -'.pid'.length))));
    return ended.includes(true);
  }

  #peer(kind: PeerKind): PeerContext {
    const folder = join(this.folder, kind.name);
    const pg = kind.database
      ? new PeerPostgres(kind.name, folder, portOf(kind, 'pg', this.#shift), kind.ports.pg![0])
      : undefined;
    const say = (line: string) => this.#say(`${kind.name}: ${line}`);
    return new PeerContext(kind, { folder, source: join(PEERS, kind.name), shift: this.#shift, pg, say });
  }

  async #locked<T>(kind: PeerKind, work: (peer: PeerContext, seconds: () => number) => Promise<T>): Promise<T> {
    const peer = this.#peer(kind);
    mkdirSync(peer.folder, { recursive: true, mode: 0o755 });
    if (process.getuid?.() === 0 && kind.database && !isOpenToOthers(peer.folder))
      throw new PeerFault('folder_closed', {
        what: 'PostgreSQL can not run as root, and its own user may not walk into the state folder',
        where: peer.folder,
        next: 'set PEER_STATE_DIR to a folder that everybody may walk into, for example below /var/tmp',
      });
    const from = Date.now();
    const seconds = () => Math.round((Date.now() - from) / 100) / 10;
    return withLock(join(this.folder, `${kind.name}.lock`), peer.say, () => work(peer, seconds));
  }
}

/** The first shift at which every port of these peers is free. */
export async function freeShift(chosen: readonly PeerKind[], first = 0): Promise<number> {
  for (let n = 0; n < PORT_SHIFTS; n++) {
    const shift = first + n * PORT_SHIFT_STEP;
    const ports = chosen.flatMap((kind) => Object.keys(kind.ports).map((name) => portOf(kind, name, shift)));
    if ((await Promise.all(ports.map(isPortFree))).every(Boolean)) return shift;
  }
  return first;
}

/** How to reach a peer, as its last `up` wrote it. */
export function readUp(folder: string): UpPeer | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'up.json'), 'utf8')) as UpPeer;
  } catch {
    return undefined;
  }
}

/** Everything that a template is made of: the peer's files, the shared SKUs, package versions, and the peer's variant. */
function keyOf(peer: PeerContext): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(peer.source)) hash.update(file).update(readFileSync(join(peer.source, file)));
  hash.update(readFileSync(join(PEERS, 'skus.ts')));
  for (const [name, version] of debianVersions(peer.kind.debian)) hash.update(`${name} ${version}\n`);
  hash.update(`${peer.kind.database ? postgresBin() : ''}\n${peer.kind.variant?.() ?? ''}`);
  return hash.digest('hex');
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md') && !entry.name.endsWith('.test.ts'))
    .filter((entry) => !/\.live\.|node_modules|client\.ts/.test(join(entry.parentPath, entry.name)))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** What the running processes were started with; with other settings they are started again. */
function settingsOf(peer: PeerContext): string {
  const programs = peer.kind
    .programs(peer)
    .map(({ name, command: { file, args, env } }) => ({ name, file, args, env }));
  return JSON.stringify(programs);
}

function readKey(stamp: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(stamp, 'utf8')) as { key: string }).key;
  } catch {
    return undefined;
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

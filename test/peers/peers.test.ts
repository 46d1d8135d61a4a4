/** The command that starts and stops the real systems, with a small server in their place. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOT_HERE, PeerFault } from './lib/fault.ts';
import { refuseFullDisk, refuseWithoutApt } from './lib/install.ts';
import { httpUp, type PeerKind } from './lib/kind.ts';
import { freeShift, Peers } from './lib/manager.ts';
import { isPortFree } from './lib/ports.ts';
import { identify, isSame, pidFileIn, runningOf, startProcess } from './lib/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const SERVER = `require('node:http').createServer((q, a) => a.end('fine')).listen(Number(process.argv[1]), '127.0.0.1')`;

let folder: string;
let port: number;
let said: string[];
let made: number;
let greeting: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crossdock-peers-'));
  port = await somePort();
  process.env.FAKE_PORT = String(port);
  [said, made, greeting] = [[], 0, 'first'];
});

afterEach(async () => {
  await peers().down(fake());
  rmSync(folder, { recursive: true, force: true });
  delete process.env.FAKE_PORT;
});

const peers = () => new Peers((line) => said.push(line), { folder, shift: 0 });
const file = (...path: string[]) => join(folder, 'fake', ...path);
const pidOf = (name = 'server') => runningOf(pidFileIn(file(), name))?.pid;

function fake(changes: Partial<PeerKind> = {}): PeerKind {
  return {
    name: 'fake',
    role: 'a server',
    ports: { main: ['FAKE_PORT', 1] },
    debian: [],
    diskMb: 1,
    make: async (peer) => {
      made++;
      writeFileSync(peer.file('template'), `seeded ${made}`);
      return { token: `key ${made}` };
    },
    restore: async (peer) => writeFileSync(peer.file('data'), readFileSync(peer.file('template'))),
    programs: (peer) => [
      {
        name: 'server',
        ports: [{ port: peer.port(), variable: peer.variable() }],
        secondsMax: 20,
        isUp: httpUp(`http://127.0.0.1:${peer.port()}/`, 'fine'),
        command: { file: process.execPath, args: ['-e', SERVER, String(peer.port()), greeting], cwd: folder },
      },
    ],
    keys: (peer) => ({ url: `http://127.0.0.1:${peer.port()}` }),
    ...changes,
  };
}

describe('up and down', { timeout: 30_000 }, () => {
  it('twice up is one start, and twice down is one stop', async () => {
    expect(await peers().up(fake())).toMatchObject({ did: 'started', built: true, url: `http://127.0.0.1:${port}` });
    const pid = pidOf();
    expect(await peers().up(fake())).toMatchObject({ did: 'was up', built: false });
    expect([pidOf(), made]).toEqual([pid, 1]);
    expect(JSON.parse(readFileSync(file('up.json'), 'utf8'))).toMatchObject({ name: 'fake', token: 'key 1' });
    expect(await peers().status(fake())).toMatchObject({ state: 'up', memoryMib: expect.any(Number) });
    expect(await peers().down(fake())).toMatchObject({ did: 'stopped' });
    expect(await peers().down(fake())).toMatchObject({ did: 'was down' });
    expect([await isPortFree(port), (await peers().status(fake())).state]).toEqual([true, 'down']);
  });

  it('two at once are one start', async () => {
    const both = await Promise.all([peers().up(fake()), peers().up(fake())]);
    expect(both.map((one) => one.did).sort()).toEqual(['started', 'was up']);
    expect(made).toBe(1);
  });

  it('a later start keeps the data, --fresh and reset go back to the seed, and neither seeds again', async () => {
    await peers().up(fake());
    const data = () => readFileSync(file('data'), 'utf8');
    writeFileSync(file('data'), 'sold out');
    await peers().down(fake());
    await peers().up(fake());
    expect(data()).toBe('sold out');
    const pid = pidOf();
    expect(await peers().reset(fake())).toMatchObject({ did: 'reset' });
    expect(data()).toBe('seeded 1');
    expect(pidOf()).not.toBe(pid);
    writeFileSync(file('data'), 'sold out');
    await peers().up(fake(), { fresh: true });
    expect(data()).toBe('sold out'); // it runs: somebody works with it
    await peers().down(fake());
    await peers().up(fake(), { fresh: true });
    expect([data(), made]).toEqual(['seeded 1', 1]);
  });

  it('a reset leaves what was down as it was', async () => {
    await peers().up(fake());
    await peers().down(fake());
    await peers().reset(fake());
    expect((await peers().status(fake())).state).toBe('down');
  });

  it('other settings start it again, and another variant seeds again', async () => {
    await peers().up(fake());
    const pid = pidOf();
    greeting = 'second';
    expect(await peers().up(fake())).toMatchObject({ did: 'restarted', built: false });
    expect(pidOf()).not.toBe(pid);
    expect(await peers().up(fake({ variant: () => 'more' }))).toMatchObject({ built: true });
    expect(made).toBe(2);
  });

  it('--wipe removes its folder and nobody else’s', async () => {
    mkdirSync(join(folder, 'other'));
    await peers().up(fake());
    expect(await peers().down(fake(), { wipe: true })).toMatchObject({ did: 'wiped' });
    expect([existsSync(file()), existsSync(join(folder, 'other'))]).toEqual([false, true]);
  });
});

describe('what went wrong before', { timeout: 30_000 }, () => {
  it('a half-finished set-up is done again from the start, and what it left running is ended', async () => {
    let left = 0;
    const broken = fake({
      make: async (peer) => {
        left = startProcess(peer.file('server.pid'), peer.file('server.log'), peer.kind.programs(peer)[0]!.command).pid;
        throw new Error('killed here');
      },
    });
    await expect(peers().up(broken)).rejects.toThrow('killed here');
    const id = identify(left);
    expect([isSame(id), (await peers().status(fake())).state]).toEqual([true, 'half']);
    expect(await peers().up(fake())).toMatchObject({ did: 'started', built: true });
    expect([isSame(id), made]).toEqual([false, 1]);
    expect(said).toContain('fake: an earlier set-up stopped half-way; making it again');
  });

  it('a lock whose holder was killed is taken over', async () => {
    const ended = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
    const holder = identify(ended.pid!);
    writeFileSync(join(folder, 'fake.lock'), JSON.stringify(holder));
    const waiting = peers().up(fake());
    await expect.poll(() => said, { timeout: 20_000 }).toContain('fake: another command is at work on it, waiting');
    expect(made).toBe(0);
    ended.kill('SIGKILL');
    expect(await waiting).toMatchObject({ did: 'started' });
  });

  it('a process that ended by itself is started again', async () => {
    await peers().up(fake());
    await peers().kill(fake(), 'server');
    expect((await peers().status(fake())).state).toBe('down');
    expect(await peers().up(fake())).toMatchObject({ did: 'started', built: false });
  });

  it('one that ends while it starts is named at once with the end of its log', async () => {
    const dying = fake();
    const programs: PeerKind['programs'] = (peer) =>
      dying
        .programs(peer)
        .map((one) => ({ ...one, command: { ...one.command, args: ['-e', 'throw Error("no licence")'] } }));
    const fault = await peers()
      .up({ ...dying, programs })
      .catch((error) => error);
    expect(fault).toMatchObject({ reason: 'silent', message: 'server ended while it started' });
    expect(fault.why).toContain('no licence');
  });
});

describe('what is not ours', { timeout: 30_000 }, () => {
  it('a taken port is refused with its variable, and whoever has it is left alone', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    const fault = await peers()
      .up(fake())
      .catch((error) => error);
    expect(fault).toBeInstanceOf(PeerFault);
    expect([fault.reason, fault.where]).toEqual(['port_taken', `127.0.0.1:${port}`]);
    expect(fault.next).toContain('FAKE_PORT');
    expect([other.listening, existsSync(file('server.pid'))]).toEqual([true, false]);
    // Tests move all ports at once until they fit.
    delete process.env.FAKE_PORT;
    const moved = fake({ ports: { main: ['FAKE_PORT', port] } });
    expect(await freeShift([moved])).toBeGreaterThan(0);
    await new Promise((done) => other.close(done));
    expect(await freeShift([moved])).toBe(0);
  });

  it('a process that got the number of one of ours is not ended', async () => {
    await peers().up(fake());
    const own = pidOf()!;
    const stranger = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
    const pid = stranger.pid!;
    writeFileSync(file('server.pid'), JSON.stringify({ pid, started: '1' }));
    expect(await peers().down(fake())).toMatchObject({ did: 'was down' });
    expect(isSame(identify(pid)) && stranger.exitCode === null).toBe(true);
    stranger.kill('SIGKILL');
    process.kill(own, 'SIGKILL');
  });
});

describe('what a machine lacks', () => {
  it('no apt-get is a reason to skip, a full disk is not', () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    const apt = catching(() => refuseWithoutApt(['tryton-server']));
    process.env.PATH = path;
    const disk = catching(() => refuseFullDisk(folder, 1e12));
    expect([apt.reason, disk.reason]).toEqual(['apt_missing', 'disk_full']);
    expect([NOT_HERE.has(apt.reason), NOT_HERE.has(disk.reason)]).toEqual([true, false]);
    expect(apt.toString()).toContain('tryton-server');
    expect(disk.next).toContain('PEER_STATE_DIR');
  });

  it('live tests are skipped loudly where there is no peer', { timeout: 60_000 }, () => {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--project=peers', ...reporters, 'test/peers/vendure/'];
    const env = { ...process.env, CROSSDOCK_PEERS: 'off', PEER_STATE_DIR: folder };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
    expect([status, numPassedTests, numFailedTests, numPendingTests]).toEqual([0, 0, 0, 1]);
    expect(stdout + stderr).toContain('SKIPPED Vendure\nvendure: CROSSDOCK_PEERS=off');
  });
});

describe('the command', () => {
  const run = (...args: string[]) => {
    const env = { ...process.env, PEER_STATE_DIR: folder };
    return spawnSync(process.execPath, [join(root, 'scripts', 'peers.ts'), ...args], { env, encoding: 'utf8' });
  };

  it('names the peers there are, and ends with 2 when it is used wrongly', { timeout: 60_000 }, () => {
    const unknown = run('up', 'sap');
    expect([unknown.status, run('start').status, run('up', '--loud').status]).toEqual([2, 2, 2]);
    expect(unknown.stderr).toContain('there is no peer sap');
    expect(unknown.stderr).toContain('tryton, medusa, vendure');
    expect(run('--help').status).toBe(0);
  });

  it('says as JSON what is there and what went wrong', { timeout: 60_000 }, () => {
    const status = run('status', 'tryton', 'smtp', '--json');
    const absent = ['tryton', 'smtp'].map((name) => ({ name, state: 'absent' }));
    expect(JSON.parse(status.stdout)).toEqual({ folder, peers: absent, failed: [] });
    const reset = run('reset', 'smtp', '--json');
    expect(reset.status).toBe(1);
    const { failed } = JSON.parse(reset.stdout);
    expect(failed).toMatchObject([{ name: 'smtp', reason: 'step_failed', next: 'run: npm run peers -- up smtp' }]);
  });
});

describe('packages', () => {
  it.each(['medusa', 'vendure', 'oidc'])('of %s are pinned, checked, and come from no particular address', (name) => {
    const read = (path: string) => JSON.parse(readFileSync(join(import.meta.dirname, name, 'app', path), 'utf8'));
    const packages = read('package-lock.json').packages as Record<string, { resolved?: string; integrity?: string }>;
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    expect(entries.length).toBeGreaterThan(20);
    expect(entries.filter(([, one]) => one.resolved !== undefined || one.integrity === undefined)).toEqual([]);
    const wanted = Object.values(read('package.json').dependencies as Record<string, string>);
    expect(wanted.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

function catching(work: () => void): PeerFault {
  try {
    work();
  } catch (error) {
    return error as PeerFault;
  }
  throw new Error('nothing was refused');
}

async function somePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port: free } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return free;
}

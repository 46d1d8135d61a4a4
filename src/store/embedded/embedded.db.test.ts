import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findRunningEmbedded, startEmbeddedPostgres } from './index.ts';
import { findProcessStart, listPostgresIn } from './processes.ts';

let dir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'crossdock-embedded-')), 'pg');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(join(dir, '..'), { recursive: true, force: true }));

const refusal = (reason: string) =>
  expect.objectContaining({ code: 'XD_STORE_EMBEDDED', details: expect.objectContaining({ reason }) });

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that starts the server and then waits for its death. */
async function startInOtherProcess(): Promise<{ child: ChildProcess; pid: number; guardPid: number; url: string }> {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const { url, pid, guardPid } = await startEmbeddedPostgres({ dir: ${JSON.stringify(dir)} });
    console.log(JSON.stringify({ url, pid, guardPid }));
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return { child, ...JSON.parse(line) };
}

async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => findProcessStart(pid), { timeout: 15_000, interval: 20 }).toBeUndefined();
}

describe('the embedded database', () => {
  it('starts with settings as in production, answers on both addresses, and stops', async () => {
    const server = await startEmbeddedPostgres({ dir });
    const settings = await ask(
      server.url,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
              current_setting('full_page_writes') as full_page_writes, current_setting('listen_addresses') as listen,
              current_setting('server_encoding') as encoding, current_setting('server_version_num')::int / 10000 as major,
              (select datcollate from pg_database where datname = current_database()) as collate`,
    );
    expect(settings).toEqual([
      {
        fsync: 'on',
        synchronous_commit: 'on',
        full_page_writes: 'on',
        listen: '127.0.0.1',
        encoding: 'UTF8',
        major: 18,
        collate: 'C',
      },
    ]);
    expect(await ask(server.tcpUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    const wrong = server.tcpUrl.replace(/:[^:@]+@/, ':wrong@');
    await expect(ask(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(Buffer.byteLength(`${server.socketDir}/.s.PGSQL.65535`)).toBeLessThan(100);
    expect((await stat(server.socketDir)).mode & 0o777).toBe(0o700);
    expect(await findRunningEmbedded(dir)).toMatchObject({ url: server.url, pid: server.pid });

    const pid = server.pid!;
    await server.stop();
    expect(server.pid).toBeUndefined();
    expect(await findProcessStart(pid)).toBeUndefined();
    expect(await findRunningEmbedded(dir)).toBeUndefined();
    expect(existsSync(server.socketDir)).toBe(false);
  });

  it('keeps what was committed when it is killed, and restarts on the same port', async () => {
    const server = await startEmbeddedPostgres({ dir });
    const { port, pid } = server;
    await ask(server.url, 'create table kept (n int)');
    await ask(server.url, 'insert into kept values (1), (2)');
    await server.kill();
    await expect(ask(server.url, 'select 1')).rejects.toThrow();
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await ask(server.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    await server.stop('immediate');
  });

  it('is gone soon after its parent was killed with -9, and starts again with everything', async () => {
    const { child, pid, url } = await startInOtherProcess();
    await ask(url, 'insert into kept values (3)');
    child.kill('SIGKILL');
    await untilGone(pid);
    const server = await startEmbeddedPostgres({ dir });
    expect(await ask(server.url, 'select count(*)::int as n from kept')).toEqual([{ n: 3 }]);
    await server.stop();
  });

  it.runIf(process.platform === 'linux')('is taken over when its parent and its guard were both killed', async () => {
    const { child, pid, guardPid, url } = await startInOtherProcess();
    // The guard is a shell and its watcher; without both, nobody hears of the parent's death.
    const family = await readFile(`/proc/${guardPid}/task/${guardPid}/children`, 'utf8');
    for (const each of [guardPid, ...family.trim().split(' ').map(Number)]) {
      if (each !== pid) process.kill(each, 'SIGKILL');
    }
    child.kill('SIGKILL');
    await untilGone(guardPid);
    await untilGone(child.pid!);
    // Nobody watches it any more, and it still answers.
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    const server = await startEmbeddedPostgres({ dir });
    expect(server.pid).not.toBe(pid);
    expect(await findProcessStart(pid)).toBeUndefined();
    await server.stop();
  });

  it("is not fooled by a killed server's number that was given to a stranger", async () => {
    const server = await startEmbeddedPostgres({ dir });
    await server.kill();
    await server.stop();
    const pidFile = join(server.dataDir, 'postmaster.pid');
    const left = await readFile(pidFile, 'utf8');
    await writeFile(pidFile, left.replace(/^\d+/, String(process.pid)));
    const again = await startEmbeddedPostgres({ dir });
    expect(await ask(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await again.stop();
    expect(await listPostgresIn(server.dataDir)).toEqual([]);
  });

  it('belongs to one process at a time', async () => {
    const starts = await Promise.allSettled([startEmbeddedPostgres({ dir }), startEmbeddedPostgres({ dir })]);
    const [won] = starts.filter((start) => start.status === 'fulfilled');
    const [lost] = starts.filter((start) => start.status === 'rejected');
    expect(lost?.reason).toEqual(refusal('in_use'));
    await won!.value.stop();
  });

  it('names the port that another program holds', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as { port: number };
    await expect(startEmbeddedPostgres({ dir, port })).rejects.toEqual(refusal('port_taken'));
    await new Promise((done) => other.close(done));
  });

  it('tells when it ends by itself', async () => {
    let told: (value: unknown) => void = () => {};
    const ended = new Promise((done) => {
      told = done;
    });
    const server = await startEmbeddedPostgres({ dir, onUnexpectedEnd: told });
    process.kill(server.pid!, 'SIGKILL');
    expect(await ended).toEqual({ code: 137 });
    await server.restart();
    await server.stop();
  });

  it('makes a data folder again whose first making was cut short', async () => {
    const fresh = join(dir, '..', 'half');
    const lines: string[] = [];
    const first = await startEmbeddedPostgres({ dir: fresh });
    await first.stop();
    execFileSync('mv', [join(fresh, 'data'), join(fresh, 'data.half')]);
    const second = await startEmbeddedPostgres({ dir: fresh, log: (line) => lines.push(line) });
    expect(await ask(second.tcpUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(lines).toEqual([expect.stringContaining('half-way')]);
  });

  it('refuses data of another version and a folder that is a file', async () => {
    const other = join(dir, '..', 'half');
    await writeFile(join(other, 'data', 'PG_VERSION'), '14\n');
    await expect(startEmbeddedPostgres({ dir: other })).rejects.toMatchObject({ code: 'XD_STORE_VERSION' });
    const file = join(dir, '..', 'file');
    await writeFile(file, '');
    await expect(startEmbeddedPostgres({ dir: file })).rejects.toEqual(refusal('dir_unwritable'));
  });

  it.runIf(process.getuid?.() === 0).each(['user_namespace', 'setuid'] as const)(
    'starts for root by way of %s',
    async (runAs) => {
      const fresh = join(dir, '..', runAs);
      const server = await startEmbeddedPostgres({ dir: fresh, runAs });
      expect(server.runAs).toBe(runAs);
      expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      await server.stop();
      // Nobody may not enter this test's folder, so the data went to a place of its own.
      if (runAs === 'setuid') await rm(join(server.dataDir, '..'), { recursive: true });
    },
  );

  it.runIf(process.getuid?.() === 0)('starts for a user id that has no name', async (context) => {
    const [uid, gid] = [4_242, 4_242];
    const run = promisify(execFile);
    const readable = await run(process.execPath, ['--check', fileURLToPath(import.meta.url)], {
      uid,
      gid,
      cwd: '/',
    }).then(
      () => true,
      () => false,
    );
    if (!readable) context.skip('another user may not read this checkout');
    const home = await mkdtemp('/tmp/crossdock-nameless-');
    await chown(home, uid, gid);
    const script = `
      import { startEmbeddedPostgres } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
      const server = await startEmbeddedPostgres({ dir: ${JSON.stringify(join(home, 'pg'))} });
      console.log(server.runAs);
      await server.stop();`;
    try {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { uid, gid, cwd: '/' });
      expect(stdout.trim()).toBe('user_namespace');
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

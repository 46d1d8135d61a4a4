/** What a stranger does first, in an empty folder: init, then what it says, with an embedded database of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../store/embedded/index.ts';
import { migrate } from '../store/migrate.ts';

const folder = mkdtempSync(join(tmpdir(), 'crossdock-first-'));
const main = join(import.meta.dirname, 'main.ts');
const { DATABASE_URL: _, PORT: __, CROSSDOCK_LIFELINE_FD: ___, ...clean } = process.env;
const env = { ...clean, NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(folder, 'cache') };
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

function crossdock(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Starts a command that runs on, and waits for the address it prints. */
async function started(args: string[]): Promise<{ url: string; stop: () => Promise<number | null> }> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (piece) => {
      said += piece;
      const [, found] = /Crossdock ready: (\S+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.stderr.on('data', (piece) => {
      said += piece;
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    return (await once(child, 'exit'))[0] as number | null;
  };
  return { url, stop };
}

/** The indented lines, without how a command is called here. */
const commandsOf = (text: string): string[][] =>
  [...text.matchAll(/^ {4}npm run -s crossdock -- (.+)$/gm)].map(([, args]) => args!.split(' '));
const doctor = async () => {
  const { stdout, code } = await crossdock('doctor', '--json');
  return { code, ...JSON.parse(stdout) } as {
    code: number;
    database: { name: string; kind: string };
    findings: { code: string; level: string }[];
  };
};

test('init says how to go on, and so it goes', { timeout: 120_000 }, async () => {
  const init = await crossdock('init');
  expect(init.code).toBe(0);
  const [start, keys, ...rest] = commandsOf(init.stdout);
  expect(rest).toEqual([]);
  // Any port, by the file that .env.example speaks of; and the package.json that npm init writes.
  writeFileSync(join(folder, '.env'), 'PORT=0\n');
  writeFileSync(join(folder, 'package.json'), '{"name": "mine", "type": "commonjs"}');
  const hub = await started(start!);
  const made = await crossdock(...keys!);
  expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^xd_\S+\n$/)]);
  const answer = await fetch(`${hub.url}/v1/status`, { headers: { authorization: `Bearer ${made.stdout.trim()}` } });
  expect([answer.status, ((await answer.json()) as { ready: object }).ready]).toEqual([200, { ok: true, reasons: [] }]);

  const beside = await doctor();
  expect(beside).toMatchObject({ code: 0, database: { name: 'crossdock', kind: 'embedded' } });
  expect((await crossdock('doctor')).stdout).toMatch(/^database crossdock on the embedded server of .+\n/);
  expect(await hub.stop()).toBe(0);

  const again = await crossdock('init');
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('crossdock.config.ts is there already')]);
  const elsewhere = await crossdock('init', join('a', 'b'));
  expect(commandsOf(elsewhere.stdout)[0]).toEqual(['start', '--config', join('a', 'b', 'crossdock.config.ts')]);
});

test('doctor looks at the demo while it runs; start refuses a database that may forget', {
  timeout: 60_000,
}, async () => {
  const server = await startEmbeddedPostgres({ dir: join(folder, '.crossdock', 'pg') });
  const own = new pg.Client(server.url);
  await own.connect();
  try {
    await own.query('create database crossdock_demo_1');
    const demoUrl = new URL(server.url);
    demoUrl.pathname = '/crossdock_demo_1';
    const hub = new pg.Client({ connectionString: demoUrl.href, application_name: 'crossdock' });
    await hub.connect();
    const running = await doctor();
    expect(running).toMatchObject({ code: 3, database: { name: 'crossdock_demo_1', kind: 'demo' } });
    expect(running.findings).toContainEqual(expect.objectContaining({ code: 'store.migrations', level: 'error' }));
    await migrate(demoUrl.href);
    expect(await doctor()).toMatchObject({ code: 0, database: { name: 'crossdock_demo_1' } });
    await hub.end();
    await expect
      .poll(async () => (await doctor()).database, { timeout: 15_000 })
      .toMatchObject({ name: 'crossdock', kind: 'embedded' });

    await own.query('alter database crossdock set synchronous_commit = off');
    const refused = await crossdock('start');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/XD_STORE_UNSAFE: .*\n.*synchronous_commit = off \(from database\)/);
    expect(refused.stderr).toContain('fix: alter database … reset synchronous_commit');
  } finally {
    await own.end();
    await server.stop();
  }
});

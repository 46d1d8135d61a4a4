/** The package as others get it: built, packed, installed in an empty folder, run there. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'crossdock-package-'));
const home = join(folder, 'home');
const { CROSSDOCK_LIFELINE_FD: _, DATABASE_URL: __, ...env } = process.env;

const execute = promisify(execFile);
const run = (file: string, args: string[], cwd: string) => execute(file, args, { cwd, env, maxBuffer: 16 * 1024 ** 2 });
const inPackage = (...args: string[]) => run(join(home, 'node_modules', '.bin', 'crossdock'), args, home);

beforeAll(async () => {
  await run(process.execPath, [join(root, 'scripts', 'build.mjs')], root);
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  mkdirSync(home);
  // As npm init writes it.
  writeFileSync(join(home, 'package.json'), '{"name": "somebody", "private": true, "type": "commonjs"}');
  // What the checkout's own set-up fetched lies in npm's cache.
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error'];
  await run('npm', ['install', ...flags, join(folder, tarball)], home);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

it('holds what runs and nothing else', () => {
  const installed = join(home, 'node_modules', 'crossdock');
  expect(readdirSync(installed).sort()).toEqual([
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'examples',
    'package.json',
    'sql',
  ]);
  for (const file of ['index.js', 'index.d.ts', 'connectors/kit/index.js', 'api/page/index.html', 'cli/main.js'])
    expect(existsSync(join(installed, 'dist', file)), file).toBe(true);
  const built = readdirSync(join(installed, 'dist'), { recursive: true }) as string[];
  expect(built.filter((path) => /\btesting\b|\.test\./.test(path))).toEqual([]);
});

it('lists every command of the checkout', async () => {
  const { stdout } = await inPackage('--help');
  const commands = readdirSync(join(root, 'src', 'cli'))
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => readFileSync(join(root, 'src', 'cli', name), 'utf8').includes('export function register('))
    .map((name) => name.replace('.ts', ''));
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
}, 30_000);

it('starts its database, migrates it and finds nothing wrong with it', async () => {
  await inPackage('migrate');
  const { stdout } = await inPackage('doctor', '--json');
  const { findings } = JSON.parse(stdout) as { findings: { code: string; level: string }[] };
  expect(findings.filter((finding) => finding.level === 'error')).toEqual([]);
  expect(findings.map((finding) => finding.code)).toContain('store.fsync');
}, 60_000);

it('gives an estate file and a connector their doors', async () => {
  const script = `
    const { defineEstate, env } = await import('crossdock');
    const kit = await import('crossdock/connector');
    process.stdout.write(JSON.stringify([typeof defineEstate, env('X').secret, typeof kit.mapRecords]));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], home);
  expect(JSON.parse(stdout)).toEqual(['function', 'env', 'function']);
}, 30_000);

it('runs an estate with a connector of its own', async () => {
  await inPackage('init');
  writeFileSync(
    join(home, 'my-erp.ts'),
    `import type { ConnectorFactory, DeliveryItem } from 'crossdock/connector';
     import { Fields } from 'crossdock/connector';
     export const myErp: ConnectorFactory = ({ system, settings }) => {
       if (typeof Fields !== 'function') throw new Error('the kit has no code');
       const numberOf = (reference: string) => ({ number: settings.prefix + reference });
       const write = async (items: readonly DeliveryItem[]) =>
         items.map(({ reference }) => ({ outcome: 'confirmed' as const, answer: numberOf(reference) }));
       return {
         name: system,
         confirmedBy: 'answer',
         sources: [],
         deliveries: { sales_order: { batchMax: 10, write, locate: async () => new Map() } },
         probe: async () => ({ ok: true, detail: 'answers' }),
         close: async () => {},
       };
     };`,
  );
  const path = join(home, 'crossdock.config.ts');
  const config = readFileSync(path, 'utf8')
    .replace("from 'crossdock';", "from 'crossdock';\nimport { myErp } from './my-erp.ts';")
    .replace(
      'systems: {}',
      "connectors: { 'my-erp': myErp },\n  systems: { erp: { connector: 'my-erp', settings: { prefix: 'N-' } } }",
    )
    .replace('routing: {}', "routing: { orders: 'erp' }");
  writeFileSync(path, config);
  writeFileSync(join(home, 'products.csv'), 'sku\nA1\n');
  writeFileSync(join(home, 'accounts.csv'), 'account\n17\n');

  const hub = spawn(join(home, 'node_modules', '.bin', 'crossdock'), ['start', '--port', '0'], { cwd: home, env });
  try {
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      hub.stdout.on('data', (piece) => {
        said += piece;
        const [, found] = /Crossdock ready: (\S+)/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      hub.stderr.on('data', (piece) => (said += piece));
      hub.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    });
    await inPackage('load', 'products', 'products.csv');
    await inPackage('load', 'accounts', 'accounts.csv', '--company', 'UK', '--channel', 'api');
    const { stdout: key } = await inPackage('keys', 'create', 'me', '--scope', 'read', 'write');
    const ask = async (path: string, body?: object) => {
      const answer = await fetch(`${url}${path}`, {
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
        headers: {
          authorization: `Bearer ${key.trim()}`,
          'idempotency-key': 'first',
          ...(body && { 'content-type': 'application/json' }),
        },
      });
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
    };
    const order = { company: 'UK', channel: 'api', externalNo: 'first', account: '17', currency: 'GBP' };
    const lines = [{ lineNo: 1, sku: 'A1', quantity: 1, unitPrice: '1.00' }];
    const accepted = await ask('/v1/orders', { ...order, orderedAt: '2026-02-03T10:00:00Z', lines });
    expect(accepted).toMatchObject({ status: 201 });
    await expect
      .poll(async () => (await ask(`/v1/orders/${accepted.json.orderId}`)).json, { timeout: 10_000 })
      .toMatchObject({ state: 'confirmed', erpNumber: 'N-api/first' });
  } finally {
    hub.kill('SIGTERM');
    if (hub.exitCode === null) await once(hub, 'exit');
  }
}, 60_000);

it('says that the demo needs a checkout', async () => {
  await expect(inPackage('demo')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^XD_SETUP_FAILED: the demo runs simulated systems, .+ npx crossdock init$/m),
  });
}, 30_000);

/** The package as others get it: built, packed, installed in an empty folder, run there. */
import { execFile } from 'node:child_process';
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
  writeFileSync(join(home, 'package.json'), '{"name": "somebody", "private": true, "type": "module"}');
  // What the checkout's own set-up fetched lies in npm's cache.
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', '--loglevel=error'];
  await run('npm', ['install', ...flags, join(folder, tarball)], home);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

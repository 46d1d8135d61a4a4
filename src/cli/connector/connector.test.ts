/** `crossdock connector`, asked as its users do. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'crossdock-connector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: string[], env: Record<string, string> = {}): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...args],
      { cwd: folder, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env }, maxBuffer: 16 << 20 },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}
const crossdock = (...args: string[]) => run([join(root, 'src', 'cli', 'main.ts'), 'connector', ...args]);

describe('a new connector', { timeout: 120_000 }, () => {
  it('is written, passes the suite and its own tests, within a minute', async () => {
    const began = performance.now();
    const made = await crossdock('new', 'my-erp', '--json');
    expect([made.code, made.err]).toEqual([0, '']);
    const { written } = JSON.parse(made.out) as { written: string[] };
    expect(written).toEqual(expect.arrayContaining(['my-erp/index.ts', 'my-erp/README.md', 'my-erp/conformance.ts']));
    const tested = await crossdock('test', './my-erp', '--json');
    const report = JSON.parse(tested.out) as { passed: number; failed: number; skipped: number; checks: object[] };
    expect(report.checks.filter((check) => (check as { result: string }).result === 'failed')).toEqual([]);
    expect([tested.code, report.failed]).toEqual([0, 0]);
    expect(report.passed).toBeGreaterThanOrEqual(60);
    expect(report.passed + report.skipped).toBe(report.checks.length);
    // In a package the imports are found by themselves; here by the same hook as an estate's.
    const hook = join(folder, 'hook.mjs');
    const modules = pathToFileURL(join(root, 'src', 'estate', 'own-modules.ts')).href;
    writeFileSync(hook, `import { resolveOwnModules } from '${modules}';\nresolveOwnModules();\n`);
    const files = ['map.test.ts', 'connector.test.ts'].map((name) => join(folder, 'my-erp', name));
    const own = await run(['--import', pathToFileURL(hook).href, '--test', ...files]);
    expect(own.out).toMatch(/pass 2\b[\s\S]*fail 0\b/);
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  it('never writes over a folder that is there, nor under a name that is none', async () => {
    mkdirSync(join(folder, 'mine'));
    expect(await crossdock('new', 'mine')).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
    for (const name of ['../mine', 'My', 'a b', '-'.repeat(3)])
      expect((await crossdock('new', '--', name)).code, name).toBe(1);
  });

  it('with a bug ends the command with 3 and names the check', async () => {
    await crossdock('new', 'buggy');
    const path = join(folder, 'buggy', 'index.ts');
    writeFileSync(path, readFileSync(path, 'utf8').replace('batchMax: 50', 'batchMax: 51'));
    const { code, out, err } = await crossdock('test', './buggy', '--only', 'declaration.');
    expect(code).toBe(3);
    expect(err).toContain('failed declaration.batch_sizes');
    expect(out).toMatch(/failed +contract +declaration\.batch_sizes .*declared 51, built 50/);
    expect(out).toMatch(/1 failed/);
  });

  it('is found by its name in an estate file', async () => {
    mkdirSync(join(folder, 'estate', 'connectors'), { recursive: true });
    await crossdock('new', 'our-erp', '--into', 'estate/connectors');
    writeFileSync(
      join(folder, 'estate', 'crossdock.config.ts'),
      `import { defineEstate } from 'crossdock';
       import { ourErp } from '${'./connectors/our-erp/index.ts'}';
       export default defineEstate({
         name: 'mine',
         companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
         locations: { MAIN: { company: 'UK', region: 'home' } },
         connectors: { 'our-erp': ourErp },
         systems: {},
         channels: { api: { company: 'UK', sells: 'asks', locations: ['MAIN'] } },
         routing: {},
       });`,
    );
    const args = ['our-erp', '--config', 'estate/crossdock.config.ts', '--only', 'probe.well', 'feed.empty', '--json'];
    const { code, out, err } = await crossdock('test', ...args);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ connector: 'our-erp', passed: 2, failed: 0 });
  });
});

describe('a connector that can not be tested', { timeout: 60_000 }, () => {
  it('is told by what was looked for', async () => {
    expect(await crossdock('test', 'nothing')).toMatchObject({ code: 1, err: expect.stringContaining('sim-erp') });
    expect(await crossdock('test', './nowhere')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not there'),
    });
    mkdirSync(join(folder, 'bare'), { recursive: true });
    writeFileSync(join(folder, 'bare', 'index.ts'), 'export const bare = () => ({});\n');
    expect(await crossdock('test', './bare')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no conformance.ts in'),
    });
  });
});

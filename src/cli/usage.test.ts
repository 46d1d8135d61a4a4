/** What every command has in common, asked of each as a user would. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'crossdock-usage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Nothing listens there.
const NO_DATABASE = 'postgres://nobody@127.0.0.1:9/nothing';

function crossdock(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args],
      {
        cwd: folder,
        env: {
          NODE_COMPILE_CACHE: join(folder, 'cache'),
          ...process.env,
          NODE_OPTIONS: '',
          NO_COLOR: '1',
          DATABASE_URL: NO_DATABASE,
        },
      },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

interface Found {
  path: string[];
  help: string;
}

/** Commands below this one, as its help lists them. */
async function listCommands(...path: string[]): Promise<Found[]> {
  const { code, stdout, stderr } = await crossdock(...path, '--help');
  expect([path.join(' '), code, stderr]).toEqual([path.join(' '), 0, '']);
  const [, list] = stdout.split('\nCommands:\n');
  const names = [...(list ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  // One with others below it may do something by itself.
  const isOne = names.length === 0 || stdout.includes('\nArguments:\n');
  const found: Found[] = isOne ? [{ path, help: stdout }] : [];
  for (const name of names) if (name !== 'help') found.push(...(await listCommands(...path, name)));
  return found;
}

describe('every command', { timeout: 120_000 }, () => {
  it('has --help, knows --json, and ends with 2 when it is used wrongly', async () => {
    const commands = await listCommands();
    const names = commands.map(({ path }) => path.join(' '));
    for (const name of [
      'demo',
      'start',
      'migrate',
      'doctor',
      'verify',
      'load',
      'trace',
      'explain',
      'init',
      'parked ls',
      'exceptions resolve',
    ])
      expect(names).toContain(name);
    for (const { path, help } of commands) {
      expect(help, path.join(' ')).toContain('--json');
      const wrong = await crossdock(...path, '--no-such-option');
      expect([path.join(' '), wrong.code, wrong.stdout]).toEqual([path.join(' '), 2, '']);
      expect(wrong.stderr).toMatch(/^error: /);
    }
    expect(await crossdock('no-such-command')).toMatchObject({ code: 2, stdout: '' });
  });

  it('given a database whose host or name does not exist says that it cannot be reached', async () => {
    const { code, stdout } = await crossdock(
      'verify',
      '--json',
      '--database-url',
      'postgres://x@no-such-host.invalid/x',
    );
    expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'XD_STORE_UNAVAILABLE']);
  });

  it.each([
    ['verify'],
    ['migrate'],
    ['trace', '7'],
    ['explain', 'A1', '--channel', 'shop'],
    ['parked', 'ls'],
    ['keys', 'ls'],
    ['demo', '--until-drained'],
  ])('%s without its database fails with 1, one JSON document and no stack', async (...args) => {
    const { code, stdout, stderr } = await crossdock(...args, '--json');
    expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'XD_STORE_UNAVAILABLE']);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

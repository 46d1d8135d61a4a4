import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { env, file, resolveSecret, resolveText, secretSources } from './index.ts';

const sources = {
  env: { TOKEN: 's3cret', EMPTY: '' },
  readFile: (path: string) => {
    if (path === 'token') return 's3cret\n';
    if (path === 'two-lines') return 'a\nb\r\n';
    if (path === 'empty') return '\n';
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
};

it('a secret is what the variable or the file holds, without its last newline', () => {
  expect(resolveSecret(env('TOKEN'), sources)).toBe('s3cret');
  expect(resolveSecret(file('token'), sources)).toBe('s3cret');
  expect(resolveSecret(file('two-lines'), sources)).toBe('a\nb');
  expect(resolveText('http://erp', sources)).toBe('http://erp');
  expect(resolveText(env('TOKEN'), sources)).toBe('s3cret');
});

it.each([
  [env('MISSING'), 'systems.erp.token: environment variable MISSING is not set'],
  [env('EMPTY'), 'systems.erp.token: environment variable EMPTY is not set'],
  [file('missing'), "systems.erp.token: file missing can't be read (ENOENT)"],
  [file('empty'), 'systems.erp.token: file empty is empty'],
])('%j is refused by name', (secret, message) => {
  expect(() => resolveSecret(secret, sources, 'systems.erp.token')).toThrow(
    expect.objectContaining({ code: 'XD_ESTATE_INVALID', message }),
  );
});

it('files are found beside the estate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-secret-'));
  writeFileSync(join(folder, 'token'), 'from-a-file\n');
  expect(resolveSecret(file('token'), secretSources(folder))).toBe('from-a-file');
  rmSync(folder, { recursive: true });
});

/** One registry of error codes: what is thrown, what is declared and what the page says are the same set. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorKinds } from '../src/canonical/index.ts';

const root = join(import.meta.dirname, '..');
const codes = Object.keys(errorKinds).sort();
const CODE = /\bXD_[A-Z_]+[A-Z]\b/g;

function codesIn(folder: string, pattern: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !pattern.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    if (path.endsWith(join('canonical', 'errors.ts'))) continue;
    for (const [code] of readFileSync(path, 'utf8').matchAll(CODE)) found.set(code, path);
  }
  return found;
}

describe('error codes', () => {
  it('that the code names are declared', () => {
    const used = new Map([
      ...codesIn('src', /\.ts$/),
      ...codesIn('bin', /\.mjs$/),
      ...codesIn('scripts', /\.(mjs|ts)$/),
    ]);
    expect([...used].filter(([code]) => !codes.includes(code))).toEqual([]);
  });

  it('that are declared are used', () => {
    const used = codesIn('src', /(?<!\.test)\.ts$/);
    expect(codes.filter((code) => !used.has(code))).toEqual([]);
  });

  it('and the reference page are the same set', () => {
    const page = readFileSync(join(root, 'docs', 'reference', 'errors.md'), 'utf8');
    expect([...new Set([...page.matchAll(CODE)].map(([code]) => code))].sort()).toEqual(codes);
  });

  it('are documented only where they exist', () => {
    const documented = codesIn('docs', /\.md$/);
    expect([...documented].filter(([code]) => !codes.includes(code))).toEqual([]);
  });

  it('say in one sentence what happened', () => {
    for (const [code, { status, meaning }] of Object.entries(errorKinds)) {
      expect(meaning, code).toMatch(/^[A-Z].*\.$/);
      expect(status, code).toBeGreaterThanOrEqual(400);
    }
  });
});

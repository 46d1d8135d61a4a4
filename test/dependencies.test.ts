/** What is installed: nothing that is built on the user's machine, or that a newer Node would refuse to load. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, object>;
};
const installed = Object.keys(packages)
  .filter((path) => path !== '' && existsSync(join(root, path)))
  .map((path) => join(root, path));

/** Files of a package itself, not of those that lie inside it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOf(path);
    return [path];
  });
}

/** What would be compiled on the user's machine, and addons of an ABI that changes with Node. */
function faultsOf(folders: readonly string[]): string[] {
  return folders
    .flatMap(filesOf)
    .filter(
      (file) =>
        basename(file) === 'binding.gyp' ||
        (file.endsWith('.node') && !readFileSync(file).includes('napi_register_module_v1')),
    );
}

it('no package is compiled here, and every native addon is a prebuilt one of the stable ABI (N-API)', () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(faultsOf(installed)).toEqual([]);
});

it('one that is compiled, or made for one Node only, would be found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-addon-'));
  for (const [name, text] of [
    ['binding.gyp', '{}'],
    ['old.node', 'node_register_module_v93'],
    ['new.node', 'napi_register_module_v1'],
  ] as const)
    writeFileSync(join(folder, name), text);
  expect(
    faultsOf([folder])
      .map((file) => basename(file))
      .sort(),
  ).toEqual(['binding.gyp', 'old.node']);
  rmSync(folder, { recursive: true });
});

/** What is installed: nothing that is built on the user's machine, or that a newer Node would refuse to load. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

it('no package is compiled here, and every native addon is a prebuilt one of the stable ABI (N-API)', () => {
  expect(installed.length).toBeGreaterThan(100);
  const files = installed.flatMap(filesOf);
  expect(files.filter((file) => file.endsWith('/binding.gyp'))).toEqual([]);
  const addons = files.filter((file) => file.endsWith('.node'));
  expect(addons.filter((file) => !readFileSync(file).includes('napi_register_module_v1'))).toEqual([]);
});

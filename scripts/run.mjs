#!/usr/bin/env node
// The way in for every npm script. Runs on Node 20 without any dependency, makes the checkout ready and goes on with Node 24.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, NODE_FLAGS } from '../bin/launch.mjs';
import { setUp } from './setup.mjs';
import { SetupError } from './setup-error.mjs';
import { runTests } from './test.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line) => process.stderr.write(`${line}\n`);
const [command = 'cli', ...args] = process.argv.slice(2);

const programs = {
  demo: ['src/cli/main.ts', 'demo'],
  cli: ['src/cli/main.ts'],
  bench: ['bench/run.ts'],
  docs: ['scripts/generate-docs.ts'],
  peers: ['scripts/peers.ts'],
  scenario: ['test/peers/scenario/main.ts'],
};

async function main() {
  if (command !== 'test' && command !== 'setup' && !programs[command]) {
    say(`run.mjs knows demo, cli, bench, docs, peers, scenario, test and setup, not ${command}`);
    return 2;
  }
  const { node } = await setUp(root, say);
  if (command === 'setup') return 0;
  if (command === 'test') return runTests(root, node, args);
  const [file, ...first] = programs[command];
  const path = join(root, file);
  if (!existsSync(path)) {
    say(`${file} is not in this checkout`);
    return 1;
  }
  return launch(root, node, [...NODE_FLAGS, path, ...first, ...args]);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error instanceof SetupError ? error.toString() : (error.stack ?? String(error)));
    process.exitCode = 1;
  },
);

/** Starts the peers that the chosen live tests name, all at once, and ends those that it started. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { kinds } from './kinds.ts';
import { NOT_HERE, PeerFault } from './lib/fault.ts';
import type { PeerKind } from './lib/kind.ts';
import { freeShift, Peers, readUp } from './lib/manager.ts';
import { endSteps } from './lib/processes.ts';
import type { PeerOutcome } from './live.ts';

const say = (line: string) => process.stderr.write(`peers: ${line}\n`);

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const chosen = await wanted(project);
  const outcomes: Record<string, PeerOutcome> = {};
  const started: PeerKind[] = [];
  const first = Number(process.env.PEER_PORT_SHIFT ?? 0);
  const standard = new Peers(say);
  const running = await Promise.all(chosen.map(async (kind) => (await standard.status(kind)).state === 'up'));
  const absent = chosen.filter((_, n) => !running[n]);
  // Where another checkout's peers have the usual ports, ours take others.
  const peers = new Peers(say, { shift: await freeShift(absent, first) });
  process.once('SIGTERM', endSteps);
  await Promise.all(
    chosen.map(async (kind, n) => {
      const up = join(peers.folder, kind.name);
      if (process.env.CROSSDOCK_PEERS === 'off') {
        outcomes[kind.name] = { skipped: 'CROSSDOCK_PEERS=off' };
      } else if (running[n]) {
        outcomes[kind.name] = { up };
      } else {
        started.push(kind);
        try {
          const { seconds, url } = await peers.up(kind, { fresh: true });
          say(`${kind.name} is up after ${seconds} s on ${url}`);
          outcomes[kind.name] = { up };
        } catch (error) {
          const isNotHere = error instanceof PeerFault && NOT_HERE.has(error.reason);
          const why = error instanceof PeerFault ? error.toString() : String((error as Error).stack);
          say(`${kind.name} is ${isNotHere ? 'SKIPPED' : 'not up'}: ${why}`);
          outcomes[kind.name] = isNotHere ? { skipped: why } : { failed: why };
        }
      }
    }),
  );
  // For tests that connect by themselves; workers start after this.
  process.env.PEER_STATE_DIR ??= peers.folder;
  for (const [name, outcome] of Object.entries(outcomes))
    if ('up' in outcome) process.env[`${name.toUpperCase()}_URL`] ??= readUp(outcome.up)?.url ?? '';
  project.provide('peers', outcomes);
  return async () => {
    await Promise.all(started.map((kind) => peers.down(kind)));
  };
}

/** A file names its peers: in `live(…, ['tryton'], …)`, or by its own name. */
async function wanted(project: TestProject): Promise<PeerKind[]> {
  const words = process.argv.slice(2).filter((word) => !word.startsWith('-') && word !== 'run');
  const { testFiles } = await project.globTestFiles();
  const named = testFiles.filter((file) => words.some((word) => file.includes(word)));
  const chosen = named.length > 0 ? named : testFiles;
  const texts = chosen.map((file) => `'${basename(file).split('.')[0]}' ${readFileSync(file, 'utf8')}`);
  return kinds.filter(({ name }) => texts.some((text) => text.includes(`'${name}'`)));
}

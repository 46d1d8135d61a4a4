/** `npm run peers -- up|down|status|reset [NAME...] [--json] [--fresh] [--wipe]`: the real systems that tests are run against. */
import { parseArgs } from 'node:util';
import { PeerFault } from '../test/peers/lib/fault.ts';
import { kindsOf, type PeerReport, type PeerStatus, Peers } from '../test/peers/lib/manager.ts';
import { endSteps } from '../test/peers/lib/processes.ts';

const USAGE = `npm run peers -- COMMAND [NAME...]

  up       installs, seeds and starts; what is up is left as it is
  down     stops what was started from this state folder
  status   what is up, where, and how much memory it takes
  reset    back to what was seeded, in seconds

  NAME     tryton medusa vendure ledgersmb sftp oidc nats prometheus smtp; without one: all of them
  --fresh  with up: one that is not running begins with what was seeded
  --wipe   with down: removes the state, too
  --json   what was done, or what went wrong, as one JSON object

Ports and the state folder: test/peers/README.md`;

const say = (line: string) => process.stderr.write(`${line}\n`);
const options = {
  json: { type: 'boolean' },
  fresh: { type: 'boolean' },
  wipe: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    say(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [command, ...names] = positionals;
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  if (!command || !['up', 'down', 'status', 'reset'].includes(command)) {
    say(USAGE);
    return 2;
  }
  let chosen: ReturnType<typeof kindsOf>;
  try {
    chosen = kindsOf(names);
  } catch (error) {
    say(String(error));
    return 2;
  }
  const peers = new Peers(say);
  const work = async (kind: (typeof chosen)[number]): Promise<PeerReport | PeerStatus> => {
    if (command === 'up') return peers.up(kind, { fresh: values.fresh === true });
    if (command === 'down') return peers.down(kind, { wipe: values.wipe === true });
    if (command === 'reset') return peers.reset(kind);
    return peers.status(kind);
  };
  // Side by side: what one waits for on the network another uses the processor for. Each fault is its own.
  const ended = await Promise.allSettled(chosen.map(work));
  const done = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const faults = ended.flatMap((one, n) =>
    one.status === 'rejected' ? [{ name: chosen[n]!.name, error: one.reason as Error }] : [],
  );
  if (values.json) {
    const failed = faults.map(({ name, error }) => ({ name, ...told(error) }));
    process.stdout.write(`${JSON.stringify({ folder: peers.folder, peers: done, failed }, null, 1)}\n`);
  } else {
    for (const one of done) process.stdout.write(`${line(one)}\n`);
    for (const { name, error } of faults) say(`${name}: ${error instanceof PeerFault ? error : error.stack}`);
  }
  return faults.length === 0 ? 0 : 1;
}

const parse = () => parseArgs({ options, allowPositionals: true });

function told(error: Error): object {
  if (!(error instanceof PeerFault)) return { reason: 'internal', what: error.message };
  const { reason, message, where, why, next } = error;
  return { reason, what: message, where, why, next };
}

function line(one: PeerReport | PeerStatus): string {
  const name = one.name.padEnd(11);
  if ('did' in one)
    return `${name} ${one.did.padEnd(9)} ${one.seconds.toFixed(1).padStart(6)} s  ${one.url ?? ''}`.trimEnd();
  const memory = one.memoryMib === undefined ? '' : `${one.memoryMib} MiB`;
  const postgres = one.postgresMib === undefined ? '' : ` + PostgreSQL ${one.postgresMib} MiB`;
  return `${name} ${one.state.padEnd(7)} ${one.url ?? ''}  ${memory}${postgres}`.trimEnd();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endSteps();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error.stack ?? String(error));
    process.exitCode = 1;
  },
);

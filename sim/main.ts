import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type AnySimKind, SIM_KINDS, SIM_OTHERS, startSim } from './index.ts';

const KINDS: readonly AnySimKind[] = [...SIM_KINDS, ...SIM_OTHERS];
const USAGE = `usage: main.ts <${KINDS.join('|')}> [--port N] [--data DIR] [--token T] [--seed S] [--faults none|storm]
  [--speed X] [--webhook-url URL] [--webhook-secret S] [--unread-max N]`;

function usage(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}\n`);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string', default: '0' },
        data: { type: 'string', default: '.crossdock/sim' },
        token: { type: 'string', default: process.env.SIM_TOKEN ?? 'sim-token' },
        seed: { type: 'string', default: '1' },
        faults: { type: 'string', default: 'none' },
        speed: { type: 'string', default: '1' },
        'webhook-url': { type: 'string' },
        'webhook-secret': { type: 'string' },
        'unread-max': { type: 'string', default: '400' },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

const { values, positionals } = read();
const kind = positionals[0] as AnySimKind;
if (positionals.length !== 1 || !KINDS.includes(kind)) usage(`unknown system ${positionals.join(' ') || '(none)'}`);
if (values.faults !== 'none' && values.faults !== 'storm') usage(`unknown faults ${values.faults}`);
const numberOf = (name: 'port' | 'speed' | 'unread-max'): number => {
  const value = Number(values[name]);
  if (values[name] === '' || !(value >= 0)) usage(`--${name} must be a number, found ${values[name]}`);
  return value;
};

const webhookUrl = values['webhook-url'] || undefined;
const sim = await startSim(kind, {
  data: values.data,
  port: numberOf('port'),
  token: values.token,
  seed: values.seed,
  faults: values.faults,
  speed: numberOf('speed') || usage('--speed must be above 0'),
  unreadMax: numberOf('unread-max'),
  ...(webhookUrl !== undefined && { webhookUrl }),
  ...(values['webhook-secret'] !== undefined && { webhookSecret: values['webhook-secret'] }),
});

let ending = false;
function end(): void {
  if (ending) return;
  ending = true;
  // Nothing here should take long; if something does, what was answered is on disk anyway.
  setTimeout(() => process.exit(0), 500).unref();
  void sim.close().then(() => process.exit(0));
}
process.on('SIGTERM', end);
process.on('SIGINT', end);

// A pipe on stdin closes with the parent, however that dies. A terminal or /dev/null says nothing about it.
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) {
  process.stdin.on('end', end);
  process.stdin.on('close', end);
  process.stdin.on('error', end);
  process.stdin.resume();
}
process.stdout.on('error', () => {});
process.stdout.write(`${JSON.stringify({ ready: true, system: kind, url: sim.url })}\n`);

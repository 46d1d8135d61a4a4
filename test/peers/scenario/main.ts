/**
 * Tryton, Medusa and Vendure with Crossdock between them: buyers of both shops and the CRM race for stock that covers part of what they
 * want, some take their order back, the warehouse ships in parts, goods come back, invoices are posted. Then everybody's truth is compared.
 *
 *   npm run -s peers:scenario -- [--orders 300] [--cover 0.6] [--seed 1] [--pass calm|faults|both] [--json]
 *
 * Starts the systems if they are not up, and sets them back to their seed before each pass. Exit code 1 where anything differs.
 */
import { parseArgs } from 'node:util';
import { freePort } from './free-port.ts';
import { runScenario, type ScenarioReport } from './run.ts';

const { values: given } = parseArgs({
  options: {
    orders: { type: 'string', default: '300' },
    cover: { type: 'string', default: '0.6' },
    seed: { type: 'string', default: '1' },
    pass: { type: 'string', default: 'both' },
    json: { type: 'boolean', default: false },
  },
});
const passes = { calm: [false], faults: [true], both: [false, true] }[given.pass];
if (passes === undefined) throw new Error(`--pass is calm, faults or both, not ${given.pass}`);

// What was started must not outlive us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const reports: Record<string, ScenarioReport> = {};
for (const faults of passes)
  reports[faults ? 'faults' : 'calm'] = await runScenario(
    {
      orders: Number(given.orders),
      cover: Number(given.cover),
      seed: Number(given.seed),
      port: Number(process.env.PORT ?? (await freePort())),
      faults,
    },
    (line) => process.stderr.write(`${line}\n`),
  );
const ok = Object.values(reports).every((report) => report.ok);
process.stdout.write(`${JSON.stringify({ ok, ...reports }, null, given.json ? 0 : 1)}\n`);
process.exitCode = ok ? 0 : 1;

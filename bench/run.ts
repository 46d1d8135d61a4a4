/** `npm run -s bench -- NAME [--json] [--rounds N] [--save]`: measures the product and its baseline in one run on one database. */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { BenchResult, Rounds } from './lib/measure.ts';
import { watchStatements } from './lib/statements.ts';

const NAMES = ['reserve', 'movements', 'orders', 'availability', 'credit', 'promise', 'repromise', 'plan'] as const;
const ROUNDS_MIN = 5;

const usage = `usage: npm run -s bench -- NAME [--json] [--rounds N] [--save]
  NAME         ${NAMES.join(' | ')}
  --json       one JSON document on stdout
  --rounds N   measured rounds a case, ${ROUNDS_MIN} unless told (fewer are for looking only)
  --statements how long callers waited for each statement, on stderr
  --save       keep the result in bench/results/NAME.json`;

async function main(): Promise<number> {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const [name, ...more] = positionals;
  const rounds = Number(values.rounds ?? ROUNDS_MIN);
  if (!NAMES.includes(name as (typeof NAMES)[number]) || more.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const waited = values.statements ? watchStatements() : undefined;
  const { run } = (await import(`./${name}.ts`)) as { run: (rounds: Rounds) => Promise<BenchResult> };
  const result = await run({ rounds, say: (line) => process.stderr.write(`${line}\n`) }).finally(() => {
    if (waited !== undefined) process.stderr.write(`${waited()}\n`);
  });
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (values.save) {
    await mkdir(new URL('results/', import.meta.url), { recursive: true });
    await writeFile(new URL(`results/${name}.json`, import.meta.url), text);
  }
  process.stdout.write(values.json ? text : table(result));
  return 0;
}

function read() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      rounds: { type: 'string' },
      save: { type: 'boolean' },
      statements: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
}

function table({ name, cases, figures }: BenchResult): string {
  const lines = cases.map(
    (c) =>
      `${name} ${c.case}: ${c.value} ${c.unit} against ${c.baseline}, ratio ${c.ratio} (at least ${c.atLeast}), ${c.rounds} rounds`,
  );
  return `${[...lines, JSON.stringify(figures, null, 2)].join('\n')}\n`;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  },
);

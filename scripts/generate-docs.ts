/**
 * The reference pages that follow from the code: error codes, order states, the estate file, the command line.
 * `npm run docs` writes them; with `--check` nothing is written and the exit code is 1 when one is not up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { type ApiHub, buildApi } from '../src/api/index.ts';
import { errorKinds } from '../src/canonical/index.ts';
import { estateKeys, type KeySchema as Schema } from '../src/estate/index.ts';
import { eventRules, stateRules } from '../src/orders/index.ts';

const root = join(import.meta.dirname, '..');
const note = (from: string) => `<!-- Written by npm run docs from ${from}; edit that. -->\n`;

/** Pages by path below the root. */
export async function generateDocs(): Promise<Record<string, string>> {
  return {
    'docs/reference/errors.md': errors(),
    'docs/reference/order-states.md': orderStates(),
    'docs/reference/estate-file.md': estateFile(),
    'docs/reference/cli.md': await commandLine(),
    'docs/reference/http-api.md': await httpApi(),
  };
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function errors(): string {
  const rows = Object.entries(errorKinds).map(([code, { status, retry, meaning }]) => [
    `\`${code}\``,
    String(status),
    retry,
    meaning,
  ]);
  return `# Error codes
${note('src/canonical/errors.ts')}
HTTP answers are problem+json (RFC 9457) with \`code\`, \`title\` (the meaning), \`detail\` (with the value found) and, where one value is to
blame, \`place\`; \`retry\` as below; from 500 on \`requestId\`, under which the hub's log tells more. Commands print the code and the message, and exit with 1.

\`retry\`: \`later\` by itself and safe with the same key; \`never\` with this content; \`operator\` after a person has acted.
A shortage (\`XD_ATP_SHORT\`) is an answer: the same request is taken once stock has come, and nothing says when; ask for the number
(\`GET /v1/availability\`) instead of asking again.

${table(['code', 'status', 'retry', 'meaning'], rows)}
`;
}

function orderStates(): string {
  const states = stateRules.map(({ state, meaning, guard, next }) => [
    `\`${state}\``,
    meaning,
    guard,
    next.length === 0 ? 'none' : next.map((one) => `\`${one}\``).join(', '),
  ]);
  const events = Object.entries(eventRules).map(([type, { meaning, from }]) => [
    `\`${type}\``,
    meaning,
    typeof from === 'string' ? { any: 'any', none: 'no order yet' }[from] : from.map((one) => `\`${one}\``).join(', '),
  ]);
  const arrows = stateRules.flatMap(({ state, next }) => next.map((one) => `    ${state} --> ${one}`));
  return `# Order states
${note('src/orders/machine.ts')}
A state says how far the whole order has come; how far each line has come is in its quantities. Facts arrive in any order, so a later
state can be reached from any earlier one. An order never moves back. The first rule that fits, from the top, gives the state; open units
are those neither cancelled nor refused.

${table(['state', 'meaning', 'when', 'next'], states)}

\`\`\`mermaid
stateDiagram-v2
    [*] --> accepted
    [*] --> refused
${arrows.join('\n')}
\`\`\`

## Events

${table(['event', 'what it does', 'may meet'], events)}

Each line keeps \`quantity = allocated + backordered + picked + cancelled + refused\`, always.
`;
}

function estateFile(): string {
  const rows = estateKeys().map(({ path, schema, isRequired }) => [
    `\`${path}\``,
    typeOf(schema),
    isRequired ? 'yes' : '',
    schema.description ?? '',
  ]);
  return `# The estate file
${note('src/estate/schema.ts')}
\`crossdock.config.ts\` exports \`defineEstate({…})\` as its default. Unknown and missing keys are refused with their path and the nearest right
one; all faults are told at once. A code is 1 to 40 letters, digits, \`_\`, \`.\` or \`-\`. A secret is \`env('NAME')\` or \`file('path')\`.
What is checked beyond this table: codes name things that exist, locations belong to the channel's company, a system serves one channel, and
shares of channels that sell by themselves add up to at most 1 at each location unless \`risk: 'shared'\`. How to write one:
[guides/write-an-estate.md](../guides/write-an-estate.md).

${table(['key', 'type', 'required', 'what'], rows)}

Where a key is said to be not applied by this version, it is checked and kept and nothing follows from it: each start and \`crossdock doctor\`
name it by its path.
`;
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`'${String(schema.const)}'\``;
  if (schema.anyOf !== undefined) {
    const isSecret = (one: Schema): boolean =>
      one.properties?.secret !== undefined || (one.anyOf ?? []).some((two) => isSecret(two));
    const kinds = new Set(schema.anyOf.map((one) => (isSecret(one) ? 'secret' : typeOf(one))));
    return [...kinds].join(' or ');
  }
  if (schema.patternProperties !== undefined) return 'by code or name';
  if (schema.properties !== undefined) return 'object';
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  const least =
    schema.minimum ?? (schema.exclusiveMinimum === undefined ? undefined : `above ${schema.exclusiveMinimum}`);
  const range =
    schema.maximum === undefined
      ? least === undefined
        ? ''
        : ` from ${least}`
      : ` ${least ?? ''} to ${schema.maximum}`;
  return `${schema.type ?? 'anything'}${range.replace('from above', 'above')}`;
}

async function commandLine(): Promise<string> {
  const program = new Command('crossdock').configureHelp({ helpWidth: 110 });
  // A default that this machine's environment gives is not everyone's.
  delete process.env.HOST;
  const folder = join(root, 'src', 'cli');
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    if (!name.endsWith('.ts') || !readFileSync(file, 'utf8').includes('export function register(')) continue;
    const { register } = (await import(pathToFileURL(file).href)) as { register(program: Command): void };
    register(program);
  }
  const parts: string[] = [];
  const add = (command: Command, path: string) => {
    if (command.commands.length > 0 && command.registeredArguments.length === 0) {
      parts.push(`## ${path}\n\n${command.description()}`);
      for (const one of command.commands) add(one, `${path} ${one.name()}`);
      return;
    }
    command.configureHelp({ helpWidth: 110 });
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    parts.push(`## ${path}\n\n\`\`\`\n${help.trimEnd()}\n\`\`\``);
    // One that does something by itself and has others below it.
    for (const one of command.commands) add(one, `${path} ${one.name()}`);
  };
  for (const command of program.commands) add(command, `crossdock ${command.name()}`);
  return `# The command line
${note('src/cli')}
In a checkout: \`npm run -s crossdock -- COMMAND …\`; \`npm start -- …\` is \`crossdock demo …\`. In a project that installed the package:
\`npx crossdock COMMAND …\`.

With \`--json\` stdout holds one JSON document and nothing else; people's lines and progress go to stderr. Exit codes: 0 done, 1 failed, 2 wrong
usage, 3 done and something was found. Without \`--database-url\` and \`DATABASE_URL\` a command uses the embedded database in \`.crossdock/pg\`,
starting it for as long as it needs; commands that look at a hub take the demo's database while it runs and no hub of one's own does, those that look at
what it has written (all but \`doctor\`) also after it, as long as no estate of one's own was started there; they say so. A \`.env\` in the folder
is read; what the environment says already wins.

${parts.join('\n\n')}
`;
}

interface Operation {
  summary?: string;
  'x-scope'?: string;
  parameters?: { name: string; in: string; required?: boolean; schema?: { default?: unknown } }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, unknown>;
}

/** The routes as the application itself describes them; it is built over nothing and never answers. */
async function httpApi(): Promise<string> {
  const app = buildApi({ freshnessTargetsMs: {} } as unknown as ApiHub);
  await app.ready();
  const { paths, tags: _ } = app.swagger() as { paths: Record<string, Record<string, Operation>>; tags?: unknown };
  await app.close();
  const rows: string[][] = [];
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      const given = (operation.parameters ?? []).filter((one) => one.in === 'query');
      const query = given
        .map((one) => (one.required === true && one.schema?.default === undefined ? `**${one.name}**` : one.name))
        .join(', ');
      const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
      const names = Object.keys(body?.properties ?? {}).map((name) =>
        body?.required?.includes(name) ? `**${name}**` : name,
      );
      const needsKey = (operation.parameters ?? []).some((one) => one.name.toLowerCase() === 'idempotency-key');
      const takes = [query === '' ? '' : `?${query}`, names.length === 0 ? '' : `{${names.join(', ')}}`].filter(
        (one) => one !== '',
      );
      rows.push([
        `\`${method.toUpperCase()} ${path}\``,
        operation['x-scope'] ?? '',
        `${takes.join(' ')}${needsKey ? ' Idempotency-Key' : ''}`.trim(),
        operation.summary ?? '',
      ]);
    }
  rows.sort(([a], [b]) =>
    a!.split(' ')[1]! < b!.split(' ')[1]! ? -1 : a!.split(' ')[1]! > b!.split(' ')[1]! ? 1 : a! < b! ? -1 : 1,
  );
  return `# The HTTP API
${note('the routes of src/api')}
Every route but the open ones asks for \`Authorization: Bearer xd_…\` (\`crossdock keys create NAME --scope read,write\`). The whole contract, with
schemas and limits, is OpenAPI 3.1 at \`GET /openapi.json\` (scope \`read\`); for people there is a page at \`/\`.

- Errors are problem+json with a [code](errors.md). \`503\` carries \`Retry-After\`.
- Quantities are whole base units; money is a decimal string with a currency, beside whole minor units; times are RFC 3339, answered in UTC.
- **A retry is safe.** Same key and content: the first answer, with \`Idempotent-Replayed: true\` where one thing is made. Other content:
  \`XD_KEY_CONFLICT\`, naming the field. What was refused leaves no key. The key for ever of an order is (channel, externalNo); of a cancel reference,
  order and line; of a movement or count its \`id\` within the API key; of a reservation the Idempotency-Key within the API key.
- Batches answer item by item, each with a \`status\` of its own. What waits or was set aside is 202.
- Lists: \`cursor\` is opaque, the next one is \`nextCursor\`; at most 500 a page.
- Events: \`GET /v1/events\` is a stream of CloudEvents; \`Last-Event-ID\` or \`after\` goes on from there, \`after=0\` from the beginning. Order by
  \`streamversion\` within a subject: position is not causality.

What is required is bold.

${table(['route', 'scope', 'takes', 'what'], rows)}
`;
}

if (import.meta.main) {
  const isCheck = process.argv.includes('--check');
  const stale: string[] = [];
  for (const [path, text] of Object.entries(await generateDocs())) {
    const file = join(root, path);
    let before = '';
    try {
      before = readFileSync(file, 'utf8');
    } catch {
      // Not there yet.
    }
    if (before === text) continue;
    stale.push(path);
    if (!isCheck) writeFileSync(file, text);
  }
  process.stderr.write(
    stale.length === 0
      ? 'up to date\n'
      : `${isCheck ? 'not up to date, run npm run docs' : 'wrote'}: ${stale.join(', ')}\n`,
  );
  if (isCheck && stale.length > 0) process.exitCode = 1;
}

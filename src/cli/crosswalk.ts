import { type Command, InvalidArgumentError } from 'commander';
import { printResult } from './output.ts';

interface Options {
  system?: string;
  kind?: 'sku' | 'account' | 'location';
  outside?: string;
  code?: string;
  at?: string;
  from?: string;
  to?: string;
  limit?: number;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const crosswalk = program
    .command('crosswalk')
    .description("what systems' own codes mean here, each for its time; what waited for an entry runs by itself");
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({
    ...(await import('../master/index.ts')),
    ...(await import('./open.ts')),
    ...(await import('./table.ts')),
    ...(await import('./who.ts')),
  });

  common(crosswalk.command('ls', { isDefault: true }))
    .description('list entries')
    .option('--system <code>', 'of one system')
    .option('--kind <kind>', 'sku, account or location', kindOf)
    .option('--outside <id>', 'of one outside id')
    .option('--code <code>', 'that mean one code of ours')
    .option('--at <time>', 'that hold then', time)
    .option('--limit <n>', 'at most so many', whole, 100)
    .action(async (options: Options) => {
      const { listCrosswalk, withDatabase, table } = await load();
      await withDatabase(options, 'crosswalk', async ({ db }) => {
        const { system, kind, outside, code, at, limit } = options;
        const entries = await listCrosswalk(db, {
          ...{ system: system ?? null, kind: kind ?? null, outsideId: outside ?? null },
          ...{ code: code ?? null, at: at ?? null, limit: limit ?? 100 },
        });
        const text = () =>
          entries.length === 0
            ? 'no entries'
            : table(
                ['system', 'kind', 'outside id', 'code', 'from', 'to', 'by'],
                entries.map((entry) => [
                  ...[entry.system, entry.kind, entry.outsideId, entry.code],
                  ...[entry.validFrom ?? 'ever', entry.validTo ?? 'ever', entry.recordedBy],
                ]),
              );
        printResult({ entries }, { ...options, text });
      });
    });

  common(crosswalk.command('put'))
    .description('add an entry, or change the one that begins at the same moment; two that hold at once are refused')
    .requiredOption('--system <code>', 'whose id it is')
    .requiredOption('--kind <kind>', 'sku, account or location', kindOf)
    .requiredOption('--outside <id>', 'what the system calls it')
    .requiredOption('--code <code>', 'what it is here')
    .option('--from <time>', 'since when (default: ever)', time)
    .option('--to <time>', 'from when on not any more (default: no end)', time)
    .action(async (options: Options) => {
      const { putCrosswalk, withDatabase, whoAmI } = await load();
      await withDatabase(options, 'crosswalk', async ({ db }) => {
        const { system, kind, outside, code, from, to } = options;
        const entry = {
          ...{ system: system!, kind: kind!, outsideId: outside!, code: code! },
          ...{ validFrom: from ?? null, validTo: to ?? null },
        };
        const { written } = await putCrosswalk(db, [entry], whoAmI());
        printResult(
          { written, ...entry },
          { ...options, text: () => (written === 0 ? 'it was so already' : 'written') },
        );
      });
    });

  common(crosswalk.command('end'))
    .description('end the entry that holds')
    .requiredOption('--system <code>', 'whose id it is')
    .requiredOption('--kind <kind>', 'sku, account or location', kindOf)
    .requiredOption('--outside <id>', 'what the system calls it')
    .option('--at <time>', 'when (default: now)', time)
    .action(async (options: Options) => {
      const { endCrosswalk, withDatabase, whoAmI } = await load();
      await withDatabase(options, 'crosswalk', async ({ db }) => {
        const { system, kind, outside, at } = options;
        const named = { system: system!, kind: kind!, outsideId: outside!, at };
        const { code } = await endCrosswalk(db, named, whoAmI());
        printResult({ ...named, code }, { ...options, text: () => `ended: ${outside} does not mean ${code} any more` });
      });
    });
}

function kindOf(text: string): string {
  if (!['sku', 'account', 'location'].includes(text))
    throw new InvalidArgumentError('must be sku, account or location');
  return text;
}

function time(text: string): string {
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('must be a time such as 2026-03-02T09:00:00Z');
  return new Date(text).toISOString();
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

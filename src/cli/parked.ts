import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, paint, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const parked = program.command('parked').description('what was set aside: with class, reason and place');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./parked/run.ts')), ...(await import('./open.ts')) });

  common(parked.command('ls'))
    .description('list it, oldest first')
    .option('--state <state>', 'open, replayed or resolved', oneOf('open', 'replayed', 'resolved'), 'open')
    .option('--class <class>', 'unknown_sku, no_original, key_conflict …')
    .option('--system <code>', 'the system it came from')
    .option('--after <id>', 'go on after this one', id, 0)
    .option('--limit <n>', 'at most so many', id, 100)
    .action(
      async (options: Common & { state: string; class?: string; system?: string; after: number; limit: number }) => {
        const { list, listed, withDatabase } = await load();
        await withDatabase(options, 'parked', async ({ db }) => {
          const records = await list(db, options);
          printResult({ parked: records }, { ...options, text: () => listed(records) });
        });
      },
    );

  common(parked.command('show'))
    .description('one of them, with what it says and the message it came in')
    .argument('<id>', 'from parked ls', id)
    .action(async (parkedId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'parked', async ({ db }) => {
        const record = await show(db, parkedId);
        printResult(record, { ...options, text: () => shown(record) });
      });
    });

  common(parked.command('edit'))
    .description('correct what it says; its key and the message it came in stay as they are')
    .argument('<id>', 'from parked ls', id)
    .option('--set <path=value...>', 'e.g. command.sku=85123A; a value that is JSON is taken as such')
    .option('--file <file>', 'the whole item as JSON, e.g. from parked show --json')
    .option('--replay', 'run it again at once', false)
    .action(
      async (
        parkedId: number,
        options: Common & { set?: string[]; file?: string; replay: boolean },
        command: Command,
      ) => {
        if ((options.set === undefined) === (options.file === undefined))
          command.error('give --set or --file, one of them');
        const { edit, replay, shown, withDatabase } = await load();
        await withDatabase(options, 'parked', async (opened) => {
          const record = await edit(opened.db, parkedId, options);
          if (!options.replay) {
            printResult(record, { ...options, text: () => shown(record) });
            return;
          }
          report(await replay(opened, [parkedId]), options);
        });
      },
    );

  common(parked.command('replay'))
    .description('run it again, under its own key')
    .argument('[ids...]', 'from parked ls')
    .option('--class <class>', 'all open ones of a class')
    .option('--system <code>', 'all open ones of a system')
    .option('--preview', 'only say which', false)
    .action(
      async (
        ids: string[],
        options: Common & { class?: string; system?: string; preview: boolean },
        command: Command,
      ) => {
        if (ids.length === 0 && options.class === undefined && options.system === undefined)
          command.error('give ids, --class or --system');
        const { find, listed, replay, withDatabase } = await load();
        await withDatabase(options, 'parked', async (opened) => {
          const records = await find(opened.db, ids.map(id), options);
          if (options.preview) {
            printResult({ preview: records }, { ...options, text: () => listed(records) });
            return;
          }
          report(
            await replay(
              opened,
              records.map((record) => record.parkedId),
            ),
            options,
          );
        });
      },
    );

  common(parked.command('resolve'))
    .description('give it up: it is never applied')
    .argument('<id>', 'from parked ls', id)
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .action(async (parkedId: number, options: Common & { reason: string }) => {
      const { resolve, withDatabase } = await load();
      await withDatabase(options, 'parked', async ({ db }) => {
        const record = await resolve(db, parkedId, options.reason);
        printResult(record, { ...options, text: () => `parked ${parkedId} is resolved: ${record.resolution}` });
      });
    });
}

function report(
  results: { parkedId: number; applied: boolean; class: string; reason: string }[],
  options: Common,
): void {
  const still = results.filter((result) => !result.applied);
  const text = () =>
    [
      ...still.map(
        ({ parkedId, class: kind, reason }) =>
          `${paint('red', 'still parked', process.stdout)} ${parkedId} ${kind}: ${reason}`,
      ),
      `${results.length - still.length} applied, ${still.length} still parked`,
    ].join('\n');
  printResult({ applied: results.length - still.length, still: still.length, results }, { ...options, text });
  if (still.length > 0) process.exitCode = EXIT.findings;
}

function id(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function oneOf(...values: string[]) {
  return (text: string): string => {
    if (!values.includes(text)) throw new InvalidArgumentError(`must be one of ${values.join(', ')}`);
    return text;
  };
}

import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, paint, printResult } from './output.ts';
import type { Named, NamedOutbound } from './parked/outbound.ts';

interface Common {
  config?: string;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const parked = program
    .command('parked')
    .description(
      'what was set aside: messages that could not be applied, deliveries and publications that a system did not take',
    );
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({
    ...(await import('./parked/run.ts')),
    ...(await import('./parked/outbound.ts')),
    ...(await import('./open.ts')),
  });
  /** The names are read inside the action: what reads them is loaded there. */
  const read = async (ids: readonly string[], command: Command) => {
    const { named } = await load();
    const all: Named[] = [];
    for (const text of ids)
      try {
        all.push(named(text));
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        command.error(`error: ${text} ${error.message}`, { exitCode: EXIT.usage });
      }
    return {
      records: all.flatMap((one) => ('record' in one ? [one.record] : [])),
      outbound: all.filter((one): one is NamedOutbound => !('record' in one)),
    };
  };

  common(parked.command('ls'))
    .description('list it, oldest first')
    .option(
      '--state <state>',
      'open, or of messages: replayed, resolved',
      oneOf('open', 'replayed', 'resolved'),
      'open',
    )
    .option(
      '--class <class>',
      'unknown_sku, no_original, key_conflict …; of deliveries and publications: parked, refused',
    )
    .option('--system <code>', 'the system it came from or should go to')
    .option('--after <id>', 'messages after this one only', id, 0)
    .option('--limit <n>', 'of each kind at most so many', id, 100)
    .action(
      async (options: Common & { state: string; class?: string; system?: string; after: number; limit: number }) => {
        const { list, listed, listOutbound, outboundListed, withDatabase } = await load();
        await withDatabase(options, 'parked', async ({ db }) => {
          const records = await list(db, options);
          const isMore = options.state === 'open' && options.after === 0;
          const outbound = isMore ? await listOutbound(db, options) : { deliveries: [], publications: [] };
          const tables = [...listed(records), ...outboundListed(outbound)];
          const text = () => (tables.length === 0 ? 'nothing is parked' : tables.join('\n\n'));
          printResult({ parked: records, ...outbound }, { ...options, text });
        });
      },
    );

  common(parked.command('show'))
    .description('one of them, with what it says, how it was read step by step, and the message it came in')
    .argument('<id>', 'from parked ls')
    .option(
      '--config <file>',
      'the estate file that says how it was read (default: crossdock.config.ts, if it is there)',
    )
    .action(async (text: string, options: Common, command: Command) => {
      const { outboundShown, show, showOutbound, shown, withDatabase } = await load();
      const {
        records: [parkedId],
        outbound: [one],
      } = await read([text], command);
      await withDatabase(options, 'parked', async ({ db }) => {
        if (one !== undefined) {
          const found = await showOutbound(db, one);
          printResult(found, { ...options, text: () => outboundShown(one, found) });
          return;
        }
        const record = await show(db, parkedId!, options);
        printResult(record, { ...options, text: () => shown(record) });
      });
    });

  common(parked.command('edit'))
    .description('correct what a message says; its key and the bytes it came in stay as they are')
    .argument('<id>', 'a number from parked ls', id)
    .option('--set <path=value...>', 'e.g. command.sku=85123A; a value that is JSON is taken as such')
    .option('--file <file>', 'the whole item as JSON, e.g. from parked show --json')
    .option('--reread', 'what the message says as the estate file maps it now', false)
    .option('--config <file>', 'the estate file (default: crossdock.config.ts, if it is there)')
    .option('--replay', 'run it again at once', false)
    .action(
      async (
        parkedId: number,
        options: Common & { set?: string[]; file?: string; reread: boolean; replay: boolean },
        command: Command,
      ) => {
        const ways = [options.set !== undefined, options.file !== undefined, options.reread].filter(Boolean);
        if (ways.length !== 1) command.error('give --set, --file or --reread, one of them');
        const { edit, replay, shown, withDatabase } = await load();
        await withDatabase(options, 'parked', async (opened) => {
          const record = await edit(opened.db, parkedId, options);
          if (!options.replay) {
            printResult(record, { ...options, text: () => shown(record) });
            return;
          }
          report(await replay(opened, [parkedId]), [], options);
        });
      },
    );

  common(parked.command('replay'))
    .description('run it again, or send it again, under its own key')
    .argument('[ids...]', 'from parked ls')
    .option('--class <class>', 'all open ones of a class')
    .option('--system <code>', 'all open ones of a system, those for it too')
    .option('--preview', 'only say which', false)
    .action(
      async (
        ids: string[],
        options: Common & { class?: string; system?: string; preview: boolean },
        command: Command,
      ) => {
        if (ids.length === 0 && options.class === undefined && options.system === undefined)
          command.error('give ids, --class or --system');
        const { find, findOutbound, idOf, listed, replay, replayOutbound, withDatabase } = await load();
        const asked = await read(ids, command);
        await withDatabase(options, 'parked', async (opened) => {
          const isNamed = ids.length > 0;
          const records = isNamed && asked.records.length === 0 ? [] : await find(opened.db, asked.records, options);
          const outbound = isNamed ? asked.outbound : await findOutbound(opened.db, options);
          if (options.preview) {
            const lines = [...listed(records), ...outbound.map(idOf)];
            const text = () => (lines.length === 0 ? 'nothing is parked' : lines.join('\n'));
            printResult({ preview: records, again: outbound.map(idOf) }, { ...options, text });
            return;
          }
          const again: Again[] = [];
          for (const one of outbound)
            again.push({ id: idOf(one), state: (await replayOutbound(opened.db, one)).state });
          const replayed = await replay(
            opened,
            records.map((record) => record.parkedId),
          );
          report(replayed, again, options);
        });
      },
    );

  common(parked.command('resolve'))
    .description('give it up: it is never applied, or not sent; what waits for it goes on')
    .argument('<id>', 'from parked ls')
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .addHelpText('after', '\nA publication that is given up is told again at its next change.')
    .action(async (text: string, options: Common & { reason: string }, command: Command) => {
      const { byMe, resolve, resolveOutbound, withDatabase } = await load();
      const {
        records: [parkedId],
        outbound: [one],
      } = await read([text], command);
      await withDatabase(options, 'parked', async ({ db }) => {
        const reason = byMe(options.reason);
        const resolved =
          one === undefined ? await resolve(db, parkedId!, reason) : await resolveOutbound(db, one, reason);
        printResult(resolved, { ...options, text: () => `parked ${text} is resolved: ${resolved.resolution}` });
      });
    });
}

interface Again {
  id: string;
  state: string;
}

function report(
  results: { parkedId: number; applied: boolean; class: string; reason: string }[],
  again: readonly Again[],
  options: Common,
): void {
  const still = results.filter((result) => !result.applied);
  const text = () =>
    [
      ...still.map(
        ({ parkedId, class: kind, reason }) =>
          `${paint('red', 'still parked', process.stdout)} ${parkedId} ${kind}: ${reason}`,
      ),
      ...again.map(({ id: name, state }) => `${name} goes again${state === 'in doubt' ? ', looked up first' : ''}`),
      ...(results.length > 0 || again.length === 0
        ? [`${results.length - still.length} applied, ${still.length} still parked`]
        : []),
    ].join('\n');
  const applied = results.length - still.length;
  printResult({ applied, still: still.length, results, again }, { ...options, text });
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

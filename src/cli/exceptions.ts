import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const exceptions = program
    .command('exceptions')
    .description('what orders can not have as they were ordered: what a shop sold by itself beyond what is there');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./exceptions/run.ts')), ...(await import('./open.ts')) });

  common(exceptions.command('list', { isDefault: true }))
    .description('list them, newest first')
    .option('--state <state>', 'open, resolved or all', oneOf('open', 'resolved', 'all'), 'open')
    .option('--channel <code>', 'of one channel')
    .option('--order <id>', 'of one order', id)
    .option('--before <id>', 'only those before this one', id)
    .option('--limit <n>', 'at most so many', id, 100)
    .addHelpText('after', '\nExit code 3 when one is open and waits for a person.')
    .action(
      async (
        options: Common & { state: string; channel?: string; order?: number; before?: number; limit: number },
        command: Command,
      ) => {
        const { list, listed, withDatabase } = await load();
        await withDatabase(options, 'exceptions', async (opened) => {
          const { channel } = options;
          if (channel !== undefined && !opened.directory.channels.has(channel))
            command.error(`error: there is no channel ${channel}`, { exitCode: EXIT.usage });
          const found = await list(opened, options);
          printResult({ exceptions: found }, { ...options, text: () => listed(found) });
          if (found.some((exception) => exception.state === 'open')) process.exitCode = EXIT.findings;
        });
      },
    );

  common(exceptions.command('show'))
    .description('one of them: what it is, by which rule, and what became of it')
    .argument('<id>', 'from exceptions list', id)
    .action(async (exceptionId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'exceptions', async (opened) => {
        const found = await show(opened, exceptionId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  common(exceptions.command('resolve'))
    .description('settle the units that are held; the same again does nothing')
    .argument('<id>', 'from exceptions list', id)
    .requiredOption('--as <what>', 'backorder, substitute or cancel', oneOf('backorder', 'substitute', 'cancel'))
    .option(
      '--otherwise <what>',
      'with substitute: backorder or cancel what no substitute covers (default: then nothing is settled)',
      oneOf('backorder', 'cancel'),
    )
    .option('--reason <text>', 'why, for whoever asks later')
    .action(
      async (
        exceptionId: number,
        options: Common & {
          as: 'backorder' | 'substitute' | 'cancel';
          otherwise?: 'backorder' | 'cancel';
          reason?: string;
        },
      ) => {
        const { resolve, shown, withDatabase } = await load();
        await withDatabase(options, 'exceptions', async (opened) => {
          const found = await resolve(opened, exceptionId, options);
          printResult(found, { ...options, text: () => shown(found) });
        });
      },
    );
}

function id(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

function oneOf(...values: string[]) {
  return (text: string): string => {
    if (!values.includes(text)) throw new InvalidArgumentError(`must be one of ${values.join(', ')}`);
    return text;
  };
}

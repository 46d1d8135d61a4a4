import { type Command, InvalidArgumentError } from 'commander';
import { masterDomains } from '../canonical/index.ts';
import { EXIT, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const stewardship = program
    .command('stewardship')
    .description('values that systems say of fields that others own, for a person to take or not');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./stewardship/run.ts')), ...(await import('./open.ts')) });

  common(stewardship.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option('--state <state>', 'open, accepted, rejected or all', oneOf('open', 'accepted', 'rejected', 'all'), 'open')
    .option('--domain <domain>', masterDomains.join(', '), oneOf(...masterDomains))
    .option('--system <code>', 'who said it')
    .option('--record <code>', 'of one SKU or account')
    .option('--before <id>', 'only those before this one', id)
    .option('--limit <n>', 'at most so many', id, 100)
    .addHelpText('after', '\nExit code 3 when one is open.')
    .action(async (options: Common & Parameters<Awaited<ReturnType<typeof load>>['list']>[1]) => {
      const { list, listed, withDatabase } = await load();
      await withDatabase(options, 'stewardship', async (opened) => {
        const found = await list(opened, options);
        printResult({ items: found }, { ...options, text: () => listed(found) });
        if (found.some((item) => item.state === 'open')) process.exitCode = EXIT.findings;
      });
    });

  common(stewardship.command('show'))
    .description('one of them: who says what, who owns it, and what was decided')
    .argument('<id>', 'from stewardship ls', id)
    .action(async (itemId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'stewardship', async (opened) => {
        const found = await show(opened, itemId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  for (const [verb, state, what] of [
    ['accept', 'accepted', 'take the value: it holds until its owner says something later than it did before'],
    ['reject', 'rejected', 'do not take it: the same value of that system is not asked again'],
  ] as const)
    common(stewardship.command(verb))
      .description(what)
      .argument('<id>', 'from stewardship ls', id)
      .option('--reason <text>', 'why, for whoever asks later')
      .action(async (itemId: number, options: Common & { reason?: string }) => {
        const { decide, shown, withDatabase } = await load();
        await withDatabase(options, 'stewardship', async (opened) => {
          const found = await decide(opened, itemId, state, options.reason);
          printResult(found, { ...options, text: () => shown(found) });
        });
      });
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

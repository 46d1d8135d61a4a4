import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Options {
  state?: string;
  system?: string;
  kind?: 'account' | 'product';
  limit?: number;
  code?: string;
  reason?: string;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const matches = program
    .command('matches')
    .description(
      'accounts and products that arrived from a system and may be one of ours: what waits for a person, and what was decided',
    );
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({
    ...(await import('./matches/run.ts')),
    ...(await import('./open.ts')),
  });

  common(matches.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option(
      '--state <state>',
      'open, merged, apart, undone or all',
      oneOf('open', 'merged', 'apart', 'undone', 'all'),
      'open',
    )
    .option('--system <code>', 'of one system')
    .option('--kind <kind>', 'account or product', oneOf('account', 'product'))
    .option('--limit <n>', 'at most so many', id, 100)
    .addHelpText('after', '\nExit code 3 when one is open and waits for a person.')
    .action(async (options: Options) => {
      const { list, listed, withDatabase } = await load();
      await withDatabase(options, 'matches', async (opened) => {
        const found = await list(opened, options);
        printResult({ matches: found }, { ...options, text: () => listed(found) });
        if (found.some((one) => one.state === 'open')) process.exitCode = EXIT.findings;
      });
    });
  common(matches.command('show'))
    .description('one of them: what arrived beside each candidate, field by field, with score and rule')
    .argument('<id>', 'from matches ls', id)
    .action(async (matchId: number, options: Options) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'matches', async (opened) => {
        const found = await show(opened, matchId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });
  const decisions = {
    merge:
      'they are the same: what its system calls it means this one from now on, and what waited runs; refused where stock or open orders of two products would be added up',
    apart: 'it is none of them, and they are never proposed for it again; it becomes one of its own',
    undo: "take a merge back, a rule's too: from now on it is one of its own; what happened before stays where it is",
  } as const;
  for (const [name, description] of Object.entries(decisions)) {
    const command = common(matches.command(name)).description(description).argument('<id>', 'from matches ls', id);
    if (name === 'merge') command.option('--code <code>', 'which candidate; needed where there are several');
    command
      .option('--reason <text>', 'why, for whoever asks later')
      .action(async (matchId: number, options: Options) => {
        const { decide, shown, withDatabase } = await load();
        await withDatabase(options, 'matches', async (opened) => {
          const found = await decide(opened, name as keyof typeof decisions, matchId, options);
          printResult(found, { ...options, text: () => shown(found) });
        });
      });
  }
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

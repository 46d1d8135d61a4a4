import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Options {
  all?: boolean;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('modes')
    .description('what holds while a system is away: which modes hold now, or what was accepted in one')
    .argument('[id]', 'of one mode: its orders, and what fresh credit said of them', id)
    .option('--all', 'also those that were left')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when one holds now, or an account is over its limit by orders of the mode.')
    .action(async (modeId: number | undefined, options: Options) => {
      const { list, listed, orders, ordersShown } = await import('./modes/run.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'modes', async (opened) => {
        if (modeId === undefined) {
          const found = await list(opened, options.all === true);
          printResult({ modes: found }, { ...options, text: () => listed(found) });
          if (found.some(({ state }) => state === 'open')) process.exitCode = EXIT.findings;
          return;
        }
        const found = await orders(opened, modeId);
        printResult({ modeId, orders: found }, { ...options, text: () => ordersShown(found) });
        if (found.some(({ overByMinor }) => (overByMinor ?? 0) > 0)) process.exitCode = EXIT.findings;
      });
    });
}

function id(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('must be a number from 1');
  return value;
}

import type { Command } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Options {
  company?: string;
  claims: boolean;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const credit = program.command('credit').description('what accounts owe and may owe');
  credit
    .command('show')
    .description('one account: every part of its exposure, as of when, and what is left')
    .argument('<account>', 'its code')
    .option('--company <code>', 'where several companies have such an account')
    .option('--claims', 'with the orders that were accepted and that no report shows yet', false)
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit code 3 when it is over its limit.')
    .action(async (account: string, options: Options) => {
      const { show, shown } = await import('./credit/run.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'credit', async (opened) => {
        const found = await show(opened, account, options);
        printResult(found, { ...options, text: () => shown(found) });
        if (found.availableMinor !== null && found.availableMinor < 0) process.exitCode = EXIT.findings;
      });
    });
}

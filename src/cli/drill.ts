import { type Command, InvalidArgumentError } from 'commander';
import { printResult } from './output.ts';

interface Options {
  minutes: number;
  end?: boolean;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('drill')
    .description('act as if a system were away, for so long: its degraded mode holds, and nothing is sent to it')
    .argument('<what>', 'erp-away, wms-away or crm-away', what)
    .option('--minutes <n>', 'it ends by itself, also when this command is killed', minutes, 10)
    .option('--end', 'end it now')
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .action(async (domain: 'erp' | 'wms' | 'crm', options: Options) => {
      const { begin, end } = await import('./modes/run.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'drill', async (opened) => {
        if (options.end === true) {
          await end(opened, domain);
          printResult({ domain, ended: true }, { ...options, text: () => `the drill of ${domain} has ended` });
          return;
        }
        const drill = await begin(opened, domain, options.minutes);
        const text = () => `${drill.system} counts as away until ${drill.endsAt}; crossdock modes shows what follows`;
        printResult(drill, { ...options, text });
      });
    });
}

function what(text: string): string {
  const [, domain] = /^(erp|wms|crm)-away$/.exec(text) ?? [];
  if (domain === undefined) throw new InvalidArgumentError('must be erp-away, wms-away or crm-away');
  return domain;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1_440)) throw new InvalidArgumentError('must be above 0 and at most 1440');
  return value;
}

import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const alerts = program
    .command('alerts')
    .description('orders that are longer in a stage than they may be (stages in the estate file), and what to do');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./alerts/run.ts')), ...(await import('./open.ts')) });

  common(alerts.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option('--state <state>', 'open, ended or all', oneOf('open', 'ended', 'all'), 'open')
    .option('--stage <stage>', 'of orders that are stuck there')
    .option('--channel <code>', 'of one channel')
    .option('--owner <name>', 'of one owner')
    .option('--before <id>', 'only those before this one', id)
    .option('--limit <n>', 'at most so many', id, 100)
    .addHelpText('after', '\nExit code 3 when one is open.')
    .action(async (options: Common & Parameters<Awaited<ReturnType<typeof load>>['list']>[1], command: Command) => {
      const { list, listed, withDatabase } = await load();
      await withDatabase(options, 'alerts', async (opened) => {
        const { channel } = options;
        if (channel !== undefined && !opened.directory.channels.has(channel))
          command.error(`error: there is no channel ${channel}`, { exitCode: EXIT.usage });
        const found = await list(opened, options);
        printResult({ alerts: found }, { ...options, text: () => listed(found) });
        if (found.some((alert) => alert.state === 'open')) process.exitCode = EXIT.findings;
      });
    });

  common(alerts.command('show'))
    .description('one of them: since when, what it waits for, and the next step')
    .argument('<id>', 'from alerts ls', id)
    .action(async (alertId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'alerts', async (opened) => {
        const found = await show(opened, alertId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  common(alerts.command('ack'))
    .description('say that you look after it; the first who does stays')
    .argument('<id>', 'from alerts ls', id)
    .action(async (alertId: number, options: Common) => {
      const { acknowledge, shown, withDatabase } = await load();
      await withDatabase(options, 'alerts', async (opened) => {
        const found = await acknowledge(opened, alertId);
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

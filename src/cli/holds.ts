import { type Command, InvalidArgumentError } from 'commander';
import { holdKinds } from '../canonical/index.ts';
import { EXIT, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const holds = program.command('holds').description('why orders may not go on: credit, price, account, a person …');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./holds/run.ts')), ...(await import('./open.ts')) });

  common(holds.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option('--state <state>', 'open, released or all', oneOf('open', 'released', 'all'), 'open')
    .option('--kind <kind>', holdKinds.join(', '), oneOf(...holdKinds))
    .option('--channel <code>', 'of one channel')
    .option('--order <order>', 'of one order: id, channel/number, number, or ERP number')
    .option('--owner <name>', 'of one owner')
    .option('--due', 'only those that somebody should have decided by now')
    .option('--before <id>', 'only those before this one', id)
    .option('--limit <n>', 'at most so many', id, 100)
    .addHelpText('after', '\nExit code 3 when one is open.')
    .action(async (options: Common & Parameters<Awaited<ReturnType<typeof load>>['list']>[1], command: Command) => {
      const { list, listed, withDatabase } = await load();
      await withDatabase(options, 'holds', async (opened) => {
        const { channel } = options;
        if (channel !== undefined && !opened.directory.channels.has(channel))
          command.error(`error: there is no channel ${channel}`, { exitCode: EXIT.usage });
        const found = await list(opened, options);
        printResult({ holds: found }, { ...options, text: () => listed(found) });
        if (found.some((hold) => hold.state === 'open')) process.exitCode = EXIT.findings;
      });
    });

  common(holds.command('show'))
    .description('one of them: why, whose it is, by when, and who released it')
    .argument('<id>', 'from holds ls', id)
    .action(async (holdId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'holds', async (opened) => {
        const found = await show(opened, holdId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  common(holds.command('put'))
    .description('hold an order; the same reason and detail again is the same hold')
    .argument('<order>', 'order id, channel/number, number, or ERP number')
    .requiredOption('--reason <code>', 'a short code, e.g. fraud_check', reasonCode)
    .requiredOption('--detail <text>', 'what whoever decides should know')
    .option('--due <time>', 'by when somebody should decide, RFC 3339', instant)
    .action(async (order: string, options: Common & { reason: string; detail: string; due?: string }) => {
      const { put, shown, withDatabase } = await load();
      await withDatabase(options, 'holds', async (opened) => {
        const found = await put(opened, order, options);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  common(holds.command('release'))
    .description('release one; the same again does nothing. With the last hold of an order the ERP is told the order')
    .argument('<id>', 'from holds ls', id)
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .option('--reprice', 'of a hold for prices: its lines get the decided prices, and the amounts follow')
    .action(async (holdId: number, options: Common & { reason: string; reprice?: boolean }) => {
      const { release, shown, withDatabase } = await load();
      await withDatabase(options, 'holds', async (opened) => {
        const found = await release(opened, holdId, options);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });
}

function id(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

function reasonCode(text: string): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(text)) throw new InvalidArgumentError('must be lower case letters, digits and _');
  return text;
}

function instant(text: string): string {
  if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('must be a time such as 2026-12-01T17:00:00Z');
  return new Date(text).toISOString();
}

function oneOf(...values: string[]) {
  return (text: string): string => {
    if (!values.includes(text)) throw new InvalidArgumentError(`must be one of ${values.join(', ')}`);
    return text;
  };
}

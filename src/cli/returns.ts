import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult } from './output.ts';

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

interface Inspect extends Common {
  line?: { lineNo: number; restock: number; scrap: number; quarantine: number; credited: boolean }[];
  fromQuarantine?: boolean;
  reason?: string;
  reference: string;
}

export function register(program: Command): void {
  const returns = program.command('returns').description('goods that come back: asked for, received, inspected');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const load = async () => ({ ...(await import('./returns/run.ts')), ...(await import('./open.ts')) });

  common(returns.command('ls', { isDefault: true }))
    .description('list them, newest first')
    .option(
      '--state <state>',
      'open, expected, received, inspected or all',
      oneOf('open', 'expected', 'received', 'inspected', 'all'),
      'open',
    )
    .option('--channel <code>', 'of one channel')
    .option('--order <id>', 'of one order', id)
    .option('--before <id>', 'only those before this one', id)
    .option('--limit <n>', 'at most so many', id, 100)
    .action(
      async (
        options: Common & { state: string; channel?: string; order?: number; before?: number; limit: number },
        command: Command,
      ) => {
        const { list, listed, withDatabase } = await load();
        await withDatabase(options, 'returns', async (opened) => {
          const { channel } = options;
          if (channel !== undefined && !opened.directory.channels.has(channel))
            command.error(`error: there is no channel ${channel}`, { exitCode: EXIT.usage });
          const found = await list(opened, options);
          printResult({ returns: found }, { ...options, text: () => listed(found) });
        });
      },
    );

  common(returns.command('show'))
    .description('one of them: its lines, what came, and what was found')
    .argument('<id>', 'from returns ls', id)
    .action(async (returnId: number, options: Common) => {
      const { show, shown, withDatabase } = await load();
      await withDatabase(options, 'returns', async (opened) => {
        const found = await show(opened, returnId);
        printResult(found, { ...options, text: () => shown(found) });
      });
    });

  common(returns.command('stock'))
    .description('what came back and is not on hand, by SKU and location')
    .option('--limit <n>', 'at most so many', id, 500)
    .action(async (options: Common & { limit: number }) => {
      const { stock, stockListed, withDatabase } = await load();
      await withDatabase(options, 'returns', async (opened) => {
        const found = await stock(opened, options.limit);
        printResult({ stock: found }, { ...options, text: () => stockListed(found) });
      });
    });

  common(returns.command('inspect'))
    .description('say what became of goods that came in; the same reference again does nothing')
    .argument('<id>', 'from returns ls', id)
    .requiredOption(
      '--line <line>',
      'LINE:restock=N,scrap=N,quarantine=N, with ,uncredited where who sent them does not get their money; may be repeated',
      line,
    )
    .option('--from-quarantine', 'units that an inspection before set apart')
    .option('--reason <text>', 'what was found')
    .requiredOption('--reference <text>', 'of this inspection: with the return, its key for ever')
    .action(async (returnId: number, options: Inspect) => {
      const { inspect, shown, withDatabase } = await load();
      await withDatabase(options, 'returns', async (opened) => {
        const found = await inspect(opened, returnId, { ...options, line: options.line! });
        printResult(found, { ...options, text: () => shown(found) });
      });
    });
}

function line(text: string, before: NonNullable<Inspect['line']> = []): NonNullable<Inspect['line']> {
  const [lineNo, ...parts] = text.split(/[:,]/);
  const entry = { lineNo: id(lineNo!), restock: 0, scrap: 0, quarantine: 0, credited: true };
  for (const part of parts) {
    const [, what, units] = /^(restock|scrap|quarantine)=(\d{1,10})$/.exec(part) ?? [];
    if (part === 'uncredited') entry.credited = false;
    else if (what !== undefined) entry[what as 'restock' | 'scrap' | 'quarantine'] += Number(units);
    else throw new InvalidArgumentError('must be such as 1:restock=2,scrap=1');
  }
  if (entry.restock + entry.scrap + entry.quarantine === 0)
    throw new InvalidArgumentError('says nothing: such as 1:restock=2,scrap=1');
  return [...before, entry];
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

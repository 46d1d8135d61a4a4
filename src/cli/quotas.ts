import { type Command, InvalidArgumentError } from 'commander';
import { printResult } from './output.ts';

interface Options {
  sku?: string;
  channel?: string;
  all?: boolean;
  limit: number;
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const quotas = program
    .command('quotas')
    .description('what channels, regions and accounts are kept of a SKU, and may be promised at most');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');
  const run = async (options: Options, command: Command) => {
    const { EXIT } = await import('./output.ts');
    const { readQuotas } = await import('../orders/index.ts');
    const { withDatabase } = await import('./open.ts');
    const { listed } = await import('./quotas/text.ts');
    await withDatabase(options, 'quotas', async ({ db, directory }) => {
      const { sku, channel: code, all, limit } = options;
      const channel = code === undefined ? undefined : directory.channels.get(code);
      if (code !== undefined && channel === undefined)
        command.error(`error: there is no channel ${code}`, { exitCode: EXIT.usage });
      const channelId = channel?.channelId;
      const found = await readQuotas(db, directory, { sku: sku?.toUpperCase(), channelId, all: all ?? false, limit });
      printResult({ quotas: found }, { ...options, text: () => listed(found) });
    });
  };
  common(quotas.command('ls', { isDefault: true }))
    .description('list them with what is used of each, oldest first')
    .option('--sku <code>', 'of this SKU')
    .option('--channel <code>', 'of this channel')
    .option('--all', 'ended ones too')
    .option('--limit <n>', 'at most so many', count, 200)
    .action(async (_options: object, command: Command) => run(command.optsWithGlobals(), command));
  common(quotas.command('show'))
    .description('all quotas of one SKU, ended ones too')
    .argument('<sku>', 'its code')
    .action(async (sku: string, _options: object, command: Command) =>
      run({ ...command.optsWithGlobals(), sku, all: true, limit: 1_000 }, command),
    );
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

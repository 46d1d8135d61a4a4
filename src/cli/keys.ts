import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, printResult, say } from './output.ts';

const SCOPES = ['read', 'write', 'operate'] as const;
type Scope = (typeof SCOPES)[number];

interface Common {
  databaseUrl?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const keys = program.command('keys').description('API keys: only their hash is kept');
  const common = (command: Command) =>
    command
      .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
      .option('--json', 'print one JSON document');

  common(keys.command('create'))
    .description('make a key and show it, for the only time')
    .argument('<name>', 'who it is for')
    .option('--scope <scope...>', 'read, write, operate (default: read)', scopes)
    .option('--channel <code>', 'the only channel it may speak for')
    .action(async (name: string, options: Common & { scope?: Scope[]; channel?: string }) => {
      const { createApiKey } = await import('../api/index.ts');
      const { withDatabase } = await import('./open.ts');
      const { fail } = await import('../canonical/index.ts');
      await withDatabase(options, 'keys', async ({ db, directory }) => {
        const channel = options.channel ?? null;
        if (channel !== null && !directory.channels.has(channel))
          fail('XD_UNKNOWN_CHANNEL', `no channel ${channel}; there are ${[...directory.channels.keys()].join(', ')}`);
        const asked: readonly Scope[] = options.scope ?? ['read'];
        const { keyId, key } = await createApiKey(db, { name, scopes: asked, channel });
        printResult({ keyId, key, name, scopes: asked, channel }, { ...options, text: () => key });
        if (!options.json) say(`${keyId} for ${name}: ${asked.join(', ')}. It is not shown again.`);
      });
    });

  common(keys.command('ls'))
    .description('list keys')
    .action(async (options: Common) => {
      const { listApiKeys } = await import('../api/index.ts');
      const { withDatabase } = await import('./open.ts');
      const { table } = await import('./table.ts');
      await withDatabase(options, 'keys', async ({ db }) => {
        const list = await listApiKeys(db);
        const text = () =>
          table(
            ['key', 'name', 'scopes', 'channel', 'created', 'revoked'],
            list.map((k) => [
              k.keyId,
              k.name,
              k.scopes.join(','),
              k.channel,
              k.createdAt.toISOString(),
              k.revokedAt?.toISOString(),
            ]),
          );
        printResult({ keys: list }, { ...options, text });
      });
    });

  common(keys.command('revoke'))
    .description('end a key; processes that know it forget it within five seconds')
    .argument('<id>', 'k_…, from keys ls')
    .action(async (id: string, options: Common) => {
      const { revokeApiKey } = await import('../api/index.ts');
      const { withDatabase } = await import('./open.ts');
      await withDatabase(options, 'keys', async ({ db }) => {
        const revoked = await revokeApiKey(db, id);
        printResult(
          { keyId: id, revoked },
          { ...options, text: () => (revoked ? `${id} is revoked` : `no key ${id} that still worked`) },
        );
        if (!revoked) process.exitCode = EXIT.failed;
      });
    });
}

function scopes(text: string, before: Scope[] | undefined): Scope[] {
  const asked = text.split(',') as Scope[];
  for (const scope of asked)
    if (!SCOPES.includes(scope)) throw new InvalidArgumentError(`must be of ${SCOPES.join(', ')}, not ${scope}`);
  return [...new Set([...(before ?? []), ...asked])];
}

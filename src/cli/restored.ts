import type { Command } from 'commander';
import { printResult, say } from './output.ts';

export function register(program: Command): void {
  program
    .command('restored')
    .description(
      'after a restore, before the hub starts: begin a new epoch of the log, and have what is open looked up',
    )
    .option('--database-url <url>', 'PostgreSQL 15 to 18 (default: DATABASE_URL, else the embedded one)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nStop every process of the hub first. See docs/operating/backup-and-restore.md.')
    .action(async (options: { databaseUrl?: string; json?: boolean }) => {
      const { connectDatabase } = await import('./connect.ts');
      const { withoutTables } = await import('./open.ts');
      const { beginEpoch } = await import('../log/index.ts');
      const { doubtWhatIsOpen } = await import('../outbound/index.ts');
      const { Database } = await import('../store/index.ts');
      const connected = await connectDatabase({ ...(options.databaseUrl && { url: options.databaseUrl }), log: say });
      const db = new Database({ url: connected.url, poolMax: 1, applicationName: 'crossdock restored' });
      try {
        const result = await db.transaction(async (tx) => ({
          ...(await beginEpoch(tx)),
          lookedUp: await doubtWhatIsOpen(tx),
        }));
        const { epoch, afterPosition, lookedUp } = result;
        printResult(result, {
          ...options,
          text: () =>
            `epoch ${epoch} begins after position ${afterPosition}; ${lookedUp.deliveries} deliveries and ` +
            `${lookedUp.publications} publications are looked up before they are sent`,
        });
      } catch (error) {
        throw withoutTables(error);
      } finally {
        await db.end();
        await connected.close();
      }
    });
}

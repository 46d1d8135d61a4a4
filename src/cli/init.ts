import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../canonical/errors.ts';
import { printResult } from './output.ts';

const CONFIG = `import { defineEstate } from 'crossdock';

// The estate: which systems there are, who sells what from where, and how late each flow may be.
// It is checked by types here and by its schema when Crossdock starts; an unknown key is refused with its path.
// Codes (UK, MAIN, api) are for ever: change them before the first start.
export default defineEstate({
  name: 'mine',
  companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { MAIN: { company: 'UK', region: 'home' } },
  // ERP, WMS, CRM, shops: a connector, where it is, and secrets by reference (import { env } from 'crossdock'):
  //   erp: { connector: 'my-erp', url: env('ERP_URL'), token: env('ERP_TOKEN') },
  // A connector of your own is imported above and named here: connectors: { 'my-erp': myErp }.
  systems: {},
  // Who asks before it promises needs no system: orders and reservations by API.
  channels: { api: { company: 'UK', sells: 'asks', locations: ['MAIN'] } },
  // Which system takes what: orders: 'erp', fulfilment: 'wms', accounts: 'crm'. Without one nothing of that kind is sent.
  routing: {},
});
`;

const ENV = `# Copy to .env: every command reads it in the folder where it is run. What the environment says already wins.
# A PostgreSQL 15 to 18 of your own. Without it Crossdock runs one itself, with its data in .crossdock/pg.
#DATABASE_URL=postgres://user:password@127.0.0.1:5432/crossdock
# Where the API and the page listen, on 127.0.0.1.
#PORT=8480
`;

/** As one types it here: a checkout has no `crossdock` to call. */
const COMMAND = import.meta.url.endsWith('.ts') ? 'npm run -s crossdock --' : 'npx crossdock';

export function register(program: Command): void {
  program
    .command('init')
    .description('write a first crossdock.config.ts and .env.example, and say how to go on')
    .argument('[folder]', 'where; it is made if it is not there', '.')
    .option('--json', 'print one JSON document')
    .action(async (folder: string, options: { json?: boolean }) => {
      const files = new Map([
        [join(resolve(folder), 'crossdock.config.ts'), CONFIG],
        [join(resolve(folder), '.env.example'), ENV],
      ]);
      // All of them are looked for first: half of a set-up helps nobody.
      for (const path of files.keys()) if (await exists(path)) refuse(path, 'is there already; move it away first');
      for (const [path, text] of files)
        try {
          await mkdir(resolve(folder), { recursive: true });
          // Never over someone's own file.
          await writeFile(path, text, { flag: 'wx' });
        } catch (cause) {
          refuse(path, `can't be written (${(cause as NodeJS.ErrnoException).code})`, cause);
        }
      const written = [...files.keys()];
      const config = relative('.', written[0]!);
      const next = [
        `${COMMAND} start${config === 'crossdock.config.ts' ? '' : ` --config ${config}`}`,
        `${COMMAND} keys create me --scope read write operate`,
      ];
      const text = () =>
        [
          `wrote ${written.join(' and ')}`,
          'next, the hub and its database:',
          `    ${next[0]}`,
          'then, in a second terminal, a key for the API and the page:',
          `    ${next[1]}`,
          'how to go on: docs/guides/write-an-estate.md and docs/guides/load-data.md of the repository',
        ].join('\n');
      printResult({ written, next }, { ...options, text });
    });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function refuse(path: string, why: string, cause?: unknown): never {
  fail('XD_SETUP_FAILED', `${path} ${why}`, { path }, { cause });
}

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../canonical/errors.ts';
import { printResult } from './output.ts';

const CONFIG = `import { defineEstate } from 'crossdock';

// The estate: which systems there are, who owns what, and how late each flow may be.
// It is checked by types here and by its schema when Crossdock starts; an unknown key is refused with its path.
// Secrets stay outside: env('NAME') or file('/run/secrets/name').
export default defineEstate({
  companies: {},
  locations: {},
  systems: {},
  channels: {},
});
`;

const ENV = `# A PostgreSQL 15 to 18 of your own. Without it Crossdock runs one itself, with its data in .crossdock/pg.
#DATABASE_URL=postgres://user:password@127.0.0.1:5432/crossdock
# Where the API and the console listen, on 127.0.0.1.
#PORT=8480
`;

export function register(program: Command): void {
  program
    .command('init')
    .description('write a first crossdock.config.ts and .env.example')
    .argument('[folder]', 'where', '.')
    .option('--json', 'print one JSON document')
    .action(async (folder: string, options: { json?: boolean }) => {
      const files = { 'crossdock.config.ts': CONFIG, '.env.example': ENV };
      const written: string[] = [];
      for (const [name, text] of Object.entries(files)) {
        const path = join(resolve(folder), name);
        try {
          // Never over someone's own file.
          await writeFile(path, text, { flag: 'wx' });
        } catch (cause) {
          const { code } = cause as NodeJS.ErrnoException;
          const why = code === 'EEXIST' ? 'is there already; move it away first' : `can't be written (${code})`;
          fail('XD_SETUP_FAILED', `${path} ${why}`, { path }, { cause });
        }
        written.push(path);
      }
      printResult({ written }, { ...options, text: () => `wrote ${written.join(' and ')}` });
    });
}

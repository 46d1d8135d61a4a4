import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const everywhere = (pattern: string) => ['src', 'sim', 'test', 'scripts'].map((room) => `${room}/**/${pattern}`);
const outside = ['**/node_modules/**', '**/dist/**', '**/.crossdock/**'];

/** As `estate/own-modules.ts` does where Node itself loads an estate. */
const resolve = {
  alias: [
    { find: /^crossdock\/connector$/, replacement: join(import.meta.dirname, 'src/connectors/kit/index.ts') },
    { find: /^crossdock$/, replacement: join(import.meta.dirname, 'src/index.ts') },
  ],
};

/**
 * Files that need PostgreSQL end in `.db.test.ts`: they share one server, which the global set-up starts, and each clones a
 * database of its own. Two at a time: more would only wait for the same two cores, and their time limits would run out.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: everywhere('*.test.ts'),
          exclude: [...outside, ...everywhere('*.db.test.ts')],
          maxWorkers: 2,
        },
      },
      {
        resolve,
        test: {
          name: 'db',
          include: everywhere('*.db.test.ts'),
          exclude: outside,
          globalSetup: 'test/helpers/global-setup.ts',
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

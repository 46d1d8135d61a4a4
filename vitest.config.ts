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
 * Files that need a system nobody here wrote end in `.live.test.ts`: one at a time, after all others.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: everywhere('*.test.ts'),
          exclude: [...outside, ...everywhere('*.db.test.ts'), ...everywhere('*.live.test.ts')],
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
      {
        resolve,
        test: {
          name: 'peers',
          include: ['test/peers/**/*.live.test.ts'],
          exclude: outside,
          // Some of them put a hub between, which needs its database.
          globalSetup: ['test/helpers/global-setup.ts', 'test/peers/global-setup.ts'],
          // Real systems are slow, and one test's storm would be the other's time-out.
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

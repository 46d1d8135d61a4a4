/** Connectors of databases, held to the suite against a PostgreSQL that fails as it is told. */
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { connectors } from '../src/connectors/index.ts';
import { checks, type SystemDescription, testConnector } from '../src/connectors/kit/conformance/index.ts';

const root = join(import.meta.dirname, '..', 'src', 'connectors');
const descriptionOf = async (name: string) =>
  ((await import(join(root, name, 'conformance.ts'))) as { default: SystemDescription }).default;

describe('every connector of ours that reads and writes a database', () => {
  it.each(['ledgersmb', 'sql'])(
    '%s passes what it declares',
    async (name) => {
      const database = inject('databaseUrl');
      const report = await testConnector(connectors.get(name)!, await descriptionOf(name), { name, database });
      expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
      expect(report.passed).toBeGreaterThanOrEqual(60);
      expect(report.passed + report.skipped).toBe(checks.length);
      for (const { result, detail } of report.checks) if (result === 'skipped') expect(detail).not.toBeNull();
    },
    600_000,
  );
});

/** SQL is written by hand, one named statement each, in `*.sql.ts`; what lies elsewhere is named here with its reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** One or two statements through `sql()`, beside the only code that uses them. */
const besideTheirUse = [
  'src/api/order-keys.ts',
  'src/cli/demo/drain.ts',
  'src/master/declared.ts',
  'src/ops/maintain.ts',
  'src/ops/pressure.ts',
  'src/outbound/doubt-open.ts',
  'src/outbound/freshness.ts',
  'src/store/clock.ts',
  'src/store/ids.ts',
  'src/store/leases.ts',
];

/** Not through `sql()`: administration, run rarely, on connections that prepare nothing. */
const administration: Readonly<Record<string, string>> = {
  'src/cli/connect.ts': 'looks for the demo’s database before there is a pool',
  'src/cli/demo/run.ts': 'makes and drops databases',
  'src/ops/retention.ts': 'drops partitions, whose names can’t be bound',
  'src/store/database.ts': 'begin, commit, and what became of a commit',
  'src/store/doctor.ts': 'asks any server what it is like',
  'src/store/embedded/server.ts': 'makes the database',
  'src/store/migrate.ts': 'runs the files of sql/',
};

/** Statements for other systems' databases, around those that an estate declares. */
const otherSystems = [
  'src/connectors/kit/conformance/checks/database-reads.ts',
  'src/connectors/kit/conformance/checks/database.ts',
  'src/connectors/kit/conformance/database.ts',
  'src/connectors/ledgersmb/conformance.ts',
  'src/connectors/sql/conformance.ts',
  'src/connectors/sql/sink.ts',
  'src/connectors/sql/source.ts',
  'src/connectors/sql/statements.ts',
];

const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((file) => !/\.test\.ts$|\/testing\.ts$|\/testing\//.test(file));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const statementFiles = files.filter((file) => file.endsWith('.sql.ts'));

const SQL = /['`]\s*(select|with \w+ as|insert into|update \w+ (as |set )|delete from|lock table|drop |create |alter )/;

describe('SQL', () => {
  it('stands in *.sql.ts, or where this file says', () => {
    const elsewhere = files.filter((file) => !file.endsWith('.sql.ts') && SQL.test(textOf(file)));
    expect(elsewhere.sort()).toEqual([...besideTheirUse, ...otherSystems, ...Object.keys(administration)].sort());
    for (const file of besideTheirUse) expect(textOf(file), file).toMatch(/\bsql(<[^(]*>)?\(/s);
  });

  it('has one name per statement', () => {
    const byName = new Map<string, string[]>();
    for (const file of files)
      for (const [, name] of textOf(file).matchAll(/= (?:sql|verdict)(?:<[^(]*?>)?\(\s*'([^']+)'/gs))
        byName.set(name!, [...(byName.get(name!) ?? []), file]);
    expect(byName.size).toBeGreaterThan(120);
    expect([...byName].filter(([, where]) => where.length > 1)).toEqual([]);
  });

  it('binds every value: only constants of the file are put into a text', () => {
    const wrong: string[] = [];
    for (const file of statementFiles) {
      const text = textOf(file);
      // Of an expression, what it begins with.
      for (const [, name] of text.matchAll(/\$\{(\w+)/g))
        if (!new RegExp(`const ${name} =|function \\w+\\([^)]*\\b${name}: string|\\(${name}\\) =>`).test(text))
          wrong.push(`${file}: ${name}`);
    }
    expect(wrong).toEqual([]);
  });

  it('lists its columns', () => {
    const wrong = statementFiles.filter((file) => /select (\w+\.)?\* from (?!unnest)/.test(textOf(file)));
    expect(wrong).toEqual([]);
  });

  it('is written in lower case', () => {
    const migrations = readdirSync(join(root, 'sql')).map((name) => `sql/${name}`);
    const loud = /^(?! *(--|\/\/|\*)).*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|CREATE TABLE|ALTER TABLE)\b/m;
    expect([...statementFiles, ...migrations].filter((file) => loud.test(textOf(file)))).toEqual([]);
  });

  it('never notifies: NOTIFY takes one lock of the whole server at each commit', () => {
    const found = files.filter((file) =>
      /pg_notify|on\('notification'|['`](notify|listen) \w+['`]/i.test(textOf(file)),
    );
    expect(found).toEqual([]);
    for (const name of readdirSync(join(root, 'sql')))
      expect(textOf(`sql/${name}`), name).not.toMatch(/^\s*(notify|listen)\s|pg_notify/im);
  });

  it('locks rows in an order', () => {
    const wrong: string[] = [];
    // One row, by its whole key, has no order.
    for (const file of statementFiles)
      for (const [statement] of textOf(file).matchAll(/`[^`]*\bfor (?:no key )?update\b[^`]*`/gs))
        if (!/order by/.test(statement) && !/where \w+ = \$1::\w+( and \w+ = \$2::\w+)? for update/.test(statement))
          wrong.push(`${file}: ${statement.slice(0, 120)}`);
    expect(wrong).toEqual([]);
  });
});

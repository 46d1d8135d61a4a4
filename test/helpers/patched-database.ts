import { Database, type DatabaseOptions, type Statement, type Tx } from '../../src/store/index.ts';

/** A database in which named statements are replaced by wrong ones: bugs seeded from outside, for tests of the tests. */
export class PatchedDatabase extends Database {
  readonly #patches: Readonly<Record<string, (text: string) => string>>;

  constructor(options: DatabaseOptions, patches: Readonly<Record<string, (text: string) => string>>) {
    super(options);
    this.#patches = patches;
  }

  override query<Row>(statement: Statement<Row>, values: readonly unknown[] = []): Promise<Row[]> {
    return super.query(this.#patched(statement), values);
  }

  override transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return super.transaction((tx) =>
      work({
        xid: tx.xid,
        query: (statement, values) => tx.query(this.#patched(statement), values),
        write: (statement, values) => tx.write(this.#patched(statement), values),
      }),
    );
  }

  #patched<Row>(statement: Statement<Row>): Statement<Row> {
    const patch = this.#patches[statement.name];
    if (patch === undefined) return statement;
    const text = patch(statement.text);
    if (text === statement.text) throw new Error(`the patch of ${statement.name} changes nothing`);
    return { name: `${statement.name}_patched`, text };
  }
}

/** Answers before it commits, and then dies: what was acknowledged is not on disk. */
export class EarlyDatabase extends Database {
  override transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      super
        .transaction(async (tx) => {
          resolve(await work(tx));
          throw new Error('killed before the commit');
        })
        .catch(reject);
    });
  }
}

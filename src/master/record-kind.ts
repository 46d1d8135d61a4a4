/** What plans need to know of a kind of records. */
import { type Queryable, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import type { Findings } from './findings.ts';

export type Value = string | number | boolean | null | readonly string[] | readonly object[];
/** Field by field. */
export type Values = Readonly<Record<string, Value>>;
/** The fields of the key, in their order. */
export type RecordKey = readonly string[];

export interface Refusal {
  code: string;
  reason: string;
}

/** Some of a set can't be written, by their places. */
export class RecordsRefused extends Error {
  readonly refused: ReadonlyMap<number, Refusal>;
  constructor(refused: ReadonlyMap<number, Refusal>) {
    super(`${refused.size} records were refused`);
    this.refused = refused;
  }
}

export interface KnownRecord {
  subjectId: number | null;
  values: Values;
}

/** A record as files and writers have it: key fields and others by name. */
export type Loose = Record<string, unknown>;

export interface RecordKind {
  readonly name: string;
  readonly keyFields: readonly string[];
  readonly fields: readonly string[];
  /** Fields that only a file says: what is written for them is read back as others. */
  readonly alsoSaid?: readonly string[];
  /** Fields that are exact decimals: 2 and 2.00 are the same, and each stays as it was written. */
  readonly decimals?: readonly string[];
  /** All that a record says is one list: the rows of a file that go together are it. */
  readonly isList?: boolean;
  /** The record is the subject: one that isn't there yet has no id. Else what its key names. */
  readonly isSubject: boolean;
  /** Keeps all other writers of the kind out until the transaction ends. */
  lock(tx: Tx): Promise<unknown>;
  /** By place in `keys`: those that are there. */
  read(db: Queryable, keys: readonly RecordKey[]): Promise<Map<number, KnownRecord>>;
  /**
   * Puts whole records.
   * @throws RecordsRefused, or a CrossdockError naming the place `…[i]`: nothing of the transaction may stay then
   */
  put(tx: Tx, directory: Directory, records: readonly Loose[]): Promise<void>;
  /** Takes back records that were added. @returns by place what still names those that stay */
  withdraw(tx: Tx, directory: Directory, keys: readonly RecordKey[]): Promise<Map<number, string>>;
}

export const column = (keys: readonly RecordKey[], at: number) => texts(keys.map((key) => key[at]!));

/** What could not be taken of a record refuses the whole of it. */
export function refuse<R>(findings: Findings<R>, records: readonly R[]): void {
  if (findings.size === 0) return;
  const refused = new Map<number, Refusal>();
  records.forEach((record, i) => {
    const [first] = findings.get(record) ?? [];
    if (first === undefined) return;
    const code = first.class === 'gtin_taken' ? first.class : first.code;
    refused.set(i, { code, reason: `${first.field}: ${first.reason}` });
  });
  throw new RecordsRefused(refused);
}

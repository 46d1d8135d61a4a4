import { documents, numbers, type Tx, texts } from '../store/index.ts';
import { insertFacts } from './append.sql.ts';

/** A canonical fact before it is recorded. `stream` is what it is about (`order/17`, `stock/4@2`), `version` its place there. */
export interface NewFact {
  type: string;
  stream: string;
  version: number;
  companyId: number;
  occurredAt: string;
  correlationId?: string | null;
  causationId?: string | null;
  data: unknown;
}

/** A recorded fact. `position` is where it stands in the log, not when it was caused. */
export interface Fact extends NewFact {
  position: number;
  transactionId: string;
  recordedAt: Date;
}

/** Appends facts in one statement. The caller holds the lock that guards each stream's version. */
export async function appendFacts(tx: Tx, facts: readonly NewFact[]): Promise<void> {
  if (facts.length === 0) return;
  tx.write(insertFacts, [
    texts(facts.map((fact) => fact.type)),
    texts(facts.map((fact) => fact.stream)),
    numbers(facts.map((fact) => fact.version)),
    numbers(facts.map((fact) => fact.companyId)),
    texts(facts.map((fact) => fact.occurredAt)),
    texts(facts.map((fact) => fact.correlationId ?? null)),
    texts(facts.map((fact) => fact.causationId ?? null)),
    documents(facts.map((fact) => JSON.stringify(fact.data))),
  ]);
}

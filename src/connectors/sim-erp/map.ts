import type { InboundItem } from '../../canonical/index.ts';
import { creditItem, type Draft, documentItem, Fields, mapRecords, readOr, scopes } from '../kit/index.ts';
import { creditOf } from './credit.ts';

const KINDS = ['invoice', 'credit_note'] as const;

/** Documents that the ERP posted: invoices of shipments, credit notes of returns; and what their accounts owe after it. */
export function mapDocuments(records: readonly unknown[], system: string): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) => [mapDocument(raw, place, system)]);
}

/** What its account owes after it: a report, known by account and moment. */
function mapCredit(raw: unknown, place: string, system: string): Draft {
  const keyOf = (): string => {
    const record = new Fields(raw, place);
    return `${record.text('company')}/${record.text('account')} ${record.time('at')}`;
  };
  return readOr(raw, scopes.credit(system), keyOf, () => creditItem(system, creditOf(new Fields(raw, place))));
}

function mapDocument(raw: unknown, place: string, system: string): Draft {
  if ((raw as { kind?: unknown } | null)?.kind === 'credit') return mapCredit(raw, place, system);
  const keyOf = (): string => {
    const record = new Fields(raw, place);
    return `${record.oneOf('kind', KINDS)}/${record.text('number')}`;
  };
  return readOr(raw, scopes.document(system), keyOf, () => {
    const record = new Fields(raw, place);
    return documentItem(system, {
      kind: 'document.posted',
      document: record.oneOf('kind', KINDS),
      number: record.text('number'),
      order: record.text('order'),
      currency: record.currency('currency'),
      totalMinor: record.integer('totalMinor', 0),
      occurredAt: record.time('at'),
      lines: record.lines('lines').map((line) => ({
        lineNo: line.lineNo('lineNo'),
        quantity: line.quantity('quantity'),
        amountMinor: line.integer('amountMinor', 0),
      })),
    });
  });
}

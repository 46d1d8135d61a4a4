import type { InboundItem } from '../../canonical/index.ts';
import { type Draft, documentItem, Fields, mapRecords, readOr, scopes } from '../kit/index.ts';

const KINDS = ['invoice', 'credit_note'] as const;

/** Documents that the ERP posted: invoices of shipments, credit notes of returns. */
export function mapDocuments(records: readonly unknown[], system: string): InboundItem[] {
  return mapRecords(records, '/records', (raw, place) => [mapDocument(raw, place, system)]);
}

function mapDocument(raw: unknown, place: string, system: string): Draft {
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

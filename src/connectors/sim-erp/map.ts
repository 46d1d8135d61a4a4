import type { InboundItem } from '../../canonical/index.ts';
import { creditItem, type Draft, documentItem, Fields, mapRecords, readOr, recordItem, scopes } from '../kit/index.ts';
import { creditOf } from './credit.ts';

const KINDS = ['invoice', 'credit_note'] as const;

/** Documents that the ERP posted: invoices of shipments, credit notes of returns; what their accounts owe after it; what it asks for products. */
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

/** What it asks for one of a product from now on. */
function mapPrice(raw: unknown, place: string, system: string): Draft {
  const keyOf = (): string => {
    const record = new Fields(raw, place);
    return `${record.sku('sku')} ${record.time('at')}`;
  };
  return readOr(raw, scopes.event('price.changed', system), keyOf, () => {
    const record = new Fields(raw, place);
    return recordItem(system, {
      kind: 'price.changed',
      sku: record.sku('sku'),
      company: record.text('company'),
      currency: record.currency('currency'),
      unitPrice: record.unitPrice('unitPrice'),
      changedAt: record.time('at'),
    });
  });
}

function mapDocument(raw: unknown, place: string, system: string): Draft {
  if ((raw as { kind?: unknown } | null)?.kind === 'price') return mapPrice(raw, place, system);
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

/** Payloads as the content of files; pure. */
import { createHash } from 'node:crypto';
import { fail } from '../../canonical/index.ts';
import type { DeliveryItem } from '../kit/index.ts';
import type { Outbound } from './settings.ts';

const NAME_CHARS_MAX = 80;

/** A reference as a name for any file system: readable, and never the same for two, not even where case doesn't count. */
export function fileNameOf(reference: string): string {
  const digest = createHash('sha256').update(reference).digest('hex').slice(0, 10);
  return `${reference.replaceAll(/[^A-Za-z0-9.-]+/g, '_').slice(0, NAME_CHARS_MAX)}-${digest}`;
}

export function extensionOf({ format, files }: Outbound): string {
  return format === 'json' && files === 'batch' ? 'ndjson' : format;
}

/** @throws XD_VALUE_INVALID naming a column that a payload doesn't have */
export function contentOf(kind: string, outbound: Outbound, items: readonly DeliveryItem[]): Buffer {
  const payloads = items.map(
    ({ reference, payload }) => ({ ...(payload as object), reference }) as Record<string, unknown>,
  );
  if (outbound.format === 'csv') return Buffer.from(csvOf(outbound, payloads), 'utf8');
  if (outbound.format === 'xml') {
    const root = outbound.root ?? kind;
    const inner = payloads.map((payload) => element(root, payload, 0)).join('');
    const whole = outbound.files === 'batch' ? `<${root}s>\n${inner}</${root}s>\n` : inner;
    return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${whole}`, 'utf8');
  }
  if (outbound.files === 'batch')
    return Buffer.from(payloads.map((one) => `${JSON.stringify(one)}\n`).join(''), 'utf8');
  return Buffer.from(`${JSON.stringify(payloads[0], null, 2)}\n`, 'utf8');
}

function csvOf({ columns = [], delimiter = ',' }: Outbound, payloads: readonly Record<string, unknown>[]): string {
  const row = (cells: readonly string[]) => `${cells.map((cell) => quoted(cell, delimiter)).join(delimiter)}\r\n`;
  const rows = payloads.flatMap((payload) => {
    const lines = Array.isArray(payload.lines) ? (payload.lines as Record<string, unknown>[]) : [{}];
    return lines.map((line) =>
      row(
        columns.map(({ from }) => {
          const value = from.startsWith('lines.') ? line[from.slice(6)] : payload[from];
          if (value === undefined) return fail('XD_VALUE_INVALID', `the payload has no ${from}`, { place: from });
          return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
        }),
      ),
    );
  });
  return row(columns.map(({ name }) => name)) + rows.join('');
}

function quoted(cell: string, delimiter: string): string {
  const needs = cell.includes(delimiter) || /["\r\n]/.test(cell) || cell !== cell.trim();
  return needs ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function element(name: string, value: unknown, level: number): string {
  const indent = '  '.repeat(level);
  if (Array.isArray(value)) return value.map((one) => element(name === 'lines' ? 'line' : name, one, level)).join('');
  if (value === null || value === undefined) return `${indent}<${name}/>\n`;
  if (typeof value !== 'object') return `${indent}<${name}>${escaped(String(value))}</${name}>\n`;
  const inner = Object.entries(value).map(([key, one]) => element(key, one, level + 1));
  return `${indent}<${name}>\n${inner.join('')}${indent}</${name}>\n`;
}

/** Characters that no XML document may hold become U+FFFD: a partner's parser would refuse the whole file. */
function escaped(text: string): string {
  return [...text.toWellFormed()]
    .map((c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '\r': '&#13;' })[c] ?? (isControl(c) ? '\ufffd' : c))
    .join('');
}

function isControl(c: string): boolean {
  const code = c.codePointAt(0)!;
  return (code < 32 && code !== 9 && code !== 10) || code === 0xfffe || code === 0xffff;
}

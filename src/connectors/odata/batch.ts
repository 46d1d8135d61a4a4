/** `$batch`: several writes in one request, each told by itself. As parts of a message (v2, v4) or as JSON (v4). Pure. */
import { recordOf } from './protocol.ts';

export interface Part {
  method: string;
  /** Below the service root, without a slash before it. */
  url: string;
  headers: Readonly<Record<string, string>>;
  body: unknown;
}

export interface PartAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  value: unknown;
}

const LEVELS_MAX = 2;
const CRLF = '\r\n';

/** JSON batch (OData JSON Format v4.01, 19). */
export function jsonBatch(parts: readonly Part[]): unknown {
  return {
    requests: parts.map(({ method, url, headers, body }, index) => ({
      id: String(index + 1),
      method,
      url,
      headers,
      body,
    })),
  };
}

/** By place; undefined where no answer speaks of it. They may come in any order. */
export function jsonAnswers(value: unknown, count: number): (PartAnswer | undefined)[] {
  const answers: (PartAnswer | undefined)[] = new Array<PartAnswer | undefined>(count).fill(undefined);
  const responses = recordOf(value).responses;
  if (!Array.isArray(responses)) return answers;
  for (const response of responses) {
    const { id, status, headers, body } = recordOf(response);
    const index = Number(id) - 1;
    if (!Number.isInteger(index) || index < 0 || index >= count || !Number.isInteger(status)) continue;
    // Two answers to one write: nobody knows which is true.
    const isSecond = answers[index] !== undefined;
    answers[index] = isSecond
      ? undefined
      : { status: status as number, headers: lower(recordOf(headers)), value: body };
  }
  return answers;
}

/**
 * Each write in a change set of its own: a change set is all or nothing, and one write that is refused must not undo its neighbours.
 * `boundary` must not occur in any body.
 */
export function multipartBatch(parts: readonly Part[], boundary: string): string {
  const lines: string[] = [];
  for (const [index, { method, url, headers, body }] of parts.entries()) {
    const own = `${boundary}_${index + 1}`;
    const json = JSON.stringify(body);
    lines.push(`--${boundary}`, `Content-Type: multipart/mixed; boundary=${own}`, '', `--${own}`);
    lines.push('Content-Type: application/http', 'Content-Transfer-Encoding: binary', `Content-ID: ${index + 1}`, '');
    lines.push(`${method} ${url} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`));
    lines.push(`Content-Length: ${Buffer.byteLength(json)}`, '', json, `--${own}--`);
  }
  lines.push(`--${boundary}--`, '');
  return lines.join(CRLF);
}

/**
 * By place. A change set that succeeded answers with parts of its own, one that failed with the error alone; without Content-IDs the answers
 * are in the order of the change sets, which is trusted only where there are as many as writes.
 */
export function multipartAnswers(body: Buffer, contentType: string, count: number): (PartAnswer | undefined)[] {
  const found = messages(body.toString('utf8'), contentType, LEVELS_MAX);
  const answers: (PartAnswer | undefined)[] = new Array<PartAnswer | undefined>(count).fill(undefined);
  const isWhole = found.length === count;
  const taken = new Set<number>();
  for (const [place, { id, answer }] of found.entries()) {
    const index = id !== undefined && /^\d{1,6}$/.test(id) ? Number(id) - 1 : isWhole ? place : -1;
    if (index < 0 || index >= count) continue;
    answers[index] = taken.has(index) ? undefined : answer;
    taken.add(index);
  }
  return answers;
}

interface Message {
  id: string | undefined;
  answer: PartAnswer;
}

function messages(text: string, contentType: string, levels: number): Message[] {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType)?.slice(1).find(Boolean);
  if (boundary === undefined || levels === 0) return [];
  const found: Message[] = [];
  // What stands before the first and behind the last boundary is no part.
  const ends = text.indexOf(`--${boundary}--`);
  const pieces = (ends < 0 ? text : text.slice(0, ends)).split(`--${boundary}`).slice(1);
  for (const piece of ends < 0 ? pieces.slice(0, -1) : pieces) {
    const { headers, rest } = headed(piece.replace(/^\r?\n/, ''));
    const type = headers['content-type'] ?? '';
    if (/^multipart\/mixed/i.test(type)) {
      found.push(...messages(rest, type, levels - 1));
      continue;
    }
    const [, status] = /^HTTP\/\d(?:\.\d)? (\d{3})[^\n]*\n/.exec(rest) ?? [];
    if (status === undefined) continue;
    const inner = headed(rest.slice(rest.indexOf('\n') + 1));
    const id = headers['content-id'] ?? inner.headers['content-id'];
    found.push({ id, answer: { status: Number(status), headers: inner.headers, value: jsonOr(inner.rest) } });
  }
  return found;
}

function headed(text: string): { headers: Record<string, string>; rest: string } {
  const headers: Record<string, string> = {};
  let at = 0;
  for (;;) {
    const end = text.indexOf('\n', at);
    const line = (end < 0 ? text.slice(at) : text.slice(at, end)).replace(/\r$/, '');
    at = end < 0 ? text.length : end + 1;
    if (line === '') return { headers, rest: text.slice(at) };
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    if (end < 0) return { headers, rest: '' };
  }
}

function lower(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function jsonOr(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  try {
    return JSON.parse(trimmed);
  } catch {
    return undefined;
  }
}

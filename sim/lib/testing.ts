import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnySimKind, type Sim, type SimOptions, startSim } from '../index.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are asserted, not typed
export type Answer = { status: number; body: any; headers: Headers };

export interface Opened extends Sim {
  data: string;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  /** All truth of one kind by key, read in pages of `limit`. */
  truth(kind: string, limit?: number): Promise<Record<string, Answer['body']>>;
  /** Closes it and opens another one on the same journal. */
  again(options?: Partial<SimOptions>): Promise<Opened>;
}

const open = new Set<Sim>();
const folders = new Set<string>();

export async function openSim(kind: AnySimKind, options: Partial<SimOptions> = {}): Promise<Opened> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'sim-'));
  folders.add(data);
  const sim = await startSim(kind, { data, speed: 20, ...options });
  open.add(sim);
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = { authorization: `Bearer ${sim.token}` };
    const res = await fetch(sim.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: res.status, body: await res.json(), headers: res.headers };
  };
  return {
    ...sim,
    data,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    async truth(of, limit = 2000) {
      const found: Record<string, Answer['body']> = {};
      for (let after = ''; ; ) {
        const key = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
        const { body } = await call('GET', `/_control/truth?kind=${of}&limit=${limit}${key}`);
        for (const { key: name, ...record } of body.records) found[name] = record;
        if (!body.more) return found;
        after = body.next;
      }
    },
    async again(more = {}) {
      await sim.close();
      open.delete(sim);
      return openSim(kind, { ...options, ...more, data });
    },
  };
}

export async function closeSims(): Promise<void> {
  for (const sim of open) await sim.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  open.clear();
  folders.clear();
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const AT = '2010-12-01T08:26:00Z';

type LineSpec = [sku: string, quantity: number, unitPrice?: string];

export function channelOrder(number: string, ...lines: LineSpec[]) {
  return {
    number,
    account: '17850',
    company: 'gifts',
    currency: 'GBP',
    orderedAt: AT,
    lines: lines.map(([sku, quantity, unitPrice = '2.55'], row) => ({ lineNo: row + 1, sku, quantity, unitPrice })),
  };
}

export function salesOrder(reference: string, ...lines: [sku: string, quantity: number, amountMinor: number][]) {
  return {
    reference,
    company: 'gifts',
    account: '17850',
    currency: 'GBP',
    orderedAt: AT,
    totalMinor: lines.reduce((sum, line) => sum + line[2], 0),
    lines: lines.map(([sku, quantity, amountMinor], row) => {
      return { lineNo: row + 1, sku, quantity, unitPrice: '1', amountMinor };
    }),
  };
}

export function goods(reference: string, ...lines: LineSpec[]) {
  return {
    reference,
    order: `order of ${reference}`,
    location: 'A',
    at: AT,
    lines: lines.map(([sku, quantity], row) => ({ lineNo: row + 1, sku, quantity })),
  };
}

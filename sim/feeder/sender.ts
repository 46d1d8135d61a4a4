/** Where calls go and what became of each item; what is refused for good is noted for a person to read. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Caller } from './caller.ts';

export interface Urls {
  shop: string;
  marketplace: string;
  crm: string;
  wms: string;
  hub: string;
  /** Of a mutated run only. */
  erp?: string | undefined;
}

type PeopleRoute =
  | 'orders'
  | 'cancels'
  | 'receipts'
  | 'adjustments'
  | 'changes'
  | 'returns'
  | 'limits'
  | 'payments'
  | 'prices';

export interface Taken {
  results: unknown[];
  /** Places of the items that were refused. */
  refused: Set<number>;
}

const NOTE_CHARACTERS_MAX = 4000;

export class Sender {
  private readonly urls: Urls;
  private readonly hubKey: string;
  private readonly caller: Caller;
  private readonly refusedFile: string;
  private readonly answeredFile: string | undefined;

  /** @param answeredFile keeps every call that the hub answered with 2xx, for whoever asks later whether it still knows */
  constructor(urls: Urls, hubKey: string, caller: Caller, stateDir: string, answeredFile?: string) {
    this.urls = urls;
    this.hubKey = hubKey;
    this.caller = caller;
    this.refusedFile = join(stateDir, 'refused.ndjson');
    this.answeredFile = answeredFile;
  }

  /** What people do in a system. @param items the body's only field, named as the route */
  async people<T>(
    system: keyof Urls,
    route: PeopleRoute,
    items: readonly T[],
    nameOf: (item: T) => string,
  ): Promise<Taken> {
    const answer = await this.caller.post(`${this.urls[system]}/_drive/${route}`, { [route]: items });
    return this.judge(`${system}/${route}`, answer, items.map(nameOf));
  }

  /** One thing that people set in a system. */
  drive(system: keyof Urls, route: string, body: unknown): Promise<Answer> {
    return this.caller.post(`${this.urls[system]}/_drive/${route}`, body);
  }

  stats(system: keyof Urls): Promise<Answer> {
    return this.caller.get(`${this.urls[system]}/_control/stats`);
  }

  look(route: string): Promise<Answer> {
    return this.caller.get(`${this.urls.hub}/v1/${route}`, this.hubKey);
  }

  async hub(route: string, body: unknown, key: string): Promise<Answer> {
    const answer = await this.caller.post(`${this.urls.hub}/v1/${route}`, body, { bearer: this.hubKey, key });
    if (this.answeredFile !== undefined && answer.status < 300)
      appendFileSync(this.answeredFile, `${JSON.stringify({ route, key, body, answer: answer.body })}\n`);
    return answer;
  }

  async hubBatch<T>(route: string, items: readonly T[], key: string, nameOf: (item: T) => string): Promise<Taken> {
    return this.judge(`hub/${route}`, await this.hub(route, { [route]: items }, key), items.map(nameOf));
  }

  note(where: string, reference: string, status: number, body: unknown): void {
    const line = JSON.stringify({ where, reference, status, body });
    appendFileSync(this.refusedFile, `${line.slice(0, NOTE_CHARACTERS_MAX)}\n`);
  }

  private judge(where: string, answer: Answer, names: readonly string[]): Taken {
    const refused = new Set<number>();
    if (answer.status >= 300) {
      this.note(where, names.join(' '), answer.status, answer.body);
      for (const index of names.keys()) refused.add(index);
      return { results: [], refused };
    }
    const results = (answer.body as { results?: unknown } | null)?.results;
    if (!Array.isArray(results)) return { results: [], refused };
    results.forEach((result: { status?: unknown } | null, index) => {
      const status = result?.status;
      if (typeof status !== 'number' || status < 300) return;
      refused.add(index);
      this.note(where, names[index] ?? '?', status, result);
    });
    return { results, refused };
  }
}

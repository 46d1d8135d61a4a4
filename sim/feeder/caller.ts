/**
 * POST and GET that don't give up: systems are killed and restarted under the feeder on purpose, so a cut connection, a
 * silence, 429 and 5xx all mean "again, with the same key". Only an answer that can never become another ends a call.
 */
import http from 'node:http';

export interface Answer {
  status: number;
  body: unknown;
}

/** The other side says that nothing of this kind will ever work: a wrong key, an unknown route, a batch over its limit. */
export class CallRefused extends Error {
  readonly status: number;
  constructor(status: number, url: string, text: string) {
    super(`${url} answered ${status}: ${text.slice(0, 300)}`);
    this.name = 'CallRefused';
    this.status = status;
  }
}

const ANSWER_TIMEOUT_MS = 30_000;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 2_000;
const NEVER = new Set([401, 403, 404, 405, 413]);

export class Caller {
  readonly counts = { calls: 0, again: 0 };
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 80 });
  private readonly closing = new AbortController();

  /** Every call that waits ends now, with an error. */
  close(): void {
    this.closing.abort();
    this.agent.destroy();
  }

  /** @param key sent as Idempotency-Key; the same for each try */
  async post(url: string, body: unknown, options: { bearer?: string; key?: string } = {}): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (options.bearer !== undefined) headers.authorization = `Bearer ${options.bearer}`;
    if (options.key !== undefined) headers['idempotency-key'] = options.key;
    return this.untilAnswered('POST', url, headers, JSON.stringify(body));
  }

  async get(url: string, bearer?: string): Promise<Answer> {
    const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    return this.untilAnswered('GET', url, headers, undefined);
  }

  private async untilAnswered(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): Promise<Answer> {
    for (let tries = 0; ; tries += 1) {
      this.closing.signal.throwIfAborted();
      this.counts.calls += 1;
      const result = await this.once(method, url, headers, body).catch(() => undefined);
      const backoff = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(tries, 6)) * (0.5 + Math.random() / 2);
      if (result === undefined) {
        await this.pause(backoff);
      } else if (result.status === 429 || result.status >= 500 || saysLater(result)) {
        await this.pause(result.retryAfterMs ?? backoff);
      } else if (NEVER.has(result.status)) {
        throw new CallRefused(result.status, url, JSON.stringify(result.body));
      } else {
        return result;
      }
      this.counts.again += 1;
    }
  }

  private once(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): Promise<Answer & { retryAfterMs: number | undefined }> {
    return new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.from(body);
      const request = http.request(url, {
        method,
        agent: this.agent,
        headers: bytes === undefined ? headers : { ...headers, 'content-length': bytes.length },
        signal: this.closing.signal,
      });
      request.setTimeout(ANSWER_TIMEOUT_MS, () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.on('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString('utf8');
          const after = Number(response.headers['retry-after']);
          resolve({
            status: response.statusCode ?? 0,
            body: parsed(text),
            retryAfterMs: Number.isFinite(after) ? Math.max(10, after * 1000) : undefined,
          });
        });
      });
      request.end(bytes);
    });
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.closing;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A refusal that says it is not the last word, such as a key whose first request is still being decided. */
function saysLater(answer: Answer): boolean {
  if (answer.status === 408 || answer.status === 425) return true;
  return answer.status >= 400 && (answer.body as { retry?: unknown } | null)?.retry === 'later';
}

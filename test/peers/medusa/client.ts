/** The Medusa peer's admin and store API, for seeds and tests: no retries, and a refusal is thrown with its status. */
export class MedusaRefusal extends Error {
  readonly status: number;

  constructor(status: number, told: string) {
    super(`HTTP ${status}: ${told.slice(0, 300)}`);
    this.status = status;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of a system without published types
type Answer = any;

export interface MedusaApi {
  get(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

export function medusaApi(url: string, headers: Record<string, string> = {}): MedusaApi {
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new MedusaRefusal(answer.status, text);
    return text === '' ? {} : JSON.parse(text);
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body = {}) => call('POST', path, body),
    delete: (path) => call('DELETE', path),
  };
}

export const medusaAdmin = (url: string, secretKey: string) =>
  medusaApi(url, { authorization: `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}` });
export const medusaStore = (url: string, publishableKey: string) =>
  medusaApi(url, { 'x-publishable-api-key': publishableKey });

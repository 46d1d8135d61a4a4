/** The Tryton peer's JSON-RPC, for tests: no retries, and an error inside an answer is thrown. */
export class TrytonRefusal extends Error {
  readonly kind: string;

  constructor(kind: string, told: unknown) {
    super(`${kind}: ${JSON.stringify(told)?.slice(0, 300)}`);
    this.kind = kind;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of a system without published types
type Answer = any;

export class TrytonSession {
  readonly #url: URL;
  #authorization: string | undefined;
  context: Record<string, unknown> = {};

  constructor(url: string, database: string) {
    this.#url = new URL(`${database}/`, url);
  }

  async call(method: string, params: readonly unknown[]): Promise<Answer> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.#authorization ? { authorization: this.#authorization } : {}),
      },
      body: JSON.stringify({ id: 1, method, params }),
      signal: AbortSignal.timeout(120_000),
    });
    if (answer.status !== 200) throw new TrytonRefusal(`HTTP ${answer.status}`, await answer.text());
    const { result, error } = (await answer.json()) as Answer;
    if (error) throw new TrytonRefusal(error[0], error.slice(1));
    return result;
  }

  async login(user = 'crossdock', password = 'crossdock-pw'): Promise<this> {
    const [id, session] = await this.call('common.db.login', [user, { password }]);
    this.#authorization = `Session ${Buffer.from(`${user}:${id}:${session}`).toString('base64')}`;
    this.context = await this.call('model.res.user.get_preferences', [true, {}]);
    return this;
  }

  model(name: string, method: string, ...args: unknown[]): Promise<Answer> {
    return this.call(`model.${name}.${method}`, [...args, this.context]);
  }

  searchRead(name: string, domain: unknown[], fields: string[], limit: number | null = null): Promise<Answer> {
    return this.model(name, 'search_read', domain, 0, limit, null, fields);
  }
}

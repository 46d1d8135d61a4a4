/** The Vendure peer's GraphQL APIs, for seeds and tests: what the shop refuses as data is thrown, too. */
export class VendureRefusal extends Error {
  readonly code: string;

  constructor(code: string, told: string) {
    super(`${code}: ${told}`);
    this.code = code;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of a system without published types
type Answer = any;

export class VendureSession {
  readonly #url: string;
  readonly #channel: string | undefined;
  #token: string | undefined;

  constructor(url: string, api: 'shop-api' | 'admin-api', channel?: string) {
    this.#url = `${url}/${api}`;
    this.#channel = channel;
  }

  /** @returns the one field that was asked for, or all of them */
  async ask(query: string, variables: object = {}): Promise<Answer> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(this.#channel ? { 'vendure-token': this.#channel } : {}),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(60_000),
    });
    this.#token = answer.headers.get('vendure-auth-token') ?? this.#token;
    const { data, errors } = (await answer.json()) as Answer;
    if (errors) throw new VendureRefusal(errors[0].extensions?.code ?? 'ERROR', errors[0].message);
    const fields = Object.values(data as Record<string, Answer>);
    if (fields.length !== 1) return data;
    if (fields[0]?.errorCode) throw new VendureRefusal(fields[0].errorCode, fields[0].message);
    return fields[0];
  }
}

export async function vendureAdmin(url: string, channel?: string): Promise<VendureSession> {
  const session = new VendureSession(url, 'admin-api', channel);
  await session.ask(
    'mutation($u:String!,$p:String!){login(username:$u,password:$p){__typename ...on ErrorResult{errorCode message}}}',
    { u: 'superadmin', p: 'superadmin-pw' },
  );
  return session;
}

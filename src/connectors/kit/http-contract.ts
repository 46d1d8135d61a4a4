/** What is sent to a system and what it answers. */
import type { CallBudget } from './budget.ts';
import type { Clock } from './clock.ts';
import type { Credentials } from './sign-in.ts';
import type { Outcome } from './types.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A call. `json` is sent as JSON; `raw` as it is, under the content type given. */
export interface HttpRequest {
  method: Method;
  /** Below the system's URL, with its query. */
  path: string;
  json?: unknown;
  raw?: { body: string | Buffer; contentType: string };
  headers?: Readonly<Record<string, string>>;
  /** What of it is a secret, where one is said in the body: an answer that repeats it is kept without. */
  secrets?: readonly string[];
  /**
   * What a success is. text: a text (CSV, or nothing at all), which is the `value`; any: `value` only where it is JSON (several parts, or
   * nothing); default json. A failure is read as JSON all the same.
   */
  answers?: 'json' | 'text' | 'any';
}

/** What a system means by an answer that carries a failure, e.g. `200 {"error": …}`. */
export interface Fault {
  /**
   * later: the whole request surely had no effect · refused: never, for what is in it · operator: never, until a person has changed
   * something · in_doubt: nobody knows · signed_out: who we are is not known any more
   */
  class: 'later' | 'refused' | 'operator' | 'in_doubt' | 'signed_out';
  message: string;
  retryAfterMs?: number;
}

/** Who we are, for systems that want more than one token for ever. */
export interface Auth {
  /** Signs in by `send`, which counts against the system's budget. @returns the headers of calls until they are refused */
  signIn(send: (request: HttpRequest) => Promise<HttpAnswer>): Promise<Credentials>;
  /** Whether what the last signing in gave has ended or is about to, so that a call with it would only be refused. */
  isOver?(): boolean;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** The body as JSON; undefined where it is none. */
  value: unknown;
}

export interface HttpOptions {
  clock?: Clock;
  answerBytesMax?: number;
  /** One for all clients of a system that lives at several addresses: it counts their calls together. */
  budget?: CallBudget;
  /** Instead of the context's token. */
  auth?: Auth;
  /** Asked of every answer first; undefined: it is as HTTP says. */
  faultOf?: (answer: HttpAnswer) => Fault | undefined;
}

/** A whole-request answer to a write: the other side's JSON, or what became of every item in it. */
export type WriteAnswer =
  | { answered: true; value: unknown; status: number; headers: HttpAnswer['headers']; body: Buffer }
  /** `itemsToBlame`: the request was refused for what is in it, so that a half of it may pass. `status`: of a refusal. */
  | { answered: false; outcome: Outcome; itemsToBlame: boolean; status?: number };

/** What was asked for: the answer as it came, and as JSON. */
export interface Asked {
  body: Buffer;
  contentType: string;
  value: unknown;
  headers: HttpAnswer['headers'];
}

/**
 * JSONata expressions of the estate file, which may be wrong in every way: slow, endless, huge.
 *
 * They run in a realm of their own (`node:vm`) that holds the JSONata library and nothing else: no `require`, no timer, no object of ours.
 * Only JSON text goes in and comes out, so there is no prototype to reach. JSONata 2 is asynchronous by its promises only; the realm runs its
 * own promises to their end before it returns (`microtaskMode`), which makes an evaluation one synchronous call. So maps stay pure and
 * synchronous, and V8's own deadline stops it wherever it is: in an endless recursion as in a regular expression that backtracks, which
 * counting the library's steps would never see.
 *
 * The realm is no wall against an author who means harm: an estate file is code and trusted as such. It is a wall against accidents.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Context, createContext, Script } from 'node:vm';
import { fail } from '../../../canonical/index.ts';

export const EXPRESSION_CHARS_MAX = 4_000;
/** One evaluation; nothing else runs meanwhile. A sum over 50 lines takes 2 ms, over 5,000 lines 110 ms, on a busy machine many times that. */
export const EXPRESSION_MS_MAX = 1_000;
/** Of an expression's result, as JSON. */
export const RESULT_CHARS_MAX = 1 << 20;
const STACK_MAX = 200;
/** The first use compiles the library. */
const LOAD_MS_MAX = 10_000;

/** The same record must give the same item for ever, so nothing that depends on when or how often it is read. */
const UNREPEATABLE = /\$(now|millis|random|shuffle|eval)\b/;

export type Evaluated = { ok: true; value: unknown } | { ok: false; reason: string };

export interface Expression {
  readonly source: string;
  /** Of a value that is JSON; `variables` are there as `$name`. An expression that finds nothing gives undefined. */
  evaluate(input: unknown, variables?: Readonly<Record<string, unknown>>): Evaluated;
}

/** @throws XD_ESTATE_INVALID naming `place`, the setting that holds it */
export function expressionOf(source: string, place: string): Expression {
  if (source.length > EXPRESSION_CHARS_MAX)
    fail('XD_ESTATE_INVALID', `${place} has more than ${EXPRESSION_CHARS_MAX} characters`, { place });
  const unrepeatable = UNREPEATABLE.exec(source);
  if (unrepeatable !== null)
    fail('XD_ESTATE_INVALID', `${place} uses ${unrepeatable[0]}: the same record must give the same item each time`, {
      place,
    });
  const checked = run('check', source, 'null', 'null');
  if (!checked.ok) fail('XD_ESTATE_INVALID', `${place} is no JSONata expression: ${checked.reason}`, { place });
  return {
    source,
    evaluate(input, variables = {}) {
      const texts = [textOf(input), textOf(variables)] as const;
      if (texts[0] === undefined || texts[1] === undefined) return { ok: false, reason: 'is nested too deep' };
      return run('evaluate', source, texts[0], texts[1]);
    },
  };
}

/** Compiled expressions are kept in the realm: by their source, as many as an estate may reasonably have. */
const REALM_SCRIPT = `
const kept = new Map();
globalThis.evaluate = (what, source, input, variables, stack, charsMax) => {
  globalThis.answer = undefined;
  (async () => {
    try {
      let expression = kept.get(source);
      if (expression === undefined) {
        expression = jsonata(source, { stack });
        if (kept.size >= 1000) kept.clear();
        kept.set(source, expression);
      }
      if (what === 'check') { globalThis.answer = '{"ok":true}'; return; }
      const value = await expression.evaluate(JSON.parse(input), JSON.parse(variables));
      const text = JSON.stringify({ ok: true, value });
      globalThis.answer = text.length > charsMax ? JSON.stringify({ ok: false, reason: 'gives more than ' + charsMax + ' characters' }) : text;
    } catch (error) {
      const reason = String((error && error.message) || error).slice(0, 200);
      globalThis.answer = JSON.stringify({ ok: false, reason });
    }
  })();
};`;

let realm: Context | undefined;
let library: Script | undefined;
const call = new Script('evaluate(what, source, input, variables, stack, charsMax)', { filename: 'expression' });

function realmOf(): Context {
  if (realm !== undefined) return realm;
  const file = createRequire(import.meta.url).resolve('jsonata');
  library ??= new Script(readFileSync(file, 'utf8'), { filename: 'jsonata.js' });
  const made = createContext(Object.create(null), {
    microtaskMode: 'afterEvaluate',
    codeGeneration: { strings: false, wasm: false },
  });
  library.runInContext(made, { timeout: LOAD_MS_MAX });
  new Script(REALM_SCRIPT, { filename: 'realm' }).runInContext(made, { timeout: LOAD_MS_MAX });
  realm = made;
  return made;
}

function run(what: 'check' | 'evaluate', source: string, input: string, variables: string): Evaluated {
  const made = realmOf();
  Object.assign(made, { what, source, input, variables, stack: STACK_MAX, charsMax: RESULT_CHARS_MAX });
  try {
    call.runInContext(made, { timeout: what === 'check' ? LOAD_MS_MAX : EXPRESSION_MS_MAX });
  } catch (error) {
    // What it was at is left behind with its realm.
    realm = undefined;
    const timedOut = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    return { ok: false, reason: timedOut ? `did not end within ${EXPRESSION_MS_MAX} ms` : 'ended the evaluation' };
  }
  const answer: unknown = made.answer;
  // A primitive, whatever happened in there.
  if (typeof answer !== 'string') return { ok: false, reason: 'gave no answer' };
  const read = JSON.parse(answer) as { ok: boolean; value?: unknown; reason?: string };
  return read.ok ? { ok: true, value: read.value } : { ok: false, reason: read.reason ?? 'failed' };
}

/** JSON is parsed at any depth and written at some thousand levels only. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value ?? null);
  } catch {
    return undefined;
  }
}

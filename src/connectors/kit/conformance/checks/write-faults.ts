/** One write under one fault of the system: its outcome, that it was sent once, and what is found afterwards. */
import { type Check, hasSinks, isOverHttp, must, NotApplicable, unless } from '../check.ts';
import type { Answer, Call } from '../describe.ts';
import { type Fault, html } from '../server.ts';
import { type SinkItem, sinksOf } from '../sinks.ts';
import { type Bench, LONG_MS, SHORT_MS, SLACK_MS, type Stage } from '../stage.ts';
import {
  courseOf,
  DOUBT,
  eachSink,
  effectsOf,
  mustBe,
  type SinkStage,
  status,
  UNKNOWN,
  writesOf,
} from './each-sink.ts';

interface Faulty {
  id: string;
  what: string;
  as: Fault['as'];
  level?: Check['level'];
  afterEffect?: boolean;
  wanted: readonly string[];
  why: string;
  timeoutMs?: number;
  /** An answer of success that is none. Of a state that is read back before it counts it may be told as one: it is found out. */
  seemsWell?: boolean;
}

/** One write under one fault: its outcome, that it was sent once, and what is found afterwards. */
function underFault(fault: Faulty): Check {
  const {
    id,
    what,
    as,
    level = 'safety',
    afterEffect = false,
    wanted,
    why,
    timeoutMs = LONG_MS,
    seemsWell = false,
  } = fault;
  return {
    id: `write.${id}`,
    level,
    what,
    skip: unless(hasSinks, isOverHttp),
    run: (bench) =>
      withPatience(timeoutMs, (ms) => eachSink(bench, (stage) => once(stage, ms), { limits: { timeoutMs: ms } })),
  };

  async function once(stage: SinkStage, ms: number): Promise<void> {
    const { bench, server, sink, signal, items } = stage;
    const [item] = items(1);
    // Of a write in steps, the one that has the effect: all of them are for write.every_step.
    const { calls, effectAt } = await courseOf(bench, sink.name);
    let writes = 0;
    server.fault = { as, afterEffect, when: (_call, role) => role === 'write' && writes++ >= effectAt };
    const began = performance.now();
    let namesNobody = false;
    if (as === foreignAnswer)
      server.fault.as = (call, good) => {
        const changed = foreignAnswer(call, good);
        namesNobody = textOf(changed) === textOf(good);
        return changed;
      };
    const outcomes = await sink.write([item!], signal);
    if (namesNobody) throw new NotApplicable('its answers to writes name nothing of what was asked');
    const took = performance.now() - began;
    const sent = effectAt === 0 ? writesOf(stage, item!) : writes - effectAt;
    if (sent === 0 && ms < LONG_MS) throw new TooSlow();
    const readBack = seemsWell && sink.form === 'state' && stage.connector.confirmedBy === 'read_back';
    mustBe(outcomes, readBack ? [...wanted, 'confirmed'] : wanted, why);
    if (ms < LONG_MS) must(took < 3 * ms + SLACK_MS, `it took ${Math.round(took)} ms`);
    must(sent === 1, `it was sent ${sent} times in one write`);
    server.fault = undefined;
    const effects = await effectsOf(stage, item!);
    must(effects === undefined || effects === (afterEffect ? 1 : 0), `it had ${effects} effects`);
    if (!afterEffect && !(readBack && outcomes[0]!.outcome === 'confirmed')) return;
    // A connector of its own: the first may have been asked to wait.
    const later = stage.another({ limits: { timeoutMs: LONG_MS } });
    const there = await lookBy(bench, later, sink.name, [item!], signal);
    if (!afterEffect) {
      must(there[0] === false, 'found, and was never done');
      return;
    }
    if (there[0] === true) return;
    must(calls > 1, 'it had its effect, and is not found');
    // What is not at its end is not found, so it is written again, and must go on from where it was.
    const ended = await writeBy(bench, later, sink.name, [item!], signal);
    mustBe(ended, ['confirmed'], 'it was half done, and the next try did not end it');
    must(((await effectsOf(stage, item!)) ?? 1) === 1, 'the next try did once more what was done');
  }
}

/** On a busy machine a short deadline may pass before the call has come; then it says nothing. */
class TooSlow extends Error {}

async function withPatience(timeoutMs: number, run: (ms: number) => Promise<void>): Promise<void> {
  try {
    await run(timeoutMs);
  } catch (error) {
    const isSlow = error instanceof TooSlow || (error as Error).cause instanceof TooSlow;
    if (!isSlow) throw error;
    await run(timeoutMs * 20);
  }
}

async function lookBy(
  bench: Bench,
  connector: Stage['connector'],
  name: string,
  items: SinkItem[],
  signal: AbortSignal,
): Promise<boolean[]> {
  return await sinksOf(bench, connector)
    .find((one) => one.name === name)!
    .look(items, signal);
}

async function writeBy(
  bench: Bench,
  connector: Stage['connector'],
  name: string,
  items: SinkItem[],
  signal: AbortSignal,
) {
  return await sinksOf(bench, connector)
    .find((one) => one.name === name)!
    .write(items, signal);
}

const faults: Faulty[] = [
  { id: '500_before', what: 'a 500 without an effect is in doubt', as: status(500), wanted: DOUBT, why: UNKNOWN },
  {
    id: '500_after',
    what: 'a 500 after the effect is in doubt, and it is found',
    as: status(500),
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
  },
  { id: '502', what: 'a 502 of something between is in doubt', as: status(502), wanted: DOUBT, why: UNKNOWN },
  {
    id: '503_retry_after',
    what: 'a 503 with Retry-After is not believed to have had no effect',
    as: status(503, { 'retry-after': '0' }),
    wanted: DOUBT,
    why: UNKNOWN,
  },
  {
    id: '504_after',
    what: 'a gateway that gives up after the effect leaves it in doubt, and it is found',
    as: status(504),
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
  },
  { id: '408', what: 'a 408 is in doubt', as: status(408), wanted: DOUBT, why: UNKNOWN },
  {
    id: 'timeout_before',
    what: 'silence is in doubt, in time',
    as: 'silence',
    wanted: DOUBT,
    why: UNKNOWN,
    timeoutMs: SHORT_MS,
  },
  {
    id: 'timeout_after_commit',
    what: 'silence after the effect is in doubt, and it is found',
    as: 'silence',
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
    timeoutMs: SHORT_MS,
  },
  { id: 'reset_before', what: 'a reset connection is in doubt', as: 'reset', wanted: DOUBT, why: UNKNOWN },
  {
    id: 'reset_after',
    what: 'a reset connection after the effect is in doubt, and it is found',
    as: 'reset',
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
  },
  {
    id: 'half_answer',
    what: 'half an answer after the effect is in doubt, and it is found',
    as: 'half',
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
  },
  {
    id: 'slow_loris',
    what: 'an answer that drips in byte by byte ends with its deadline, in doubt',
    as: 'drip',
    wanted: DOUBT,
    why: UNKNOWN,
    timeoutMs: SHORT_MS,
  },
  { id: 'oversized', what: 'an answer that never ends is in doubt', as: 'oversized', wanted: DOUBT, why: UNKNOWN },
  { id: 'html_200', what: 'a page of HTML with status 200 is in doubt', as: html, wanted: DOUBT, why: UNKNOWN },
  { id: 'text_200', what: 'an OK that is no JSON is in doubt', as: { text: 'OK' }, wanted: DOUBT, why: UNKNOWN },
  { id: 'empty_200', what: 'an empty 200 is in doubt', as: { text: '' }, wanted: DOUBT, why: UNKNOWN },
  {
    id: 'ok_200',
    what: 'a 200 that says nothing of the items is in doubt',
    as: { json: { ok: true } },
    wanted: DOUBT,
    why: UNKNOWN,
    seemsWell: true,
  },
  {
    id: 'null_200',
    what: 'a 200 that says null is in doubt',
    as: { json: null },
    wanted: DOUBT,
    why: UNKNOWN,
    seemsWell: true,
  },
  {
    id: 'list_200',
    what: 'a 200 with an empty list is in doubt',
    as: { json: [] },
    wanted: DOUBT,
    why: UNKNOWN,
    seemsWell: true,
  },
  {
    id: 'foreign_200',
    what: 'a 200 that speaks of other items is in doubt',
    as: foreignAnswer,
    afterEffect: true,
    wanted: DOUBT,
    why: UNKNOWN,
    seemsWell: true,
  },
  {
    id: 'redirect',
    what: 'a redirect is not followed and is in doubt (it may come after the effect)',
    as: { status: 302, headers: { location: '/somewhere-else' }, text: '' },
    wanted: DOUBT,
    why: UNKNOWN,
  },
  {
    id: '429',
    what: 'a 429 had no effect and is for later',
    as: status(429, { 'retry-after': '0' }),
    wanted: ['later'],
    why: 'the system said that it did nothing',
  },
  {
    id: '403',
    what: 'a 403 is for later and not the fault of the item',
    as: status(403),
    level: 'contract',
    wanted: ['later'],
    why: 'nothing was done, and the item is not to blame',
  },
  {
    id: '404',
    what: 'a route that is not there is for later and not the fault of the item',
    as: status(404),
    level: 'contract',
    wanted: ['later'],
    why: 'nothing was done, and the item is not to blame',
  },
  {
    id: '422',
    what: 'a write that is refused for its content is refused, for good',
    as: status(422),
    level: 'contract',
    wanted: ['refused'],
    why: 'it would be refused again and again',
  },
];

const textOf = ({ text, json }: Answer) => text ?? JSON.stringify(json ?? null);

/** The same answer about things with other names. */
function foreignAnswer({ text, path }: Call, good: Answer): Answer {
  const said = [...text.matchAll(/"([^"\\]*\d[^"\\]*)"/g)].map(([, mark]) => mark!);
  const marks = new Set([...said, ...(decodeURIComponent(path).match(/[\w.-]*\d[\w.-]*/g) ?? [])]);
  let body = textOf(good);
  for (const mark of marks) body = body.replaceAll(JSON.stringify(mark), JSON.stringify(`${mark}-of-somebody-else`));
  return { ...good, text: body };
}

export const writeFaultChecks: Check[] = faults.map(underFault);

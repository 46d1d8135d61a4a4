/** Reading while the system fails: an error with a code, in time; never an empty page that looks like the end. */
import { askedToWaitMs } from '../../http-answers.ts';
import { type Check, hasFeeds, isOverHttp, must, unless } from '../check.ts';
import { type FaultAnswer, html } from '../server.ts';
import { itemsOf, readAll, refusalOf, rowsOf, SHORT_MS, SLACK_MS } from '../stage.ts';
import { eachFeed } from './each-feed.ts';
import { isNamed } from './lookups.ts';

const faults: [id: string, what: string, as: FaultAnswer, timeoutMs?: number][] = [
  ['500', 'a 500', { status: 500, json: {} }],
  ['503', 'a 503', { status: 503, json: {}, headers: { 'retry-after': '0' } }],
  ['403', 'a 403', { status: 403, json: {} }],
  ['404', 'a route that is gone', { status: 404, json: {} }],
  ['redirect', 'a redirect', { status: 302, text: '', headers: { location: '/login' } }],
  ['html_200', 'a page of HTML with status 200', html],
  ['empty_200', 'an empty 200', { text: '' }],
  ['null_200', 'a 200 that says null', { json: null }],
  ['other_shape', 'a 200 of another shape', { json: { ok: true } }],
  ['error_200', 'a 200 with an error in it', { json: { error: { code: 'boom', message: 'it failed' } } }],
  ['half', 'half a page', 'half'],
  ['reset', 'a reset connection', 'reset'],
  ['silence', 'silence', 'silence', SHORT_MS],
  ['slow_loris', 'a page that drips in byte by byte', 'drip', SHORT_MS],
  ['oversized', 'a page that never ends', 'oversized'],
];

export const readFaultChecks: Check[] = [
  ...faults.map(
    ([id, what, as, timeoutMs]): Check => ({
      id: `read.${id}`,
      level: 'safety',
      what: `${what} is an error with a code, never an empty page`,
      skip: unless(hasFeeds, isOverHttp),
      run: (bench) =>
        eachFeed(
          bench,
          async ({ server, source, signal, rows, feed, it }) => {
            rows[feed]!.push(...rowsOf(it, 3));
            server.fault = { as };
            const began = performance.now();
            const error = await refusalOf(bench, () => source.poll('', signal));
            must(error !== undefined, 'it was read as a page');
            must(isNamed(error), `the error has no code of the kit: ${error.name}: ${error.message.slice(0, 160)}`);
            if (timeoutMs === undefined) return;
            const took = performance.now() - began;
            must(took < 3 * timeoutMs + SLACK_MS, `it took ${Math.round(took)} ms`);
          },
          timeoutMs === undefined ? {} : { limits: { timeoutMs } },
        ),
    }),
  ),
  {
    id: 'read.goes_on_after_fault',
    level: 'safety',
    what: 'after a failure between two pages nothing is missing',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source, signal, rows, feed, it }) => {
        const count = Math.ceil(it.pageMax * 1.5);
        rows[feed]!.push(...rowsOf(it, count));
        const first = await source.poll('', signal);
        server.fault = { as: { status: 500, json: {} } };
        await refusalOf(bench, () => source.poll(first.cursor, signal));
        server.fault = undefined;
        const { pages } = await readAll(source, { cursor: first.cursor, signal });
        const keys = new Set(itemsOf([first, ...pages]).map(({ scope, key }) => `${scope} ${key}`));
        must(keys.size >= count, `${count} records, ${keys.size} keys read`);
      }),
  },
  {
    id: 'read.429',
    level: 'safety',
    what: 'a 429 pauses reading for as long as the system says, and says so',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source, signal, connector }) => {
        const as = { status: 429, json: {}, headers: { 'retry-after': '30' } };
        // Not the server that signs us in: it would keep the call from the system.
        server.fault = { as, when: (_, role) => role !== 'sign_in' };
        const error = await refusalOf(bench, () => source.poll('', signal));
        must((askedToWaitMs(error) ?? 0) > 20_000, 'the error does not say for how long');
        must((connector.pausedMs?.() ?? 0) > 20_000, 'pausedMs does not say so');
        server.fault = undefined;
        const before = server.calls.length;
        must((await refusalOf(bench, () => source.poll('', signal))) !== undefined, 'it read in the pause');
        must(server.calls.length === before, 'it called in the pause');
      }),
  },
  {
    id: 'read.401_storm',
    level: 'contract',
    what: 'expired credentials are an error, and five polls make no storm of sign-ins',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source, signal }) => {
        server.fault = { as: { status: 401, json: {} } };
        for (let i = 0; i < 5; i++)
          must((await refusalOf(bench, () => source.poll('', signal))) !== undefined, 'it was read as a page');
        must(server.calls.length <= 20, `5 polls made ${server.calls.length} calls`);
      }),
  },
  {
    id: 'read.same_page_for_ever',
    level: 'safety',
    what: 'a system that gives the same page for ever is not read for ever',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source, signal, rows, feed, it, model }) => {
        rows[feed]!.push(...rowsOf(it, Math.ceil(it.pageMax * 1.5)));
        const first = await source.poll('', signal);
        must(!first.drained, 'the first page is the last: pageMax of the description is too small');
        // The calls of the first page, answered as they were, whatever is asked.
        const asked = server.calls.filter(({ role }) => role === 'read');
        const last = asked.at(-1)!;
        server.fault = {
          as: () => model.answer(last)!,
          when: (call, role) => role === 'read' && call.path === last.path,
        };
        let cursor = first.cursor;
        for (let i = 0; i < 5; i++) {
          const error = await refusalOf(bench, async () => {
            const page = await source.poll(cursor, signal);
            must(page.cursor !== cursor || page.drained, 'it stays where it is and says that more follows');
            cursor = page.cursor;
            if (page.drained) throw new Error('drained');
          });
          if (error !== undefined && !/stays where/.test(error.message)) return;
          must(error === undefined, error?.message ?? '');
        }
        must(false, 'five pages that are all the first were read');
      }),
  },
  {
    id: 'read.stopped',
    level: 'contract',
    what: 'a poll that is stopped ends at once',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source }) => {
        const stop = new AbortController();
        server.fault = { as: 'silence' };
        const reading = refusalOf(bench, () => source.poll('', stop.signal));
        await server.nextCall();
        const began = performance.now();
        stop.abort();
        must((await reading) !== undefined, 'it gave a page');
        must(performance.now() - began < SLACK_MS, 'it went on after it was stopped');
      }),
  },
];

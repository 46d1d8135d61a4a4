/** Sessions that end while we hold them: who we are is said anew, and nothing is lost or done twice meanwhile. */
import { type Clock, systemClock } from '../../clock.ts';
import { type Check, hasFeeds, hasSinks, isOverHttp, must, NotApplicable, unless } from '../check.ts';
import { itemsOf, readAll, refusalOf, rowsOf, type Stage } from '../stage.ts';
import { eachFeed, type FeedStage, sourceOf } from './each-feed.ts';
import { eachSink, effectsOf, mustBe, type SinkStage } from './each-sink.ts';

/** A client may hold back for some seconds, so that a system under load is not stormed with sign-ins. */
const RENEWED_MS = 20_000;
const AGAIN_MS = 500;

const signIns = ({ server }: Stage) => server.calls.filter(({ role }) => role === 'sign_in').length;

/** Of who signs in: it has, and from here on that counts for nothing. */
function endSessions(stage: Stage): number {
  if (stage.model.endSessions === undefined || signIns(stage) === 0)
    throw new NotApplicable('its model ends no sessions');
  stage.model.endSessions();
  return signIns(stage);
}

/** Time that passes for who asks it: nobody waits for what a connector waits for. */
class Passing implements Clock {
  isAsked = false;
  #passed = 0;
  readonly #timers = new Map<() => void, number>();

  now(): number {
    this.isAsked = true;
    return systemClock.now() + this.#passed;
  }

  after(ms: number, run: () => void): () => void {
    const cancel = systemClock.after(ms, () => once());
    const once = () => {
      cancel();
      if (this.#timers.delete(once)) run();
    };
    this.#timers.set(once, this.now() + ms);
    return () => {
      cancel();
      this.#timers.delete(once);
    };
  }

  pass(ms: number): void {
    this.#passed += ms;
    for (const [run, at] of [...this.#timers]) if (at <= this.now()) run();
  }
}

/** Tries until it is done or the time is up: by the connector's clock, or by ours if it has one of its own. */
async function until(clock: Passing, done: () => Promise<boolean>): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < RENEWED_MS; waitedMs += AGAIN_MS) {
    if (await done()) return true;
    if (clock.isAsked) clock.pass(AGAIN_MS);
    else await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return false;
}

export const sessionChecks: Check[] = [
  {
    id: 'session.read_renewed',
    level: 'contract',
    what: 'a session that ends between two pages is begun anew, without anybody’s help, and nothing is missing',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) => {
      let isDone = false;
      const clock = new Passing();
      const read = async (stage: FeedStage) => {
        const { source, signal, rows, feed, it } = stage;
        // Who we are is one for all feeds, and to wait for it takes its time.
        if (isDone) return;
        rows[feed]!.push(...rowsOf(it, Math.ceil(it.pageMax * 1.5)));
        const first = await source.poll('', signal);
        const before = endSessions(stage);
        const pages = [first];
        const isRead = await until(clock, async () => {
          const error = await refusalOf(bench, async () => {
            pages.push(...(await readAll(source, { cursor: first.cursor, signal })).pages);
          });
          return error === undefined;
        });
        must(isRead, `${RENEWED_MS / 1000} s after its session has ended it still can't read`);
        const keys = new Set(itemsOf(pages).map(({ scope, key }) => `${scope} ${key}`));
        must(keys.size >= Math.ceil(it.pageMax * 1.5), `only ${keys.size} keys were read`);
        must(signIns(stage) - before <= 2, `it signed in ${signIns(stage) - before} times`);
        isDone = true;
      };
      return eachFeed(bench, read, { context: { clock } });
    },
  },
  {
    id: 'session.write_renewed',
    level: 'safety',
    what: 'a write that meets an ended session is for later or done under a new one, and has one effect in the end',
    skip: unless(hasSinks, isOverHttp),
    run: (bench) => {
      let isDone = false;
      const clock = new Passing();
      const write = async (stage: SinkStage) => {
        const { sink, signal, items } = stage;
        if (isDone) return;
        const [one, two] = items(2);
        mustBe(await sink.write([one!], signal), ['confirmed'], 'nothing was wrong');
        const before = endSessions(stage);
        const isWritten = await until(clock, async () => {
          const outcomes = await sink.write([two!], signal);
          mustBe(outcomes, ['later', 'confirmed'], 'a session that has ended refuses before the effect');
          return outcomes[0]!.outcome === 'confirmed';
        });
        must(isWritten, `${RENEWED_MS / 1000} s after its session has ended it still can't write`);
        const effects = await effectsOf(stage, two!);
        must(effects === undefined || effects === 1, `it had ${effects} effects`);
        must(signIns(stage) - before <= 2, `it signed in ${signIns(stage) - before} times`);
        isDone = true;
      };
      return eachSink(bench, write, { context: { clock } });
    },
  },
  {
    id: 'session.not_ended',
    level: 'safety',
    what: 'a 401 that is none, in the middle of the pages, costs at most a poll: no record is passed over',
    skip: unless(hasFeeds, isOverHttp),
    run: (bench) =>
      eachFeed(bench, async ({ server, source, signal, rows, feed, it, connector, another }) => {
        const count = Math.ceil(it.pageMax * 1.5);
        rows[feed]!.push(...rowsOf(it, count));
        const first = await source.poll('', signal);
        server.fault = {
          as: { status: 401, json: { error: 'try again' } },
          when: (_, role) => role === 'read',
          times: 1,
        };
        const pages = [first];
        let { cursor } = first;
        await refusalOf(bench, async () => {
          const page = await source.poll(cursor, signal);
          pages.push(page);
          ({ cursor } = page);
        });
        // One that holds back for a while goes on as after a restart.
        const reader = (connector.pausedMs?.() ?? 0) > 0 ? sourceOf(another(), feed) : source;
        pages.push(...(await readAll(reader, { cursor, signal })).pages);
        const keys = new Set(itemsOf(pages).map(({ scope, key }) => `${scope} ${key}`));
        must(keys.size >= count, `${count} records, ${keys.size} keys read`);
      }),
  },
];

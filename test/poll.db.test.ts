/** Following a feed of a system that fails, or asks to be left alone. */
import { expect, it } from 'vitest';
import { CrossdockError } from '../src/canonical/index.ts';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();

it('waits as long as it was asked to, not longer each time', async () => {
  const hub = await SmallHub.open({ url: database.url, connectors: {} });
  let polls = 0;
  let end = () => {};
  const enough = new Promise<void>((resolve) => {
    end = resolve;
  });
  const poller = new Poller({
    db: hub.db,
    receiver: hub.receiver,
    system: 'shop',
    source: {
      feed: 'orders',
      poll: async () => {
        // Pauses that double from 2 x 50 ms take 25 s for these; those that were asked for, half a second.
        if (++polls === 10) end();
        throw new CrossdockError('XD_CONNECTOR_RATE_LIMITED', 'wait', { system: 'shop', retryAfterMs: 50 });
      },
    },
    pollMs: 50,
    mayPoll: () => true,
    mustWait: () => false,
    onError: () => {},
  });
  poller.start();
  await enough;
  await poller.stop();
  await hub.close();
}, 15_000);

/** A feed that answers as it is told; each poll is waited for. */
function told(pages: { items: number; drained?: boolean }[]) {
  const polls: number[] = [];
  let heard = () => {};
  const source = {
    feed: 'orders',
    poll: async () => {
      polls.push(performance.now());
      heard();
      const { items, drained = true } = pages[polls.length - 1] ?? { items: 0 };
      return {
        body: Buffer.from('{}'),
        contentType: 'application/json',
        items: Array.from({ length: items }, (_, itemNo) => {
          const key = `p${polls.length}-${itemNo}`;
          return {
            scope: 'unreadable/shop',
            key,
            fingerprint: key,
            itemNo,
            unreadable: { reason: 'a test', place: '', value: 1 },
          };
        }),
        cursor: `${polls.length}`,
        drained,
      };
    },
  };
  const until = (n: number) =>
    new Promise<void>((resolve) => {
      heard = () => {
        if (polls.length >= n) resolve();
      };
      heard();
    });
  return { source, polls, until };
}

it('slows down while nothing is found, and is as quick as before with the next record', async () => {
  const hub = await SmallHub.open({ url: database.url, connectors: {} });
  const { source, polls, until } = told([...Array.from({ length: 9 }, () => ({ items: 0 })), { items: 1 }]);
  const poller = new Poller({
    ...{ db: hub.db, receiver: hub.receiver, system: 'slow', source, pollMs: 10, pollMsMax: 100 },
    mayPoll: () => true,
    mustWait: () => false,
    onError: (error) => {
      throw error;
    },
  });
  poller.start();
  await until(12);
  await poller.stop();
  await hub.close();
  const pauses = polls.slice(1).map((at, i) => at - polls[i]!);
  // 15, 22, 33, 50, 76, 100, 100, 100, 100; then 10 again and up. Only what the pause is at least is sure.
  expect(pauses[7]).toBeGreaterThanOrEqual(99);
  expect(pauses[0]).toBeLessThan(pauses[7]!);
  expect(pauses[9]).toBeLessThan(pauses[7]!);
}, 20_000);

it('reads at once when it is hinted, also when the hint comes while it reads', async () => {
  const hub = await SmallHub.open({ url: database.url, connectors: {} });
  const { source, polls, until } = told([]);
  const poll = source.poll;
  let duringPoll: (() => void) | undefined;
  source.poll = async () => {
    duringPoll?.();
    return poll();
  };
  const poller = new Poller({
    ...{ db: hub.db, receiver: hub.receiver, system: 'hinted', source, pollMs: 600_000 },
    mayPoll: () => true,
    mustWait: () => false,
    onError: (error) => {
      throw error;
    },
  });
  poller.start();
  await until(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  poller.hint();
  await until(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  duringPoll = () => {
    duringPoll = undefined;
    poller.hint();
  };
  poller.hint();
  // The hinted poll, and one more for the hint that came meanwhile.
  await until(4);
  await poller.stop();
  await hub.close();
  expect(polls).toHaveLength(4);
}, 20_000);

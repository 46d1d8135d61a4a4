/** Following a feed of a system that fails, or asks to be left alone. */
import { it } from 'vitest';
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

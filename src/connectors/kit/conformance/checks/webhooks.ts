/** What the system posts: only with its signature, and the same things as in its feed. */
import { type Check, must, onStage } from '../check.ts';
import type { WebhookDescription } from '../describe.ts';
import { type Bench, itemsOf, nameOf, readAll, refusalOf, rowsOf, WEBHOOK_SECRET } from '../stage.ts';
import { sourceOf } from './each-feed.ts';

type Take = (headers: Record<string, string | undefined>, body: Buffer) => unknown;

const has = (name: 'webhook' | 'hint') => (bench: Bench) =>
  bench.description[name] === undefined ? `it takes no ${name}` : undefined;

const hasEither = ({ description }: Bench) =>
  description.webhook === undefined && description.hint === undefined ? 'nothing is posted to it' : undefined;

const secretOf = ({ description }: Bench) => description.context?.webhookSecret ?? WEBHOOK_SECRET;

async function eachTaker(bench: Bench, run: (take: Take, posted: WebhookDescription, body: Buffer) => Promise<void>) {
  for (const name of ['webhook', 'hint'] as const) {
    const posted = bench.description[name];
    if (posted === undefined) continue;
    await onStage(bench, {}, async ({ connector }) => {
      const take = connector[name];
      must(take !== undefined, `${name} is described and not built`);
      const rows = rowsOf(bench.description.feeds![posted.feed]!, 2);
      await run(take.bind(connector), posted, posted.body(rows.map(({ raw }) => raw)));
    });
  }
}

async function mustRefuse(bench: Bench, take: Take, headers: Record<string, string>, body: Buffer, what: string) {
  const error = await refusalOf(bench, async () => take(headers, body));
  must(error !== undefined, `${what} was taken`);
  must((error as { code?: string }).code === 'XD_UNAUTHENTICATED', `${what}: ${error.message}`);
}

export const webhookChecks: Check[] = [
  {
    id: 'webhook.same_as_feed',
    level: 'safety',
    what: 'what is posted gives the same items as the feed, under the same keys',
    skip: has('webhook'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, rows, signal }) => {
        const posted = bench.description.webhook!;
        const records = rowsOf(bench.description.feeds![posted.feed]!, 3);
        rows[posted.feed]!.push(...records);
        const body = posted.body(records.map(({ raw }) => raw));
        const items = connector.webhook!(posted.headers(body, secretOf(bench)), body).map(nameOf);
        const polled = itemsOf((await readAll(sourceOf(connector, posted.feed), { signal })).pages).map(nameOf);
        must(JSON.stringify(items) === JSON.stringify(polled), 'posted and polled they are different things');
      }),
  },
  {
    id: 'webhook.reread',
    level: 'contract',
    what: 'what was posted gives the same items from its bytes',
    skip: has('webhook'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const posted = bench.description.webhook!;
        const body = posted.body(rowsOf(bench.description.feeds![posted.feed]!, 2).map(({ raw }) => raw));
        const items = connector.webhook!(posted.headers(body, secretOf(bench)), body).map(nameOf);
        const again = sourceOf(connector, posted.feed).reread?.(body).map(nameOf);
        must(JSON.stringify(items) === JSON.stringify(again), 'the items from the bytes are others');
      }),
  },
  {
    id: 'webhook.unsigned',
    level: 'safety',
    what: 'without a signature it is refused',
    skip: hasEither,
    run: (bench) => eachTaker(bench, (take, _posted, body) => mustRefuse(bench, take, {}, body, 'an unsigned message')),
  },
  {
    id: 'webhook.wrong_signature',
    level: 'safety',
    what: 'signed with another secret, or with a spoiled signature, it is refused',
    skip: hasEither,
    run: (bench) =>
      eachTaker(bench, async (take, posted, body) => {
        await mustRefuse(bench, take, posted.headers(body, 'another-secret'), body, 'a stranger’s signature');
        for (const [name, value] of Object.entries(posted.headers(body, secretOf(bench))))
          for (const spoiled of [
            '',
            value.slice(0, -1),
            `${value}00`,
            value.toUpperCase() === value ? 'x' : value.toUpperCase(),
          ])
            if (/sign|hmac|digest/i.test(name))
              await mustRefuse(
                bench,
                take,
                { ...posted.headers(body, secretOf(bench)), [name]: spoiled },
                body,
                `the signature ${spoiled.slice(0, 12)}…`,
              );
      }),
  },
  {
    id: 'webhook.changed_body',
    level: 'safety',
    what: 'a body that is not the one that was signed is refused, also by one blank',
    skip: hasEither,
    run: (bench) =>
      eachTaker(bench, (take, posted, body) =>
        mustRefuse(
          bench,
          take,
          posted.headers(body, secretOf(bench)),
          Buffer.concat([body, Buffer.from(' ')]),
          'a changed body',
        ),
      ),
  },
  {
    id: 'webhook.garbage',
    level: 'safety',
    what: 'a signed message that is none is set aside, not thrown',
    skip: has('webhook'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const posted = bench.description.webhook!;
        for (const text of ['', 'null', '[]', '{}', '{"records":', '<html>', '\0']) {
          const body = Buffer.from(text);
          const items = connector.webhook!(posted.headers(body, secretOf(bench)), body);
          must(items.length > 0 && items.every((item) => item.unreadable !== undefined), `${text} was dropped`);
        }
      }),
  },
  {
    id: 'hint.feeds',
    level: 'contract',
    what: 'a hint names feeds that there are',
    skip: has('hint'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const posted = bench.description.hint!;
        const body = posted.body(rowsOf(bench.description.feeds![posted.feed]!, 1).map(({ raw }) => raw));
        const feeds = connector.hint!(posted.headers(body, secretOf(bench)), body);
        must(feeds.length > 0, 'it names none');
        for (const feed of feeds) sourceOf(connector, feed);
      }),
  },
  {
    id: 'hint.replayed',
    level: 'safety',
    what: 'a hint that comes again and again says the same each time and has no effect: nothing in it is believed',
    skip: has('hint'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, server }) => {
        const posted = bench.description.hint!;
        const body = posted.body(rowsOf(bench.description.feeds![posted.feed]!, 1).map(({ raw }) => raw));
        const headers = posted.headers(body, secretOf(bench));
        const told = [1, 2, 3].map(() => JSON.stringify(connector.hint!(headers, body)));
        must(new Set(told).size === 1, `it says ${told.join(', then ')}`);
        must(server.calls.length === 0, `it made ${server.calls.length} calls: whoever posts would drive the system`);
      }),
  },
  {
    id: 'hint.unknown_thing',
    level: 'safety',
    what: 'a hint about something that nobody knows leads to reading, and reading to nothing',
    skip: has('hint'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector, signal }) => {
        const posted = bench.description.hint!;
        // Signed, and about records that the system does not have.
        const body = posted.body(rowsOf(bench.description.feeds![posted.feed]!, 2, 900).map(({ raw }) => raw));
        for (const feed of connector.hint!(posted.headers(body, secretOf(bench)), body)) {
          const { pages } = await readAll(sourceOf(connector, feed), { signal });
          must(itemsOf(pages).length === 0, 'what was only posted became an item');
        }
      }),
  },
  {
    id: 'hint.garbage',
    level: 'safety',
    what: 'a signed message that is none is taken for a hint at most, never thrown',
    skip: has('hint'),
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const posted = bench.description.hint!;
        for (const text of ['', 'null', '[]', '{}', '{"event":', '{"event":{}}', '<html>', '\0']) {
          const body = Buffer.from(text);
          for (const feed of connector.hint!(posted.headers(body, secretOf(bench)), body)) sourceOf(connector, feed);
        }
      }),
  },
];

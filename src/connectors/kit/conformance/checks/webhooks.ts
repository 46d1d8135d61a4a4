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
];

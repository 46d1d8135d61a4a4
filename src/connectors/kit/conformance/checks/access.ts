/** Budget, secrets, probe, close. */
import { type Check, CheckFailed, hasFeeds, hasSinks, isOverHttp, must, onStage, unless } from '../check.ts';
import { noted } from '../said.ts';
import { html } from '../server.ts';
import { type Bench, LONG_MS, refusalOf, SLACK_MS, type Stage, TOKEN, WEBHOOK_SECRET } from '../stage.ts';

const CALLS_PER_SECOND = 40;
const CALLS = 24;
/** What may go at once after a quiet time, and one for the edge of a window. */
const BURST = Math.max(1, CALLS_PER_SECOND * 0.1) + 1;

/** Reads, writes and lookups at once, as many as given; what becomes of them doesn't matter. */
async function everythingAtOnce(stage: Stage, count: number): Promise<void> {
  const { connector, sinks, signal, bench } = stage;
  const all: (() => Promise<unknown>)[] = [
    ...connector.sources.map((source) => () => source.poll('', signal)),
    ...sinks.flatMap((sink) => [() => sink.write([sink.item(1)], signal), () => sink.look([sink.item(2)], signal)]),
    () => connector.probe(signal),
  ];
  await Promise.all(Array.from({ length: count }, (_, index) => refusalOf(bench, all[index % all.length]!)));
}

const speaks = unless(isOverHttp, (bench) =>
  hasFeeds(bench) !== undefined && hasSinks(bench) !== undefined ? 'it neither reads nor writes' : undefined,
);

function secretsOf({ description }: Bench): string[] {
  const { token = TOKEN, webhookSecret = WEBHOOK_SECRET } = description.context ?? {};
  return [token, webhookSecret, ...(description.secrets ?? [])].filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
}

/** As they are, and as they may have been written on the way. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [secret, encodeURIComponent(secret), base64, base64.replace(/=+$/, ''), JSON.stringify(secret).slice(1, -1)];
}

function mustNotHold(text: string, secrets: readonly string[], where: string): void {
  for (const secret of secrets)
    if (formsOf(secret).some((form) => text.includes(form)))
      throw new CheckFailed(`a secret (${secret.slice(0, 4)}…) stands in ${where}`);
}

export const accessChecks: Check[] = [
  {
    id: 'budget.calls_per_second',
    level: 'safety',
    what: 'calls a second never go above the limit, reads and writes together',
    skip: speaks,
    run: (bench) =>
      onStage(
        bench,
        { limits: { callsPerSecond: CALLS_PER_SECOND, concurrency: 8, timeoutMs: LONG_MS } },
        async (stage) => {
          await everythingAtOnce(stage, CALLS);
          const at = stage.server.calls.map((call) => call.at).sort((a, b) => a - b);
          for (const windowMs of [200, 500, 1_000])
            for (const [index, start] of at.entries()) {
              const inside = at.slice(index).filter((time) => time < start + windowMs).length;
              const most = Math.ceil((CALLS_PER_SECOND * windowMs) / 1_000 + BURST);
              must(inside <= most, `${inside} calls within ${windowMs} ms, at ${CALLS_PER_SECOND} a second`);
            }
        },
      ),
  },
  {
    id: 'budget.concurrency',
    level: 'safety',
    what: 'calls at once never go above the limit, reads and writes together',
    skip: speaks,
    run: (bench) =>
      onStage(bench, { limits: { concurrency: 2 } }, async (stage) => {
        stage.server.delayMs = 10;
        await everythingAtOnce(stage, CALLS);
        must(stage.server.atOnceMax <= 2, `${stage.server.atOnceMax} calls at once, 2 allowed`);
        must(stage.server.calls.length >= CALLS / 2, `only ${stage.server.calls.length} calls came`);
      }),
  },
  {
    id: 'secret.said',
    level: 'safety',
    what: 'no outcome, error or answer to a probe holds a secret, whatever the system answered',
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        for (const text of bench.said) mustNotHold(text, secretsOf(bench), `what it said: ${text.slice(0, 60)}…`);
        void stage;
      }),
  },
  {
    id: 'secret.echoed',
    level: 'safety',
    what: 'a system that repeats our credentials in its error does not get them into ours',
    skip: speaks,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const before = bench.said.length;
        for (const status of [401, 403, 422, 500]) {
          stage.server.fault = {
            as: ({ headers, text }) => ({
              status,
              json: { error: { code: 'bad', message: `no: ${headers.authorization ?? ''} ${secretsIn(text, bench)}` } },
            }),
          };
          await everythingAtOnce({ ...stage, connector: stage.another() }, 8);
        }
        for (const text of bench.said.slice(before)) mustNotHold(text, secretsOf(bench), 'what it said');
      }),
  },
  {
    id: 'secret.url',
    level: 'safety',
    what: 'no secret stands in an address: those are logged by everything on the way',
    skip: speaks,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        await everythingAtOnce(stage, CALLS);
        for (const { path, query, role } of stage.server.calls)
          if (role !== 'sign_in') mustNotHold(`${path} ${JSON.stringify(query)}`, secretsOf(bench), 'an address');
      }),
  },
  {
    id: 'secret.other_host',
    level: 'safety',
    what: 'a redirect to another host gets neither our credentials nor our call',
    skip: speaks,
    run: (bench) =>
      onStage(bench, {}, (stage) =>
        onStage(bench, {}, async (other) => {
          stage.server.fault = {
            as: ({ path }) => ({ status: 307, text: '', headers: { location: `${other.server.url}${path}` } }),
          };
          await everythingAtOnce(stage, 12);
          must(other.server.calls.length === 0, `the other host got ${other.server.calls.length} calls`);
        }),
      ),
  },
  {
    id: 'probe.well',
    level: 'contract',
    what: 'the probe says that a system that is well is well, and changes nothing',
    run: (bench) =>
      onStage(bench, {}, async ({ connector, signal, writes }) => {
        const { ok, detail } = noted(bench, await connector.probe(signal));
        must(ok, `it says: ${detail}`);
        must(writes() === 0, 'it wrote something');
      }),
  },
  ...(
    [
      ['401', 'a system that does not know us', { status: 401, json: {} }],
      ['500', 'a system that fails', { status: 500, json: {} }],
      ['html_200', 'a page of HTML with status 200', html],
      ['other', 'another system', { json: { hello: 'I am something else' } }],
      ['half', 'half an answer', 'half'],
    ] as const
  ).map(
    ([id, what, as]): Check => ({
      id: `probe.${id}`,
      level: 'contract',
      what: `the probe says of ${what} that it is not well, and does not throw`,
      skip: isOverHttp,
      run: (bench) =>
        onStage(bench, {}, async ({ connector, signal, server }) => {
          server.fault = { as };
          const { ok, detail } = noted(bench, await connector.probe(signal));
          must(!ok, 'it says that all is well');
          must(detail !== '', 'it does not say why');
        }),
    }),
  ),
  {
    id: 'probe.down',
    level: 'contract',
    what: 'the probe of a system that is down says so',
    skip: isOverHttp,
    run: (bench) =>
      onStage(bench, { url: 'http://127.0.0.1:9' }, async ({ connector, signal }) => {
        must(!noted(bench, await connector.probe(signal)).ok, 'it says that all is well');
      }),
  },
  {
    id: 'close.ends',
    level: 'contract',
    what: 'closed, it calls nobody and holds no connection',
    skip: speaks,
    run: (bench) =>
      onStage(bench, {}, async (stage) => {
        const { connector, server } = stage;
        await everythingAtOnce(stage, 8);
        await connector.close();
        const before = server.calls.length;
        await everythingAtOnce(stage, 8);
        must(server.calls.length === before, `${server.calls.length - before} calls after it was closed`);
        const until = performance.now() + SLACK_MS;
        while (server.connections > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 5));
        must(server.connections === 0, `${server.connections} connections are open`);
      }),
  },
  {
    id: 'close.twice',
    level: 'manners',
    what: 'it may be closed twice',
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        await connector.close();
        await connector.close();
      }),
  },
  {
    id: 'close.in_flight',
    level: 'contract',
    what: 'closing while calls hang ends with their deadline',
    skip: speaks,
    run: (bench) =>
      onStage(bench, { limits: { timeoutMs: 300 } }, async (stage) => {
        stage.server.fault = { as: 'silence' };
        const hanging = everythingAtOnce(stage, 8);
        await stage.server.nextCall();
        const began = performance.now();
        await stage.connector.close();
        await hanging;
        const took = performance.now() - began;
        must(took < 3 * 300 + SLACK_MS, `it took ${Math.round(took)} ms`);
      }),
  },
];

function secretsIn(text: string, bench: Bench): string {
  return secretsOf(bench)
    .filter((secret) => text.includes(secret))
    .join(' ');
}

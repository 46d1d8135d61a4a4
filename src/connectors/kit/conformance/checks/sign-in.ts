/** Signing in: once for all calls, and a write whose sign-in failed was not sent. */
import { type Check, hasSinks, isOverHttp, must, NotApplicable, unless } from '../check.ts';
import { type FaultAnswer, html } from '../server.ts';
import { LONG_MS, refusalOf, SHORT_MS } from '../stage.ts';
import { eachSink, mustBe, type SinkStage, status } from './each-sink.ts';

const isSignIn = (_call: unknown, role: string) => role === 'sign_in';

const signIns = ({ server }: Pick<SinkStage, 'server'>) => server.calls.filter(({ role }) => role === 'sign_in').length;

const writes = ({ server }: Pick<SinkStage, 'server'>) => server.calls.filter(({ role }) => role === 'write').length;

const faults: [id: string, what: string, as: FaultAnswer, timeoutMs?: number][] = [
  ['500', 'a 500', status(500)],
  ['401', 'a 401', status(401)],
  ['html_200', 'a page of HTML with status 200', html],
  ['other_shape', 'a 200 of another shape', { json: { ok: true } }],
  ['half', 'half an answer', 'half'],
  ['reset', 'a reset', 'reset'],
  ['silence', 'silence', 'silence', SHORT_MS],
];

const skip = unless(hasSinks, isOverHttp);

export const signInChecks: Check[] = [
  {
    id: 'session.shared',
    level: 'manners',
    what: 'many calls at once sign in once',
    skip,
    run: (bench) =>
      eachSink(bench, async (stage) => {
        const { sink, signal, server, items } = stage;
        server.delayMs = 20;
        await Promise.all(items(6).map((item) => sink.look([item], signal)));
        if (signIns(stage) === 0) throw new NotApplicable('it signs in with no call of its own');
        must(signIns(stage) === 1, `6 calls at once signed in ${signIns(stage)} times`);
      }),
  },
  ...faults.map(
    ([id, what, as, timeoutMs = LONG_MS]): Check => ({
      id: `session.${id}`,
      level: 'safety',
      what: `${what} to a sign-in: nothing of the write was sent, so it is for later, and no storm follows`,
      skip,
      run: (bench) =>
        eachSink(
          bench,
          async (stage) => {
            const { server, sink, signal, items, connector } = stage;
            server.fault = { as, when: isSignIn };
            const outcomes = [];
            for (const item of items(5)) outcomes.push(...(await sink.write([item], signal)));
            if (signIns(stage) === 0) throw new NotApplicable('it signs in with no call of its own');
            mustBe(outcomes, ['later'], 'nothing of it was sent, and the item is not to blame');
            must(writes(stage) === 0, `${writes(stage)} writes went without a session`);
            must(signIns(stage) <= 2, `5 writes signed in ${signIns(stage)} times in a moment`);
            must(
              (await refusalOf(bench, () => sink.look(items(1), signal))) !== undefined,
              'a lookup gave an answer without a session',
            );
            must((await connector.probe(signal)).ok === false, 'the probe says that all is well');
          },
          { limits: { timeoutMs } },
        ),
    }),
  ),
];

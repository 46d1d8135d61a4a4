/** What a connector says of itself against what is built. */
import { deliveryKinds } from '../../../../canonical/index.ts';
import { type Check, forEach, isOverHttp, must, onStage, unless } from '../check.ts';
import { type Bench, contextOf, NOWHERE, refusalOf, settingsOf } from '../stage.ts';

const STATES = ['availability', 'prices', 'orderStatus'] as const;

const isDeclared = ({ declaration }: Bench) =>
  declaration === undefined ? 'it says nothing of itself (declaration.present)' : undefined;

function same(what: string, declared: readonly string[], built: readonly string[]): void {
  const text = (names: readonly string[]) => [...names].sort().join(', ') || 'none';
  must(text(declared) === text(built), `${what} declared: ${text(declared)}; built: ${text(built)}`);
}

export const declarationChecks: Check[] = [
  {
    id: 'declaration.present',
    level: 'contract',
    what: 'the connector says what it can (defineConnector)',
    async run({ declaration }) {
      must(declaration !== undefined, 'make the factory with defineConnector(declaration, create)');
    },
  },
  {
    id: 'declaration.sources',
    level: 'contract',
    what: 'it has exactly the feeds that it declares',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) =>
        same(
          'feeds',
          Object.keys(bench.declaration!.sources),
          connector.sources.map(({ feed }) => feed),
        ),
      ),
  },
  {
    id: 'declaration.deliveries',
    level: 'contract',
    what: 'it takes exactly the kinds of delivery that it declares, each one that flows know',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const declared = Object.keys(bench.declaration!.deliveries);
        same('deliveries', declared, Object.keys(connector.deliveries));
        const unknown = declared.filter((kind) => !(deliveryKinds as readonly string[]).includes(kind));
        must(unknown.length === 0, `no flow sends ${unknown.join(', ')}`);
      }),
  },
  {
    id: 'declaration.states',
    level: 'contract',
    what: 'it takes exactly the states that it declares',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) =>
        same(
          'states',
          Object.keys(bench.declaration!.states),
          STATES.filter((name) => connector[name] !== undefined),
        ),
      ),
  },
  {
    id: 'declaration.quotes',
    level: 'contract',
    what: 'it can be asked for prices exactly where it says so, and for as many at once',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const [declared, built] = [bench.declaration!.quotes?.batchMax, connector.quotes?.batchMax];
        must(declared === built, `quotes declared: ${declared ?? 'none'}; built: ${built ?? 'none'}`);
      }),
  },
  {
    id: 'declaration.credit',
    level: 'contract',
    what: 'it can be asked for credit exactly where it says so, for as many accounts at once, and is described so',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const [declared, built] = [bench.declaration!.credit?.accountsMax, connector.credit?.accountsMax];
        must(declared === built, `credit declared: ${declared ?? 'none'}; built: ${built ?? 'none'}`);
        must((declared === undefined) === (bench.description.credit === undefined), 'its description says otherwise');
      }),
  },
  {
    id: 'declaration.described',
    level: 'contract',
    what: 'the description answers for every feed, delivery and state that is declared',
    skip: isDeclared,
    async run({ declaration, description }) {
      const { sources, deliveries, states } = declaration!;
      const described = { ...description.feeds, ...description.undescribed };
      same('feeds', Object.keys(sources), Object.keys(described));
      same('deliveries', Object.keys(deliveries), Object.keys(description.deliveries ?? {}));
      same(
        'states',
        Object.keys(states),
        STATES.filter((name) => description[name] !== undefined),
      );
    },
  },
  {
    id: 'declaration.batch_sizes',
    level: 'contract',
    what: 'batches are as large as declared',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const { deliveries, states } = bench.declaration!;
        const declared = new Map(
          [...Object.entries(deliveries), ...Object.entries(states)].map(([name, { batchMax }]) => [name, batchMax]),
        );
        for (const [name, size] of sizesOf(connector))
          must(declared.get(name) === size, `${name}: declared ${declared.get(name)}, built ${size}`);
      }),
  },
  {
    id: 'declaration.batch_limit',
    level: 'contract',
    what: 'a smaller batch size of the estate holds for every write',
    run: (bench) =>
      onStage(bench, { limits: { batchMax: 1 } }, async ({ connector }) => {
        for (const [name, size] of sizesOf(connector)) must(size === 1, `${name} still takes ${size} at once`);
      }),
  },
  {
    id: 'declaration.settings_unknown',
    level: 'contract',
    what: 'a setting that does not exist is refused by its name',
    async run(bench) {
      const settings = { ...settingsOf(bench.description, NOWHERE), noSuchSettingAtAll: 1 };
      const error = await refusalOf(bench, () => build(bench, { settings }));
      must(error !== undefined, 'it took a setting that it does not know');
      must(
        error.message.includes('noSuchSettingAtAll'),
        `the refusal does not name the setting: ${error.message.slice(0, 200)}`,
      );
    },
  },
  {
    id: 'declaration.settings_described',
    level: 'manners',
    what: 'each setting says what it is',
    skip: isDeclared,
    async run({ declaration }) {
      const silent = Object.entries(declaration!.settings.properties ?? {})
        .filter(([, schema]) => !(schema as { description?: string }).description)
        .map(([name]) => name);
      must(silent.length === 0, `without a description: ${silent.join(', ')}`);
    },
  },
  {
    id: 'declaration.needs',
    level: 'contract',
    what: 'without what it needs it is not built, and it says what is missing',
    skip: unless(isDeclared, ({ declaration }) =>
      declaration!.needs.length === 0 ? 'it needs nothing besides a URL' : undefined,
    ),
    run: (bench) =>
      forEach(
        bench.declaration!.needs.map((name) => ({ name })),
        async ({ name }) => {
          const error = await refusalOf(bench, () => build(bench, { [name]: null }));
          must(error !== undefined, 'it was built without');
          must(error.message.includes(name), `the refusal does not say so: ${error.message.slice(0, 200)}`);
        },
      ),
  },
  {
    id: 'declaration.limits',
    level: 'contract',
    what: 'it declares what the system takes: calls a second and calls at once',
    skip: isDeclared,
    async run({ declaration }) {
      const { callsPerSecond, concurrency } = declaration!.limits;
      must(callsPerSecond > 0 && Number.isFinite(callsPerSecond), `callsPerSecond is ${callsPerSecond}`);
      must(Number.isInteger(concurrency) && concurrency > 0, `concurrency is ${concurrency}`);
    },
  },
  {
    id: 'declaration.overlap',
    level: 'safety',
    what: 'feeds that are read by time are read from a little before the end each time',
    skip: unless(isDeclared, ({ declaration }) =>
      Object.values(declaration!.sources).some(({ cursor }) => cursor === 'keyset')
        ? undefined
        : 'no feed of it is read by time',
    ),
    run: ({ declaration }) =>
      forEach(
        Object.entries(declaration!.sources).map(([name, source]) => ({ name, source })),
        async ({ source }) =>
          must(source.cursor !== 'keyset' || (source.overlapMs ?? 0) > 0, 'a change that commits late is never read'),
      ),
  },
  {
    id: 'declaration.push',
    level: 'contract',
    what: 'feeds that are pushed have a webhook or a hint, and the other way round',
    skip: isDeclared,
    run: (bench) =>
      onStage(bench, {}, async ({ connector }) => {
        const declared = Object.values(bench.declaration!.sources).some(({ push }) => push);
        const built = connector.webhook !== undefined || connector.hint !== undefined;
        must(declared === built, `push is ${declared ? '' : 'not '}declared, and ${built ? 'is' : 'is not'} built`);
      }),
  },
  {
    id: 'declaration.locators',
    level: 'safety',
    what: 'each delivery says by what it is found again',
    skip: unless(isDeclared, ({ declaration }) =>
      Object.keys(declaration!.deliveries).length === 0 ? 'it takes no deliveries' : undefined,
    ),
    run: ({ declaration }) =>
      forEach(
        Object.entries(declaration!.deliveries).map(([name, write]) => ({ name, write })),
        async ({ write }) => must(write.locator.trim() !== '', 'locator is empty'),
      ),
  },
  {
    id: 'declaration.texts',
    level: 'manners',
    what: 'summary, what it was run against, and quirks are there to be read',
    skip: isDeclared,
    async run({ declaration }) {
      const { name, summary, provenAgainst, quirks } = declaration!;
      for (const [what, text] of Object.entries({ name, summary, provenAgainst }))
        must(text.trim() !== '', `${what} is empty`);
      must(
        quirks.every((quirk) => quirk.trim() !== ''),
        'a quirk is empty',
      );
    },
  },
  {
    id: 'declaration.url',
    level: 'safety',
    what: 'an address that carries a password is refused, and the refusal does not show it',
    skip: isOverHttp,
    async run(bench) {
      const error = await refusalOf(bench, () => build(bench, { url: 'http://user:hidden-in-url@127.0.0.1:9' }));
      must(error !== undefined, 'it took a URL with a user and a password');
      must(!error.message.includes('hidden-in-url'), 'the refusal shows the password');
    },
  },
];

/** Builds one only to see whether it can be built. */
async function build(bench: Bench, changes: Record<string, unknown>): Promise<void> {
  const connector = bench.factory({ ...contextOf(bench, NOWHERE), ...changes });
  await connector.close();
}

type Sized = { batchMax: number };

function sizesOf(connector: ReturnType<Bench['factory']>): [string, number][] {
  const states = STATES.map((name): [string, Sized | undefined] => [name, connector[name]]);
  return [...Object.entries<Sized>(connector.deliveries), ...states].flatMap(([name, sink]): [string, number][] =>
    sink === undefined ? [] : [[name, sink.batchMax]],
  );
}

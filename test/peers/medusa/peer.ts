import { httpUp, type Keys, type PeerContext, type PeerKind, type Program } from '../lib/kind.ts';
import { HOST } from '../lib/ports.ts';
import { logFileIn, runStep } from '../lib/processes.ts';
import { seedMedusa } from './seed.ts';

const DATABASE = 'shop';
const WEBHOOK_SECRET = process.env.MEDUSA_WEBHOOK_SECRET ?? process.env.WEBHOOK_SECRET ?? 'peer-secret';
const locking = () => process.env.MEDUSA_LOCKING ?? 'memory';

export const medusa: PeerKind = {
  name: 'medusa',
  role: 'shop and marketplace channel (REST)',
  ports: { main: ['MEDUSA_PORT', 18100], second: ['MEDUSA_SECOND_PORT', 18105], pg: ['MEDUSA_PG_PORT', 18101] },
  debian: [],
  app: 'app',
  database: DATABASE,
  diskMb: 1800,
  // The locking provider keeps a table of its own, which only a migration with it makes.
  variant: () => [process.env.MEDUSA_SKUS, locking()].join(' '),
  make,
  restore: (peer) => peer.pg.copy(`${DATABASE}_seed`, DATABASE),
  // The second process of the same shop: with locks in memory they do not see each other's.
  programs: (peer) =>
    process.env.MEDUSA_INSTANCES === '2'
      ? [server(peer, 'medusa', 'main'), server(peer, 'medusa2', 'second')]
      : [server(peer, 'medusa', 'main')],
  keys: (peer) => ({
    url: `http://${HOST}:${peer.port()}`,
    ...(process.env.MEDUSA_INSTANCES === '2' ? { secondUrl: `http://${HOST}:${peer.port('second')}` } : {}),
    admin: { email: 'admin@example.com', password: 'admin-pw' },
    webhookSecret: WEBHOOK_SECRET,
    postgres: peer.pg.url(DATABASE),
  }),
};

const cli = (peer: PeerContext, ...args: string[]) => ({
  file: process.execPath,
  args: ['node_modules/@medusajs/cli/cli.js', ...args],
  cwd: peer.app,
  env: {
    DATABASE_URL: `${peer.pg.url(DATABASE)}?sslmode=disable`,
    MEDUSA_LOCKING: locking(),
    MEDUSA_DISABLE_TELEMETRY: '1',
    NODE_ENV: 'production',
    LOG_LEVEL: process.env.MEDUSA_LOG_LEVEL ?? 'warn',
    WEBHOOK_URL: process.env.MEDUSA_WEBHOOK_URL ?? process.env.WEBHOOK_URL ?? '',
    WEBHOOK_SECRET,
  },
});

function server(peer: PeerContext, name: string, port: 'main' | 'second'): Program {
  const number = peer.port(port);
  return {
    name,
    ports: [{ port: number, variable: peer.variable(port) }],
    secondsMax: 180,
    isUp: httpUp(`http://${HOST}:${number}/health`),
    command: cli(peer, 'start', '--host', HOST, '--port', String(number)),
  };
}

async function make(peer: PeerContext): Promise<Keys> {
  const migrate = () => runStep('migrating Medusa', logFileIn(peer.folder, 'migrate'), cli(peer, 'db:migrate'));
  peer.say('making the schema, half a minute');
  await peer.pg.createEmpty(DATABASE);
  await migrate();
  await runStep(
    'adding the user',
    logFileIn(peer.folder, 'user'),
    cli(peer, 'user', '-e', 'admin@example.com', '-p', 'admin-pw'),
  );
  peer.say('seeding through the admin API');
  const one = server(peer, 'medusa', 'main');
  await peer.start(one);
  try {
    return await seedMedusa(`http://${HOST}:${peer.port()}`);
  } finally {
    await peer.stop('medusa');
    await peer.pg.copy(DATABASE, `${DATABASE}_seed`);
  }
}

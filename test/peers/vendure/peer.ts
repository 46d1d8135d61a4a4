import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { httpUp, type Keys, type PeerContext, type PeerKind, type Program } from '../lib/kind.ts';
import { HOST } from '../lib/ports.ts';
import { logFileIn, runStep } from '../lib/processes.ts';
import { seedVendure } from './seed.ts';

const DATABASE = 'shop';
const WEBHOOK_SECRET = process.env.VENDURE_WEBHOOK_SECRET ?? process.env.WEBHOOK_SECRET ?? 'peer-secret';
const SEARCH_JOBS_MS = 3000;

export const vendure: PeerKind = {
  name: 'vendure',
  role: 'second channel (GraphQL)',
  ports: { main: ['VENDURE_PORT', 18200], pg: ['VENDURE_PG_PORT', 18201] },
  debian: [],
  app: 'app',
  database: DATABASE,
  diskMb: 900,
  variant: () => process.env.VENDURE_SKUS ?? '',
  make,
  restore: (peer) => peer.pg.copy(`${DATABASE}_seed`, DATABASE),
  programs: (peer) => [server(peer)],
  keys: (peer) => ({
    url: `http://${HOST}:${peer.port()}`,
    user: 'superadmin',
    password: 'superadmin-pw',
    webhookSecret: WEBHOOK_SECRET,
    postgres: peer.pg.url(DATABASE),
  }),
};

const command = (peer: PeerContext, args: readonly string[], env: Record<string, string> = {}) => ({
  file: process.execPath,
  args: ['server.js', ...args],
  cwd: peer.app,
  env: {
    VENDURE_PORT: String(peer.port()),
    VENDURE_DATABASE_URL: peer.pg.url(DATABASE),
    VENDURE_PLUGINS: process.env.VENDURE_PLUGINS ?? '',
    NODE_PATH: join(peer.app, 'node_modules'), // for plugins that lie elsewhere
    VENDURE_DISABLE_TELEMETRY: 'true',
    NODE_ENV: 'production',
    WEBHOOK_URL: process.env.VENDURE_WEBHOOK_URL ?? process.env.WEBHOOK_URL ?? '',
    WEBHOOK_SECRET,
    ...env,
  },
});

const server = (peer: PeerContext, env: Record<string, string> = {}): Program => ({
  name: 'vendure',
  ports: [{ port: peer.port(), variable: peer.variable() }],
  secondsMax: 180,
  isUp: httpUp(`http://${HOST}:${peer.port()}/health`),
  command: command(peer, [], env),
});

async function make(peer: PeerContext): Promise<Keys> {
  // A plugin of somebody's would see the seed as news.
  const quiet = { VENDURE_PLUGINS: '', WEBHOOK_URL: '' };
  peer.say('making the schema');
  await peer.pg.createEmpty(DATABASE);
  const populate = command(peer, ['populate'], { ...quiet, VENDURE_SYNC: '1' });
  await runStep('making the schema of Vendure', logFileIn(peer.folder, 'populate'), populate);
  peer.say('seeding through the admin API');
  await peer.start(server(peer, quiet));
  try {
    const keys = await seedVendure(`http://${HOST}:${peer.port()}`);
    await wait(SEARCH_JOBS_MS); // The search index is made by jobs after the answer.
    return keys;
  } finally {
    await peer.stop('vendure');
    await peer.pg.copy(DATABASE, `${DATABASE}_seed`);
  }
}

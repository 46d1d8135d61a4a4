import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptGet, refuseWithoutApt, withApt } from '../lib/install.ts';
import type { Keys, PeerContext, PeerKind } from '../lib/kind.ts';
import { HOST } from '../lib/ports.ts';
import { PG_PASSWORD, PG_USER } from '../lib/postgres.ts';
import { logFileIn, runStep } from '../lib/processes.ts';

const DATABASE = 'legacy';
const share = (peer: PeerContext) => peer.file('root', 'usr', 'share', 'ledgersmb');

export const ledgersmb: PeerKind = {
  name: 'ledgersmb',
  role: 'old ledger, read and written by SQL, with dirty data',
  ports: { pg: ['LSMB_PG_PORT', 18801] },
  debian: [],
  database: DATABASE,
  diskMb: 700,
  install,
  make,
  restore: (peer) => peer.pg.copy(`${DATABASE}_seed`, DATABASE),
  programs: () => [],
  keys: (peer) => ({
    url: peer.pg.url(DATABASE),
    readOnlyUrl: `postgresql://hub:hub-pw@${HOST}:${peer.port('pg')}/${DATABASE}`,
  }),
};

/** The package's own set-up insists on a cluster of the whole machine, so it is only unpacked; what it needs is installed. */
async function install(peer: PeerContext): Promise<void> {
  if (existsSync(peer.file('unpacked.ok'))) return;
  refuseWithoutApt(['ledgersmb']);
  await withApt(async () => {
    // Also brings the lists up to date, which the next line reads.
    await aptGet(peer.folder, ['install', '-y', '--no-install-recommends', 'perl']);
    const shown = String(spawnSync('apt-cache', ['show', '--no-all-versions', 'ledgersmb']).stdout ?? '');
    const needs = shown.match(/^Depends: (.+)$/m)?.[1] ?? '';
    await aptGet(peer.folder, ['satisfy', '-y', '--no-install-recommends', needs]);
    mkdirSync(peer.file('deb'), { recursive: true });
    const log = logFileIn(peer.folder, 'download');
    await runStep('apt-get download', log, { file: 'apt-get', args: ['download', 'ledgersmb'], cwd: peer.file('deb') });
  });
  const deb = readdirSync(peer.file('deb')).find((name) => name.startsWith('ledgersmb_'))!;
  const args = ['-x', peer.file('deb', deb), peer.file('root')];
  await runStep('unpacking LedgerSMB', logFileIn(peer.folder, 'unpack'), { file: 'dpkg', args, cwd: '/' });
  writeFileSync(peer.file('unpacked.ok'), '');
}

async function make(peer: PeerContext): Promise<Keys> {
  const seed = `${DATABASE}_seed`;
  await peer.pg.drop(seed);
  writeFileSync(peer.file('ledgersmb.conf'), readFileSync(peer.file('root', 'etc', 'ledgersmb', 'ledgersmb.conf')));
  // Its own loader makes the tables, the stored functions and the chart of accounts.
  await runStep('loading LedgerSMB', logFileIn(peer.folder, 'load'), {
    file: 'perl',
    args: ['-I', 'lib', '-I', 'old/lib', join(peer.source, 'load.pl'), seed, HOST, String(peer.port('pg'))],
    cwd: share(peer),
    env: {
      LSMB_CONFIG_FILE: peer.file('ledgersmb.conf'),
      ...{ PGHOST: HOST, PGPORT: String(peer.port('pg')), PGUSER: PG_USER, PGPASSWORD: PG_PASSWORD },
    },
  });
  await peer.pg.query(seed, readFileSync(join(peer.source, 'seed.sql'), 'utf8'));
  return {};
}

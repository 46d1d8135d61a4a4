import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { PeerContext, PeerKind, Program } from '../lib/kind.ts';
import { answersTcp, HOST } from '../lib/ports.ts';
import { logFileIn, runStep } from '../lib/processes.ts';

const DATABASE = 'legacy';
const [USER, PASSWORD] = ['hub', 'hub-pw'];

/** An empty database whose user may make tables: tests bring their own. */
export const mariadb: PeerKind = {
  name: 'mariadb',
  role: 'old database of a legacy system (MariaDB)',
  ports: { main: ['MARIADB_PORT', 18900] },
  debian: ['mariadb-server-core', 'mariadb-client-core'],
  diskMb: 300,
  make: async (peer) => {
    await empty(peer);
    return {};
  },
  restore: empty,
  programs: (peer) => [server(peer)],
  keys: (peer) => ({ url: `mysql://${USER}:${PASSWORD}@${HOST}:${peer.port()}/${DATABASE}` }),
};

async function empty(peer: PeerContext): Promise<void> {
  rmSync(peer.file('data'), { recursive: true, force: true });
  mkdirSync(peer.file('data'), { recursive: true });
  await runStep('making the tables of MariaDB', logFileIn(peer.folder, 'install'), {
    file: 'mariadb-install-db',
    args: [
      ...['--no-defaults', `--datadir=${peer.file('data')}`, ...asRoot()],
      ...['--auth-root-authentication-method=normal', '--skip-test-db'],
    ],
    cwd: peer.folder,
  });
}

/** It refuses to run as root unless it is told. */
const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

function server(peer: PeerContext): Program {
  const statements = [
    `create database if not exists ${DATABASE} character set utf8mb4`,
    `create user if not exists '${USER}'@'${HOST}' identified by '${PASSWORD}'`,
    `grant all on ${DATABASE}.* to '${USER}'@'${HOST}'`,
  ];
  mkdirSync(peer.folder, { recursive: true });
  writeFileSync(peer.file('init.sql'), `${statements.join(';\n')};\n`);
  return {
    name: 'mariadbd',
    ports: [{ port: peer.port(), variable: peer.variable() }],
    secondsMax: 60,
    isUp: () => answersTcp(peer.port()),
    command: {
      file: '/usr/sbin/mariadbd',
      args: [
        ...['--no-defaults', `--datadir=${peer.file('data')}`, ...asRoot(), `--init-file=${peer.file('init.sql')}`],
        ...[`--port=${peer.port()}`, `--bind-address=${HOST}`, `--socket=${peer.file('s')}`, '--skip-name-resolve'],
        ...['--innodb-buffer-pool-size=64M', '--skip-log-bin'],
      ],
      cwd: peer.folder,
    },
  };
}

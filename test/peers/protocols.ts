/** Peers that speak a protocol and keep no business data: nothing is seeded, and a reset empties them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { PeerFault } from './lib/fault.ts';
import { httpUp, type PeerContext, type PeerKind } from './lib/kind.ts';
import { answersTcp, HOST } from './lib/ports.ts';

const remove = (peer: PeerContext, ...folders: string[]) => {
  for (const name of folders) rmSync(peer.file(name), { recursive: true, force: true });
};

const FOLDERS = ['inbound', 'outbound', 'archive'];

export const sftp: PeerKind = {
  name: 'sftp',
  role: 'drop box of a partner (OpenSSH)',
  ports: { main: ['SFTP_PORT', 18400] },
  debian: ['openssh-server', 'openssh-client'],
  diskMb: 20,
  restore: async (peer) => remove(peer, 'files'),
  programs: (peer) => {
    for (const name of ['host_key', 'client_key'])
      if (!existsSync(peer.file(name)))
        spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'peer', '-f', peer.file(name)]);
    copyFileSync(peer.file('client_key.pub'), peer.file('authorized_keys'));
    chmodSync(peer.file('authorized_keys'), 0o600);
    for (const name of FOLDERS) mkdirSync(peer.file('files', name), { recursive: true });
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true }); // sshd asks for it as root
    const server = `internal-sftp -d ${peer.file('files')} -l INFO`;
    writeFileSync(
      peer.file('sshd_config'),
      [
        ...[`ListenAddress ${HOST}`, `Port ${peer.port()}`, `HostKey ${peer.file('host_key')}`, 'PidFile none'],
        ...[
          `AuthorizedKeysFile ${peer.file('authorized_keys')}`,
          'StrictModes no',
          'UsePAM no',
          'PasswordAuthentication no',
        ],
        ...[
          'KbdInteractiveAuthentication no',
          'PermitRootLogin prohibit-password',
          'MaxStartups 100',
          'MaxSessions 100',
        ],
        ...[`Subsystem sftp ${server}`, `ForceCommand ${server}`, ''],
      ].join('\n'),
    );
    return [
      {
        name: 'sshd',
        ports: [{ port: peer.port(), variable: peer.variable() }],
        secondsMax: 20,
        isUp: () => answersTcp(peer.port()),
        command: { file: '/usr/sbin/sshd', args: ['-D', '-e', '-f', peer.file('sshd_config')], cwd: '/' },
      },
    ];
  },
  keys: (peer) => ({
    url: `sftp://${userInfo().username}@${HOST}:${peer.port()}`,
    host: HOST,
    port: peer.port(),
    user: userInfo().username,
    privateKeyFile: peer.file('client_key'),
    hostKeyFile: peer.file('host_key.pub'),
    files: peer.file('files'),
  }),
};

export const oidc: PeerKind = {
  name: 'oidc',
  role: 'OAuth 2 and OpenID Connect provider',
  ports: { main: ['OIDC_PORT', 18600] },
  debian: [],
  app: 'app',
  diskMb: 60,
  programs: (peer) => [
    {
      name: 'oidc',
      ports: [{ port: peer.port(), variable: peer.variable() }],
      secondsMax: 30,
      isUp: httpUp(`http://${HOST}:${peer.port()}/.well-known/openid-configuration`, 'jwks_uri'),
      command: {
        file: process.execPath,
        args: ['server.mjs'],
        cwd: peer.app,
        env: { OIDC_PORT: String(peer.port()), OIDC_TTL: process.env.OIDC_TTL ?? '60' },
      },
    },
  ],
  keys: (peer) => ({
    url: `http://${HOST}:${peer.port()}`,
    clientId: 'crossdock',
    clientSecret: 'crossdock-secret',
    publicClientId: 'spa',
    resource: 'urn:crossdock:api',
  }),
};

const NODES = [1, 2, 3];

export const nats: PeerKind = {
  name: 'nats',
  role: 'event bus, three JetStream nodes',
  ports: {
    ...{ n1: ['NATS_PORT_1', 18301], n2: ['NATS_PORT_2', 18302], n3: ['NATS_PORT_3', 18303] },
    ...{ c1: ['NATS_CLUSTER_1', 18311], c2: ['NATS_CLUSTER_2', 18312], c3: ['NATS_CLUSTER_3', 18313] },
    ...{ m1: ['NATS_MONITOR_1', 18321], m2: ['NATS_MONITOR_2', 18322], m3: ['NATS_MONITOR_3', 18323] },
  },
  debian: ['nats-server'],
  diskMb: 200,
  restore: async (peer) => remove(peer, 'js1', 'js2', 'js3'),
  programs: (peer) => {
    const address = (kind: string, node: number) => `nats://${HOST}:${peer.port(`${kind}${node}`)}`;
    const routes = NODES.map((node) => address('c', node)).join(',');
    return NODES.map((node) => ({
      name: `n${node}`,
      ports: ['n', 'c', 'm'].map((kind) => ({
        port: peer.port(`${kind}${node}`),
        variable: peer.variable(`${kind}${node}`),
      })),
      secondsMax: 30,
      // One node alone has no quorum: the last one waits for all of it.
      isUp:
        node === NODES.length
          ? httpUp(`http://${HOST}:${peer.port('m1')}/healthz`, '"ok"')
          : () => answersTcp(peer.port(`n${node}`)),
      command: {
        file: '/usr/sbin/nats-server',
        args: [
          ...[
            '--name',
            `n${node}`,
            '-a',
            HOST,
            '-p',
            String(peer.port(`n${node}`)),
            '-m',
            String(peer.port(`m${node}`)),
          ],
          ...[
            '-js',
            '-sd',
            peer.file(`js${node}`),
            '--cluster_name',
            'peers',
            '--cluster',
            address('c', node),
            '--routes',
            routes,
          ],
        ],
        cwd: peer.folder,
      },
    }));
  },
  keys: (peer) => {
    const servers = NODES.map((node) => `nats://${HOST}:${peer.port(`n${node}`)}`);
    return { url: servers.join(','), servers, monitor: `http://${HOST}:${peer.port('m1')}` };
  },
};

export const prometheus: PeerKind = {
  name: 'prometheus',
  role: 'scraper, and promtool for the format',
  ports: { main: ['PROM_PORT', 18500] },
  debian: ['prometheus'],
  diskMb: 200,
  variant: () => process.env.PROM_TARGETS ?? '',
  restore: async (peer) => remove(peer, 'data'),
  programs: (peer) => {
    const config = peer.file('prometheus.yml');
    const targets = [`${HOST}:${peer.port()}/metrics`, ...(process.env.PROM_TARGETS ?? '').split(',').filter(Boolean)];
    const jobs = targets.map((target, n) => {
      const [host, ...path] = target.split('/');
      return `- { job_name: job${n + 1}, metrics_path: /${path.join('/') || 'metrics'}, static_configs: [ { targets: ["${host}"] } ] }`;
    });
    writeFileSync(
      config,
      ['global: { scrape_interval: 1s, scrape_timeout: 900ms }', 'scrape_configs:', ...jobs, ''].join('\n'),
    );
    const checked = spawnSync('/usr/bin/promtool', ['check', 'config', config]);
    if (checked.status !== 0)
      throw new PeerFault('step_failed', {
        what: 'PROM_TARGETS make no valid configuration',
        where: config,
        why: String(checked.stderr),
      });
    return [
      {
        name: 'prometheus',
        ports: [{ port: peer.port(), variable: peer.variable() }],
        secondsMax: 60,
        isUp: httpUp(`http://${HOST}:${peer.port()}/-/ready`, 'Ready'),
        command: {
          file: '/usr/bin/prometheus',
          args: [
            `--config.file=${config}`,
            `--storage.tsdb.path=${peer.file('data')}`,
            `--web.listen-address=${HOST}:${peer.port()}`,
          ],
          cwd: peer.folder,
        },
      },
    ];
  },
  keys: (peer) => ({ url: `http://${HOST}:${peer.port()}`, promtool: '/usr/bin/promtool' }),
};

export const smtp: PeerKind = {
  name: 'smtp',
  role: 'mail sink (Maildir)',
  ports: { main: ['SMTP_PORT', 18700] },
  debian: ['python3-aiosmtpd'],
  diskMb: 20,
  restore: async (peer) => remove(peer, 'maildir'),
  programs: (peer) => [
    {
      name: 'smtp',
      ports: [{ port: peer.port(), variable: peer.variable() }],
      secondsMax: 30,
      isUp: () => answersTcp(peer.port()),
      command: {
        file: '/usr/bin/python3',
        args: [
          '-m',
          'aiosmtpd',
          '-n',
          '-l',
          `${HOST}:${peer.port()}`,
          '-c',
          'aiosmtpd.handlers.Mailbox',
          peer.file('maildir'),
        ],
        cwd: peer.folder,
      },
    },
  ],
  keys: (peer) => ({ url: `smtp://${HOST}:${peer.port()}`, maildir: peer.file('maildir') }),
};

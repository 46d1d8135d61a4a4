import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpUp, type Keys, type PeerContext, type PeerKind } from '../lib/kind.ts';
import { HOST } from '../lib/ports.ts';
import { logFileIn, runStep } from '../lib/processes.ts';

const DATABASE = 'erp';
const MODULES = [
  ...['company', 'country', 'currency', 'party', 'product', 'product_price_list', 'product_measurements', 'account'],
  ...['account_product', 'account_invoice', 'account_invoice_stock', 'account_credit_limit', 'stock', 'stock_supply'],
  ...[
    'sale',
    'sale_price_list',
    'sale_credit_limit',
    'sale_opportunity',
    'sale_supply',
    'purchase',
    'purchase_request',
  ],
  ...(process.env.TRYTON_EXTRA_MODULES ?? '').split(/[ ,]+/).filter(Boolean),
];

export const tryton: PeerKind = {
  name: 'tryton',
  role: 'ERP, stock and shipments, CRM opportunities, credit limits, price lists',
  ports: { main: ['TRYTON_PORT', 18000], pg: ['TRYTON_PG_PORT', 18001] },
  debian: [
    ...['tryton-server', 'tryton-proteus', 'python3-psycopg2', 'gunicorn'],
    ...MODULES.map((name) => `tryton-modules-${name.replaceAll('_', '-')}`),
  ],
  database: DATABASE,
  diskMb: 700,
  // Fiscal years are those around today.
  variant: () =>
    [MODULES, process.env.TRYTON_SKUS, process.env.TRYTON_CUSTOMERS, new Date().getUTCFullYear()].join(' '),
  make,
  restore: (peer) => peer.pg.copy(`${DATABASE}_seed`, DATABASE),
  programs: (peer) => {
    writeConfig(peer);
    const [port, variable] = [peer.port(), peer.variable()];
    const workers = ['--workers', process.env.TRYTON_WORKERS ?? '2', '--threads', process.env.TRYTON_THREADS ?? '2'];
    return [
      {
        name: 'trytond',
        ports: [{ port, variable }],
        secondsMax: 120,
        isUp: httpUp(`http://${HOST}:${port}/`),
        command: {
          file: '/usr/bin/gunicorn',
          args: [
            ...workers,
            '--timeout',
            '120',
            '--keep-alive',
            '30',
            '--bind',
            `${HOST}:${port}`,
            'trytond.application:app',
          ],
          cwd: peer.folder,
          env: { TRYTOND_CONFIG: peer.file('trytond.conf'), TRYTOND_DATABASE_NAMES: DATABASE },
        },
      },
    ];
  },
  keys: (peer) => ({
    url: `http://${HOST}:${peer.port()}/`,
    database: DATABASE,
    user: 'crossdock',
    password: 'crossdock-pw',
    admin: { user: 'admin', password: 'admin' },
    postgres: peer.pg.url(DATABASE),
  }),
};

function writeConfig(peer: PeerContext): void {
  mkdirSync(peer.file('files'), { recursive: true });
  const lines = [
    ...[
      '[web]',
      `listen = ${HOST}:${peer.port()}`,
      '[database]',
      `uri = ${peer.pg.url('')}`,
      `path = ${peer.file('files')}`,
    ],
    ...['[session]', 'max_attempt = 100', ''],
  ];
  writeFileSync(peer.file('trytond.conf'), lines.join('\n'));
}

async function make(peer: PeerContext): Promise<Keys> {
  writeConfig(peer);
  const [base, seed, config] = [`${DATABASE}_base`, `${DATABASE}_seed`, peer.file('trytond.conf')];
  // Modules without data take two minutes of the three, and don't change with the seed.
  const baseStamp = peer.file('base.ok');
  const wanted = MODULES.join(' ');
  if (readOr(baseStamp) !== wanted || !(await peer.pg.has(base))) {
    peer.say('making the schema, 1 to 3 minutes');
    await peer.pg.createEmpty(base);
    const password = peer.file('passfile');
    writeFileSync(password, 'admin', { mode: 0o600 });
    // The server works out the order of the modules from what they depend on.
    const flags = [
      '-l',
      'en',
      '--email',
      'admin@example.com',
      '--activate-dependencies',
      '-u',
      'ir',
      'res',
      ...MODULES,
    ];
    await runStep('making the schema of Tryton', logFileIn(peer.folder, 'activate'), {
      file: '/usr/bin/trytond-admin',
      args: ['-c', config, '-d', base, ...flags],
      cwd: peer.folder,
      env: { TRYTONPASSFILE: password },
    });
    writeFileSync(baseStamp, wanted);
  }
  peer.say('seeding, 1 to 2 minutes');
  await peer.pg.copy(base, seed);
  await runStep('seeding Tryton', logFileIn(peer.folder, 'seed'), {
    file: '/usr/bin/python3',
    args: [join(peer.source, 'seed.py'), seed, config, peer.file('seed.json')],
    cwd: peer.folder,
  });
  return JSON.parse(readFileSync(peer.file('seed.json'), 'utf8')) as Keys;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

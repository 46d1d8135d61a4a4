import { fileURLToPath } from 'node:url';
import { fail } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  type ConnectorFactory,
  type Declaration,
  type Domain,
  defineConnector,
  systemClock,
} from '../kit/index.ts';
import { type FilesSettings, filesSettings, type Inbound } from './settings.ts';
import { sftpStore } from './sftp.ts';
import { fileDeliveries } from './sink.ts';
import { fileSource } from './source.ts';
import { budgeted, type FileStore, localStore } from './store.ts';

const write = { batchMax: 200, locator: 'a mark per reference in the folder `sent`', idempotency: 'none' } as const;
const domainsOf: Readonly<Record<Inbound['map']['as'], readonly Domain[]>> = {
  order: ['orders'],
  cancel: ['cancels'],
  counted: ['stock'],
  received: ['stock'],
  adjusted: ['stock'],
  supply: ['supply'],
  allocated: ['stock'],
  credit: ['credit'],
  picked: ['shipments'],
  shipped: ['shipments'],
  returned: ['returns'],
  invoice: ['invoices'],
  credit_note: ['invoices'],
};

const declaration: Declaration = {
  name: 'files',
  summary: 'CSV, fixed width, NDJSON and XML in a folder or behind SFTP; facts out as files',
  provenAgainst: 'OpenSSH 9.2 (internal-sftp), and folders of this machine',
  // What a drop box has of these its settings say.
  sources: {},
  deliveries: {},
  states: {},
  bySettings(settings) {
    const { inbound = [], outbound = {} } = settings as FilesSettings;
    return {
      sources: Object.fromEntries(
        inbound.map(({ feed, map }) => [
          feed,
          { domains: domainsOf[map.as], cursor: 'file', ordering: 'none', push: false } as const,
        ]),
      ),
      deliveries: Object.fromEntries(Object.keys(outbound).map((kind) => [kind, write])),
      states: {},
    };
  },
  needs: [],
  settings: filesSettings,
  limits: { callsPerSecond: 50, concurrency: 4 },
  quirks: [
    'A file that stands still for longer than the settle time is taken, whole or not: agree on a marker or on renaming where uploads stall.',
    'SFTP tells times in whole seconds: a file that is changed within one second and keeps its size looks unchanged.',
    'A partner takes files away, so marks in a folder of ours say what was sent.',
  ],
};

/** A drop box: a folder of this machine (`file:///…`) or one behind SFTP (`sftp://user@host/…`). */
export const files: ConnectorFactory = defineConnector(declaration, (context) => {
  const settings = context.settings as FilesSettings;
  const place = `systems.${context.system}`;
  const feeds = settings.inbound ?? [];
  const twice = feeds.find(({ feed }, index) => feeds.findIndex((other) => other.feed === feed) !== index);
  if (twice !== undefined)
    fail('XD_ESTATE_INVALID', `${place}.settings.inbound has the feed ${twice.feed} twice`, { place });
  for (const [kind, outbound] of Object.entries(settings.outbound ?? {}))
    if (outbound.format === 'csv' && outbound.columns === undefined)
      fail('XD_ESTATE_INVALID', `${place}.settings.outbound.${kind}.columns is missing: csv needs it`, { place });
  const store = budgeted(storeOf(context, settings), context.limits);
  const sources = feeds.map((inbound, index) =>
    fileSource(store, inbound, {
      system: context.system,
      channel: context.channel,
      clock: systemClock,
      at: `${place}.settings.inbound.${index}`,
    }),
  );
  const out = Object.entries(settings.outbound ?? {});
  return {
    confirmedBy: 'answer',
    sources,
    deliveries: Object.fromEntries(out.map(([kind, one]) => [kind, fileDeliveries(store, kind, one, context.limits)])),
    async probe(signal) {
      const folders = [...feeds.map(({ folder }) => folder), ...out.map(([, { folder }]) => folder)];
      try {
        for (const folder of folders.length === 0 ? ['.'] : new Set(folders)) await store.list(folder, signal);
        return { ok: true, detail: `${folders.length} folders can be listed` };
      } catch (error) {
        return { ok: false, detail: (error as Error).message };
      }
    },
    pausedMs: () => store.pausedMs,
    async close() {
      for (const source of sources) await source.close();
      await store.close();
    },
  };
});

function storeOf({ system, url, token, limits }: ConnectorContext, settings: FilesSettings): FileStore {
  const wrong = (): never =>
    fail('XD_ESTATE_INVALID', `systems.${system}.url must be file:///folder or sftp://user@host/folder`, {
      place: `systems.${system}.url`,
    });
  const at = URL.canParse(url) ? new URL(url) : wrong();
  if (at.protocol === 'file:') return localStore(fileURLToPath(at));
  if (at.protocol !== 'sftp:' || at.hostname === '') return wrong();
  const { privateKeyFile, hostKey, knownHostsFile } = settings;
  return sftpStore({
    url: at,
    password: token,
    timeoutMs: limits.timeoutMs,
    ...(privateKeyFile !== undefined && { privateKeyFile }),
    ...(hostKey !== undefined && { hostKey }),
    ...(knownHostsFile !== undefined && { knownHostsFile }),
  });
}

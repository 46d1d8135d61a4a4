import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Settings = Record<string, string | number | boolean>;

/**
 * What can't be set from outside: without these an acknowledged write may be lost when the machine stops. Tests run with
 * them too, since a test on a server that forgets proves nothing about one that must not.
 */
export const DURABLE: Settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

const DEFAULTS: Settings = {
  max_connections: 100,
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  dynamic_shared_memory_type: 'posix',
  // The programs are built without lz4 and zstd; pglz would cost more CPU here than the disk saves.
  wal_compression: 'off',
  wal_buffers: '16MB',
  // Rare checkpoints: each one makes every touched page travel through the WAL whole once more.
  max_wal_size: '4GB',
  min_wal_size: '512MB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: 0.9,
  random_page_cost: 1.1,
  // Short statements, planned once: compiling them costs more than it gives.
  jit: 'off',
  // Balances, cursors and leases are updated thousands of times a second in few rows: clean often, a little at a time; more often
  // than this, cleaning was a twelfth of all that the processors did.
  autovacuum_naptime: '30s',
  autovacuum_vacuum_scale_factor: 0.1,
  autovacuum_vacuum_insert_scale_factor: 0.2,
  autovacuum_analyze_scale_factor: 0.1,
  autovacuum_vacuum_cost_limit: 1000,
  // An open transaction holds every log reader back, so none may idle for long.
  idle_in_transaction_session_timeout: '60s',
  deadlock_timeout: '200ms',
  log_min_messages: 'warning',
  log_lock_waits: 'on',
  log_line_prefix: '%m [%p] %q%a ',
  log_destination: 'stderr',
  log_timezone: 'UTC',
  timezone: 'UTC',
  datestyle: 'iso, ymd',
  lc_messages: 'C',
  track_io_timing: 'on',
};

/** Writes the server's whole configuration, at each start. What someone adds by hand goes to `custom.conf` beside the data. */
export async function writeSettings(
  dataDir: string,
  settings: Settings,
  place: { port: number; socketDir: string },
): Promise<void> {
  const all: Settings = {
    ...DEFAULTS,
    ...settings,
    ...DURABLE,
    listen_addresses: '127.0.0.1',
    port: place.port,
    unix_socket_directories: place.socketDir,
    unix_socket_permissions: '0700',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`);
  const head = '# Written by Crossdock at each start. Your own settings: custom.conf in the folder above, they win.\n';
  await writeFile(
    join(dataDir, 'postgresql.conf'),
    `${head}${lines.join('\n')}\ninclude_if_exists = '../custom.conf'\n`,
  );
  // The socket's folder is open to its owner alone, so whoever reaches it may come in; TCP asks for the password.
  const access = 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n';
  await writeFile(join(dataDir, 'pg_hba.conf'), `# Written by Crossdock at each start.\n${access}`);
}

/** A database for connectors that are tested against one: the one that is named, or one that is there as long as the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SystemDescription } from '../../connectors/kit/conformance/index.ts';

export async function databaseFor(
  { standsIn }: SystemDescription,
  url: string | undefined,
): Promise<{ url: string; close: () => Promise<void> }> {
  if (standsIn !== 'database' || url !== undefined) return { url: url ?? '', close: async () => {} };
  const { startEmbeddedPostgres } = await import('../../store/embedded/index.ts');
  const dir = await mkdtemp(join(tmpdir(), 'crossdock-conformance-'));
  const server = await startEmbeddedPostgres({ dir });
  const close = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { url: server.tcpUrl, close };
}

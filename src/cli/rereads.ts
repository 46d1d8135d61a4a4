/** Connectors of an estate file, built to read kept messages again. Nothing is sent: secrets that aren't at hand are not needed. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Connector } from '../connectors/kit/index.ts';
import type { Estate } from '../estate/index.ts';
import type { Rereads } from '../ingest/index.ts';
import type { Queryable } from '../store/index.ts';

const CONFIG = 'crossdock.config.ts';
const NO_SECRET = 'http://not-set.invalid';

export interface OpenedRereads {
  rereads: Rereads;
  close(): Promise<void>;
}

/** @throws XD_ESTATE_INVALID when the estate file is there and wrong */
export async function openRereads({ config }: { config?: string }, db: Queryable): Promise<OpenedRereads> {
  const path = config ?? (existsSync(CONFIG) ? CONFIG : undefined);
  if (path === undefined) {
    const why = `no ${CONFIG} here that says how it was mapped: name the estate file with --config`;
    return { rereads: () => why, close: async () => {} };
  }
  const { connectors } = await import('../connectors/index.ts');
  const { readReferenceEnding } = await import('../master/index.ts');
  const { connectorContext, connectorFactory, loadEstate, secretSources } = await import('../estate/index.ts');
  const estate: Estate = await loadEstate(path, { connectors: connectors.keys() });
  const { env, readFile } = secretSources(dirname(resolve(path)));
  const secrets = {
    env: new Proxy(env, { get: (all, name) => all[String(name)] || NO_SECRET }),
    readFile: (file: string) => {
      try {
        return readFile(file);
      } catch {
        return NO_SECRET;
      }
    },
  };
  const referenceEnding = await readReferenceEnding(db);
  const built = new Map<string, Connector | string>();
  const build = (system: string): Connector | string => {
    if (estate.systems[system] === undefined) return `the estate file has no system ${system}`;
    try {
      return connectorFactory(
        estate,
        system,
        connectors,
      )({
        ...connectorContext(estate, system, secrets),
        referenceEnding,
      });
    } catch (error) {
      return `the connector of ${system} can't be built here: ${(error as Error).message}`;
    }
  };
  return {
    rereads(system) {
      const connector = built.get(system) ?? build(system);
      built.set(system, connector);
      return typeof connector === 'string' ? connector : connector.sources.flatMap(({ reread }) => reread ?? []);
    },
    async close() {
      for (const connector of built.values()) if (typeof connector !== 'string') await connector.close();
    },
  };
}

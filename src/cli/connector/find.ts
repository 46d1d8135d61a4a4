/** A connector by its name or place, and how its system answers. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail } from '../../canonical/index.ts';
import { connectors } from '../../connectors/index.ts';
import type { SystemDescription } from '../../connectors/kit/conformance/index.ts';
import type { ConnectorFactory } from '../../connectors/kit/index.ts';
import { loadEstate, resolveOwnModules } from '../../estate/index.ts';

const CONFIG = 'crossdock.config.ts';
const ENDINGS = ['ts', 'mts', 'js', 'mjs'];

export interface Found {
  factory: ConnectorFactory;
  description: SystemDescription;
}

export interface FindOptions {
  config?: string;
  description?: string;
}

/** @throws XD_SETUP_FAILED saying what was looked for */
export async function findConnector(name: string, options: FindOptions): Promise<Found> {
  resolveOwnModules();
  const given = options.description === undefined ? undefined : await descriptionIn(resolve(options.description));
  const isPath = /[./\\]/.test(name);
  if (isPath) {
    const path = resolve(name);
    if (!existsSync(path)) return fail('XD_SETUP_FAILED', `${path} is not there`);
    const isFolder = statSync(path).isDirectory();
    const folder = isFolder ? path : dirname(path);
    const file = isFolder ? (beside(path, 'index') ?? fail('XD_SETUP_FAILED', `${path} holds no index.ts`)) : path;
    return { factory: await factoryIn(file), description: given ?? (await descriptionOf([folder], name)) };
  }
  const config = options.config ?? (existsSync(CONFIG) ? CONFIG : undefined);
  if (config !== undefined) {
    const own = (await loadEstate(config, { connectors: connectors.keys() })).connectors?.[name];
    const root = dirname(resolve(config));
    if (own !== undefined)
      return {
        factory: own,
        description: given ?? (await descriptionOf([join(root, 'connectors', name), join(root, name)], name)),
      };
  }
  const factory = connectors.get(name);
  if (factory === undefined)
    return fail(
      'XD_SETUP_FAILED',
      `no connector ${name}; there are ${[...connectors.keys()].join(', ')}, those of an estate file (--config) and any by its path`,
    );
  const folder = new URL(`../../connectors/${name}`, import.meta.url).pathname;
  return { factory, description: given ?? (await descriptionOf([decodeURIComponent(folder)], name)) };
}

function beside(folder: string, stem: string): string | undefined {
  return ENDINGS.map((ending) => join(folder, `${stem}.${ending}`)).find((path) => existsSync(path));
}

async function descriptionOf(folders: readonly string[], name: string): Promise<SystemDescription> {
  for (const folder of folders) {
    const path = beside(folder, 'conformance');
    if (path !== undefined) return await descriptionIn(path);
  }
  return fail(
    'XD_SETUP_FAILED',
    `how the system of ${name} answers is not described: no conformance.ts in ${folders.join(', ')}; name one with --description`,
  );
}

async function descriptionIn(path: string): Promise<SystemDescription> {
  const module = await load(path);
  const description = (module.default ?? module.description) as SystemDescription | undefined;
  if (typeof description?.system !== 'function' && typeof description?.stand !== 'function')
    fail('XD_SETUP_FAILED', `${path} exports no description: export default describeSystem({ … })`);
  return description;
}

/** The default export, or the only function that says what it is, or the only function. */
async function factoryIn(path: string): Promise<ConnectorFactory> {
  const module = await load(path);
  if (typeof module.default === 'function') return module.default as ConnectorFactory;
  const functions = Object.values(module).filter((one): one is ConnectorFactory => typeof one === 'function');
  const declared = functions.filter(({ declaration }) => declaration !== undefined);
  const [factory, ...others] = declared.length > 0 ? declared : functions;
  if (factory === undefined || others.length > 0)
    return fail('XD_SETUP_FAILED', `${path} must export one connector, or one as its default`);
  return factory;
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    return fail('XD_SETUP_FAILED', `${path} can't be loaded: ${(cause as Error).message}`, { path }, { cause });
  }
}

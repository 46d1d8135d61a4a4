/** What a connector is built with, as the estate declares its system. */
import { fail } from '../canonical/index.ts';
import type { ConnectorContext, ConnectorFactory } from '../connectors/kit/index.ts';
import type { Estate } from './schema.ts';
import { resolveSecret, resolveText, type SecretSources } from './secrets.ts';

/** @throws XD_ESTATE_INVALID naming what is missing */
export function connectorContext(estate: Estate, code: string, secrets: SecretSources): ConnectorContext {
  const settings = estate.systems[code] ?? fail('XD_ESTATE_INVALID', `systems.${code} is not there`);
  const { url, token, webhookSecret, limits } = settings;
  const at = `systems.${code}`;
  return {
    system: code,
    channel: Object.entries(estate.channels).find(([, entry]) => entry.system === code)?.[0] ?? null,
    url: url === undefined ? '' : resolveText(url, secrets, `${at}.url`),
    token: token === undefined ? null : resolveSecret(token, secrets, `${at}.token`),
    webhookSecret: webhookSecret === undefined ? null : resolveSecret(webhookSecret, secrets, `${at}.webhookSecret`),
    settings: settings.settings ?? {},
    limits: {
      callsPerSecond: limits?.callsPerSecond ?? 200,
      concurrency: limits?.concurrency ?? 4,
      timeoutMs: limits?.timeoutMs ?? 10_000,
      batchMax: limits?.batchMax ?? null,
    },
  };
}

/** The estate's own connector of that name, else the one that ships. @throws XD_ESTATE_INVALID */
export function connectorFactory(
  estate: Estate,
  code: string,
  shipped: ReadonlyMap<string, ConnectorFactory>,
): ConnectorFactory {
  const name = estate.systems[code]?.connector ?? '';
  const factory = estate.connectors?.[name] ?? shipped.get(name);
  if (factory !== undefined) return factory;
  const known = [...shipped.keys(), ...Object.keys(estate.connectors ?? {})].join(', ');
  return fail('XD_ESTATE_INVALID', `systems.${code}.connector: no connector ${name}; there are ${known}`, {
    place: `systems.${code}.connector`,
  });
}

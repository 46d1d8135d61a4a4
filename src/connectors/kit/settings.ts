import { fail } from '../../canonical/index.ts';
import type { ConnectorContext } from './types.ts';

/** Refuses settings of a connector that has none: a setting that nobody reads is a wish that nobody grants. */
export function refuseSettings({ system, settings }: Pick<ConnectorContext, 'system' | 'settings'>): void {
  const [name] = Object.keys(settings);
  if (name !== undefined)
    fail('XD_ESTATE_INVALID', `systems.${system}.settings.${name}: this connector has no settings`);
}

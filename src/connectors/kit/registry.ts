import type { ConnectorFactory } from './types.ts';

/** Connectors by the name that an estate gives in `systems.<code>.connector`. The app fills it: rooms import no connector. */
export type ConnectorRegistry = ReadonlyMap<string, ConnectorFactory>;

import { sql } from '../store/index.ts';

export const readOwners = sql<{ name: string; settings: unknown }>(
  'master_read_owners',
  `select name, settings from declared_rule where name in ('owners', 'ownership')`,
);

import { sql } from '../store/index.ts';

export interface ApiKeyRow {
  key_id: string;
  name: string;
  scopes: string[];
  channel: string | null;
  created_at: Date;
  revoked_at: Date | null;
}

export const insertKey = sql(
  'api_insert_key',
  `insert into api_key (key_id, key_hash, name, scopes, channel)
   values ($1::text, $2::bytea, $3::text, $4::text[], $5::text)`,
);

export const findKey = sql<ApiKeyRow>(
  'api_find_key',
  `select key_id, name, scopes, channel, created_at, revoked_at from api_key
    where key_hash = $1::bytea and revoked_at is null`,
);

export const revokeKey = sql<{ key_id: string }>(
  'api_revoke_key',
  `update api_key set revoked_at = crossdock_now() where key_id = $1::text and revoked_at is null returning key_id`,
);

export const listKeys = sql<ApiKeyRow>(
  'api_list_keys',
  'select key_id, name, scopes, channel, created_at, revoked_at from api_key order by created_at, key_id limit 1000',
);

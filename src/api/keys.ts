/** API keys: shown once, kept as a hash, checked from memory for at most {@link CACHE_MS_MAX}. */
import { hash, randomBytes } from 'node:crypto';
import { fail } from '../canonical/index.ts';
import { type Database, texts } from '../store/index.ts';
import * as statements from './keys.sql.ts';

export const apiScopes = ['read', 'write', 'operate'] as const;
export type ApiScope = (typeof apiScopes)[number];

export interface ApiKey {
  keyId: string;
  name: string;
  scopes: readonly ApiScope[];
  /** The only channel this key may speak for; null: all. */
  channel: string | null;
}

/** A revoked key works at most this long in a process that has seen it. */
export const CACHE_MS_MAX = 5_000;
const CACHE_ENTRIES_MAX = 10_000;
const KEY_BYTES = 30;
const KEY_FORM = /^xd_[A-Za-z0-9_-]{32,200}$/;

export interface NewApiKey {
  name: string;
  scopes: readonly ApiScope[];
  channel?: string | null;
}

/**
 * Makes a key. Only its SHA-256 is stored: the key has 240 random bits, so there is nothing that a slow hash would protect.
 * @returns the key itself, for the only time
 */
export async function createApiKey(
  db: Database,
  { name, scopes, channel = null }: NewApiKey,
): Promise<{ keyId: string; key: string }> {
  for (const scope of scopes)
    if (!apiScopes.includes(scope))
      fail('XD_VALUE_INVALID', `scope must be one of ${apiScopes.join(', ')}, not ${scope}`, { place: 'scopes' });
  const key = `xd_${randomBytes(KEY_BYTES).toString('base64url')}`;
  const keyId = `k_${randomBytes(6).toString('hex')}`;
  await db.query(statements.insertKey, [keyId, hashOf(key), name, texts([...scopes]), channel]);
  return { keyId, key };
}

/** @returns whether there was such a key that still worked */
export async function revokeApiKey(db: Database, keyId: string): Promise<boolean> {
  return (await db.query(statements.revokeKey, [keyId])).length > 0;
}

export interface ApiKeyEntry extends ApiKey {
  createdAt: Date;
  revokedAt: Date | null;
}

export async function listApiKeys(db: Database): Promise<ApiKeyEntry[]> {
  return (await db.query(statements.listKeys)).map((row) => ({
    ...keyOf(row),
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }));
}

/** Finds keys, remembering what it found or didn't. Requests with the same key that come together share one query. */
export class KeyRing {
  readonly #db: Database;
  readonly #known = new Map<string, { key: ApiKey | undefined; untilMs: number }>();
  readonly #asking = new Map<string, Promise<ApiKey | undefined>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** What is known now, without a wait; null: it has to be asked. */
  peek(key: string): ApiKey | undefined | null {
    const entry = this.#known.get(key);
    return entry === undefined || entry.untilMs < performance.now() ? null : entry.key;
  }

  async find(key: string): Promise<ApiKey | undefined> {
    // What can't be a key never reaches the database.
    if (!KEY_FORM.test(key)) return undefined;
    const known = this.peek(key);
    if (known !== null) return known;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #ask(key: string): Promise<ApiKey | undefined> {
    const [row] = await this.#db.query(statements.findKey, [hashOf(key)]);
    const found = row === undefined ? undefined : keyOf(row);
    // Guesses must not fill the memory: they push out the oldest entries.
    if (this.#known.size >= CACHE_ENTRIES_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.delete(key);
    this.#known.set(key, { key: found, untilMs: performance.now() + CACHE_MS_MAX });
    return found;
  }
}

function hashOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

function keyOf(row: statements.ApiKeyRow): ApiKey {
  return { keyId: row.key_id, name: row.name, scopes: row.scopes as ApiScope[], channel: row.channel };
}

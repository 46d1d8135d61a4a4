import { hash } from 'node:crypto';

/**
 * A short digest over declared canonical fields. `mapping` names the mapping's version: when a mapping changes what it
 * reads, old and new fingerprints of one message must not be taken for a change of content.
 */
export function fingerprint(mapping: string, fields: unknown): string {
  return `${mapping}:${hash('sha256', JSON.stringify(fields), 'base64url').slice(0, 22)}`;
}

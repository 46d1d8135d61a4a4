import { hash } from 'node:crypto';

/**
 * A short digest over declared canonical fields. `mapping` is the mapping's name and, as the digits at its end, its version: when a
 * mapping changes what it reads, old and new fingerprints of one message must not be taken for a change of content.
 */
export function fingerprint(mapping: string, fields: unknown): string {
  return `${mapping}:${hash('sha256', JSON.stringify(fields), 'base64url').slice(0, 22)}`;
}

/**
 * Whether the content of a repeated key is another. What an earlier or later version of the same mapping read can't be compared: after
 * an upgrade every repeat would be a conflict, and feeds repeat. The first content stays either way.
 */
export function isOtherContent(first: string, repeat: string): boolean {
  if (first === repeat) return false;
  const [one, other] = [mappingOf(first), mappingOf(repeat)];
  return one.name !== other.name || one.version === other.version;
}

function mappingOf(fingerprint: string): { name: string; version: string } {
  const mapping = fingerprint.slice(0, Math.max(0, fingerprint.indexOf(':')));
  const name = mapping.replace(/\d+$/, '');
  return { name, version: mapping.slice(name.length) };
}

/** With what a kit is made of its number changes. */
import { readKitsOf } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { Dirt } from './plan.ts';

/** One look a page of facts, and none where no channel is told any number. */
export async function kitsDirty(tx: Tx, dirt: Map<string, Dirt>): Promise<void> {
  const parts = [...dirt.values()].filter(({ kind }) => kind === 'availability');
  if (parts.length === 0) return;
  const kitsOf = await readKitsOf(tx, [...new Set(parts.map(({ key }) => key))]);
  if (kitsOf.size === 0) return;
  for (const part of parts)
    for (const kit of kitsOf.get(part.key) ?? []) {
      const id = `${part.destinationId}/${part.kind}/${kit}`;
      if (!dirt.has(id)) dirt.set(id, { ...part, key: kit });
    }
}

/** Holds orders of which a line may not be ordered so, where the product's rule or the channel's says that a person looks. */
import type { Gate, OpenGate } from './gates.ts';
import type { SubmitCommand } from './types.ts';

const gate: Gate = {
  holdsMax: 1,
  judge: ({ lines }: SubmitCommand) => {
    const broken = lines.filter((line) => line.breaks !== undefined);
    if (broken.length === 0) return { ok: true, holds: [] };
    const named = broken
      .slice(0, NAMED_MAX)
      .map(({ lineNo, quantity, breaks }) => `line ${lineNo}: ${quantity}, ${breaks}`);
    if (broken.length > NAMED_MAX) named.push(`and ${broken.length - NAMED_MAX} more`);
    return { ok: true, holds: [{ kind: 'quantity', reason: broken[0]!.breaks!, detail: named.join('; ') }] };
  },
};
const NAMED_MAX = 5;

/** Opened only where a line breaks a rule: nobody else pays for it. */
export const openQuantityGate: OpenGate = async (_tx, _directory, works) =>
  works.some(({ command }) => command.kind === 'submit' && command.lines.some((line) => line.breaks !== undefined))
    ? gate
    : undefined;

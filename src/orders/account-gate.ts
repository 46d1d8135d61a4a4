/**
 * An order of an account on hold is held. A product that is discontinued is sold to nobody who asks; of one that is phased out what is left
 * is sold, and nobody waits for more. What a channel sold by itself is sold: there, what is not in stock is oversold, as ever.
 */
import { type Directory, readOrderStops } from '../master/index.ts';
import { ACCOUNT_ON_HOLD, accountHoldText } from './account-hold-text.ts';
import type { OpenGate } from './gates.ts';
import type { NewHold, SubmitCommand, Verdict } from './types.ts';

export const openAccountGate: OpenGate = async (tx, directory, works, more) => {
  const submits = works.flatMap(({ command }) => (command.kind === 'submit' ? [command] : []));
  if (submits.length === 0) return undefined;
  const stops = await readOrderStops(
    tx,
    submits.map(({ accountId }) => accountId),
    submits.flatMap(({ lines }) => lines.flatMap(({ skuId }) => [skuId, ...(more?.partsOf?.(skuId) ?? [])])),
  );
  if (stops === undefined) return undefined;
  await directory.loadAccountCodes([...stops.held].flatMap(([id, { holdAccountId }]) => [id, holdAccountId]));
  return {
    holdsMax: 1,
    judge: (submit, accepted): Verdict => {
      const asks = directory.channelById.get(submit.channelId)?.sellsByItself !== true;
      const parts = accepted.lines.filter((line) => line.setNo !== undefined);
      for (const { lineNo, skuId } of asks ? [...submit.lines, ...parts] : []) {
        const found = stops.ending.get(skuId);
        if (found === undefined) continue;
        if (found.lifecycle === 'discontinued')
          return {
            ...{ ok: false, refused: 'product_discontinued' },
            detail: `line ${lineNo}: ${found.sku} is discontinued, and no order takes it any more`,
          };
        const { backordered, quantity } = accepted.lines.find((line) => line.lineNo === lineNo)!;
        const due = accepted.commitments
          .filter((one) => one.lineNo === lineNo)
          .reduce((sum, one) => sum + one.quantity, 0);
        if (backordered > due)
          return {
            ...{ ok: false, refused: 'product_phase_out' },
            detail: `line ${lineNo}: ${quantity} of ${found.sku} asked, ${quantity - backordered + due} left; it is phased out, and nothing waits for more`,
          };
      }
      return { ok: true, holds: holdsOf(directory, submit, stops.held.get(submit.accountId)) };
    },
  };
};

function holdsOf(
  directory: Directory,
  { accountId }: SubmitCommand,
  terms: { holdReason: string; holdAccountId: number } | undefined,
): NewHold[] {
  if (terms === undefined) return [];
  const detail = accountHoldText(directory, accountId, terms);
  return [{ kind: 'account', reason: ACCOUNT_ON_HOLD, detail }];
}

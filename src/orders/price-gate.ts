/**
 * Holds, reprices or takes an order whose price is not the one decided here, as its channel says. Prices are read in the order's own
 * transaction, with one statement a batch, and only where a channel looks: all others pay nothing.
 */
import type { Directory } from '../master/index.ts';
import {
  dayIn,
  differenceOf,
  differencesText,
  type PriceDifference,
  type PriceQuestion,
  readPrices,
} from '../pricing/index.ts';
import type { OpenGate } from './gates.ts';
import type { PriceCheck } from './price-check.ts';
import type { NewHold, SubmitCommand } from './types.ts';

export const openPriceGate: OpenGate = async (tx, directory, works) => {
  const checked = works.flatMap(({ command }) =>
    command.kind === 'submit' && (directory.channelById.get(command.channelId)?.prices.check ?? 'off') !== 'off'
      ? [command]
      : [],
  );
  if (checked.length === 0) return undefined;
  const questions = checked.flatMap((submit) => questionsOf(directory, submit));
  const decisions = await readPrices(tx, directory, questions);
  const found = new Map<number, PriceDifference[]>();
  let at = 0;
  for (const submit of checked) {
    const { prices } = directory.channelById.get(submit.channelId)!;
    const differing = submit.lines.flatMap(
      (line) => differenceOf(line, submit.currency, decisions[at++]!, prices) ?? [],
    );
    if (differing.length > 0) found.set(submit.orderId, differing);
  }
  await directory.loadSkuCodes([...found.values()].flatMap((lines) => lines.map(({ skuId }) => skuId)));
  return {
    holdsMax: 1,
    adjust: (submit) => {
      const differing = found.get(submit.orderId);
      return differing === undefined ? submit : withChecks(directory, submit, differing);
    },
    judge: (submit, accepted) => {
      const differing = found.get(submit.orderId);
      if (differing === undefined) return { ok: true, holds: [] };
      // What is refused of an order costs nothing. A line that others stand for is delivered by them, at its price.
      const live = new Set(
        accepted.lines
          .filter(
            (line) => line.priceCheck?.outcome === 'held' && line.refused - (line.substituted ?? 0) < line.quantity,
          )
          .map(({ lineNo }) => lineNo),
      );
      const held = differing.filter(({ lineNo }) => live.has(lineNo));
      return { ok: true, holds: held.length === 0 ? [] : [holdOf(directory, held, submit.currency)] };
    },
  };
};

/** As of the day on which it was ordered, where the company is. */
function questionsOf(directory: Directory, submit: SubmitCommand): PriceQuestion[] {
  const { companyId, accountId, channelId, currency } = submit;
  const day = dayIn(directory.companyById.get(companyId)!.timeZone, submit.orderedAt);
  return submit.lines.map(({ skuId, quantity }) => ({
    ...{ companyId, accountId, channelId, skuId, quantity, day, currency },
  }));
}

function withChecks(directory: Directory, submit: SubmitCommand, differing: readonly PriceDifference[]): SubmitCommand {
  const channel = directory.channelById.get(submit.channelId)!;
  const byLine = new Map(differing.map((difference) => [difference.lineNo, difference]));
  const outcomeOf = ({ decided }: PriceDifference): PriceCheck['outcome'] => {
    if (decided === null || channel.prices.check === 'hold') return 'held';
    if (channel.prices.check === 'accept') return 'accepted';
    // Who bought of a channel that sells by itself has paid.
    return channel.sellsByItself ? 'held' : 'repriced';
  };
  return {
    ...submit,
    lines: submit.lines.map((line) => {
      const difference = byLine.get(line.lineNo);
      if (difference === undefined) return line;
      const { askedPrice, askedPer, decided, source, name } = difference;
      const outcome = outcomeOf(difference);
      const priceCheck: PriceCheck = {
        ...{ outcome, askedPrice, askedPer },
        ...{ decidedPrice: decided?.unitPrice ?? null, decidedPer: decided?.pricePer ?? null, source, name },
      };
      if (outcome !== 'repriced') return { ...line, priceCheck };
      const { pricePer: _, ...rest } = line;
      const { unitPrice, pricePer } = decided!;
      return { ...rest, unitPrice, ...(pricePer !== 1 && { pricePer }), priceCheck };
    }),
  };
}

function holdOf(directory: Directory, held: readonly PriceDifference[], currency: string): NewHold {
  return {
    kind: 'price',
    reason: held.some(({ decided }) => decided !== null) ? 'price_differs' : 'no_price',
    detail: differencesText(held, (skuId) => directory.skuCode(skuId), currency),
  };
}

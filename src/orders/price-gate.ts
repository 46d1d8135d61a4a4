/**
 * Holds, reprices or takes an order whose price is not the one decided here, as its channel says; the same of units that a change adds. Prices
 * are read in the order's own transaction, with one statement a batch, and only where a channel looks: all others pay nothing.
 */
import type { Directory } from '../master/index.ts';
import {
  dayIn,
  differenceOf,
  differencesText,
  type PriceDecision,
  type PriceDifference,
  type PriceQuestion,
  readPrices,
  readTiers,
} from '../pricing/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import type { OpenGate, Releasing } from './gates.ts';
import type { PriceCheck } from './price-check.ts';
import { readChangedLines } from './price-differences.sql.ts';
import { readReprices, repriced } from './price-release.ts';
import type { NewHold, Order, OrderCommand, OrderEvent, OrderHold, SubmitCommand } from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;
type Works = readonly { command: OrderCommand; occurredAt?: string }[];

export const openPriceGate: OpenGate = async (tx, directory, works, { orderIds = [] } = {}) => {
  const checks = (channelId: number) => (directory.channelById.get(channelId)?.prices.check ?? 'off') !== 'off';
  const checked = works.flatMap(({ command }) =>
    command.kind === 'submit' && checks(command.channelId) ? [command] : [],
  );
  const repricing = works.flatMap(({ command }) =>
    command.kind === 'release_hold' && command.reprice === true ? [command.holdId] : [],
  );
  const added = await openAdded(tx, directory, works, orderIds, checks);
  if (checked.length === 0 && repricing.length === 0 && added === undefined) return undefined;
  const found = await differingOf(tx, directory, checked);
  const reprices = repricing.length === 0 ? undefined : await readReprices(tx, directory, repricing);
  const holdsOf = (accepted: Accepted, differing: readonly PriceDifference[] | undefined, nameOf?: () => string) => {
    if (differing === undefined) return { ok: true, holds: [] } as const;
    // What is refused of an order costs nothing. A line that others stand for is delivered by them, at its price.
    const live = new Set(
      accepted.lines
        .filter((line) => line.priceCheck?.outcome === 'held' && line.refused - (line.substituted ?? 0) < line.quantity)
        .map(({ lineNo }) => lineNo),
    );
    const held = differing.filter(({ lineNo }) => live.has(lineNo));
    return {
      ok: true,
      holds: held.length === 0 ? [] : [holdOf(directory, held, accepted.currency, nameOf)],
    } as const;
  };
  return {
    holdsMax: 1,
    adjust: (submit) => {
      const differing = found.get(submit.orderId);
      return differing === undefined ? submit : withChecks(directory, submit, differing);
    },
    judge: (submit, accepted) => holdsOf(accepted, found.get(submit.orderId)),
    ...(added !== undefined && {
      adjustAdded: (order: Order, submit: SubmitCommand) => added.adjust(order, submit),
      // They get their numbers later.
      judgeAdded: (order: Order, accepted: Accepted) => holdsOf(accepted, added.of(order), () => 'added'),
    }),
    ...(reprices !== undefined && {
      release: (order: Order, hold: OrderHold, { reprice }: Releasing) =>
        reprice
          ? repriced(
              order,
              hold,
              reprices.get(hold.holdId) ?? [],
              directory.channelById.get(order.channelId)?.sellsByItself === true,
            )
          : { ok: true as const },
    }),
  };
};

async function differingOf(
  tx: Tx,
  directory: Directory,
  checked: readonly SubmitCommand[],
): Promise<Map<number, PriceDifference[]>> {
  const decisions = await readPrices(
    tx,
    directory,
    checked.flatMap((submit) => questionsOf(directory, submit)),
  );
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
  return found;
}

/** What is added is decided as an order of the day of the change would be, by the units that are added. How many those are is known once the order is locked. */
async function openAdded(
  tx: Tx,
  directory: Directory,
  works: Works,
  orderIds: readonly (number | null)[],
  checks: (channelId: number) => boolean,
): Promise<AddedPrices | undefined> {
  const channelIds = [...directory.channelById.keys()].filter(checks);
  const changes = works.flatMap(({ command, occurredAt }, i) =>
    command.kind === 'change' && typeof orderIds[i] === 'number'
      ? [{ orderId: orderIds[i], command, occurredAt: occurredAt! }]
      : [],
  );
  if (changes.length === 0 || channelIds.length === 0) return undefined;
  const ids = numbers([...new Set(changes.map(({ orderId }) => orderId))]);
  const rows = new Map(
    (await tx.query(readChangedLines, [ids, numbers(channelIds)])).map((row) => [row.order_id, row]),
  );
  const questions: Omit<PriceQuestion, 'quantity'>[] = [];
  const places = new Map<string, number>();
  for (const { orderId, command, occurredAt } of changes) {
    const row = rows.get(orderId);
    if (row === undefined) continue;
    const day = dayIn(directory.companyById.get(row.company_id)!.timeZone, occurredAt);
    for (const skuId of [...row.sku_ids, ...command.lines.flatMap((line) => line.skuId ?? [])]) {
      // Of two changes in one moment the later one's day.
      places.set(`${orderId}/${skuId}`, questions.length);
      questions.push({
        ...{ companyId: row.company_id, accountId: row.account_id, channelId: row.channel_id },
        ...{ skuId, day, currency: row.currency },
      });
    }
  }
  if (questions.length === 0) return undefined;
  await directory.loadSkuCodes(questions.map(({ skuId }) => skuId));
  const decide = await readTiers(tx, directory, questions);
  return new AddedPrices(directory, (orderId, skuId, quantity) => {
    const at = places.get(`${orderId}/${skuId}`);
    return at === undefined ? undefined : decide(at, quantity);
  });
}

class AddedPrices {
  readonly #directory: Directory;
  readonly #decide: (orderId: number, skuId: number, quantity: number) => PriceDecision | undefined;
  #last: { order: Order; differing: PriceDifference[] } | undefined;

  constructor(
    directory: Directory,
    decide: (orderId: number, skuId: number, quantity: number) => PriceDecision | undefined,
  ) {
    this.#directory = directory;
    this.#decide = decide;
  }

  adjust(order: Order, submit: SubmitCommand): SubmitCommand {
    const { prices } = this.#directory.channelById.get(submit.channelId)!;
    const differing = submit.lines.flatMap((line) => {
      const decision = this.#decide(order.orderId, line.skuId, line.quantity);
      return decision === undefined ? [] : (differenceOf(line, submit.currency, decision, prices) ?? []);
    });
    this.#last = { order, differing };
    return differing.length === 0 ? submit : withChecks(this.#directory, submit, differing);
  }

  of(order: Order): readonly PriceDifference[] | undefined {
    return this.#last?.order === order ? this.#last.differing : undefined;
  }
}

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

function holdOf(
  directory: Directory,
  held: readonly PriceDifference[],
  currency: string,
  nameOf?: (lineNo: number) => string,
): NewHold {
  return {
    kind: 'price',
    reason: held.some(({ decided }) => decided !== null) ? 'price_differs' : 'no_price',
    detail: differencesText(held, (skuId) => directory.skuCode(skuId), currency, nameOf),
  };
}

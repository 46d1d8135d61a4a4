/**
 * What an order would be promised if it came now, without taking anything: the same decision over the same stock and supply, only that
 * nothing is locked and nothing is written.
 */
import { Commitments, type Pair, QuotaBook, StockSession } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type PromisePart, promiseComplete, promiseOf } from '../promise/index.ts';
import { databaseNow, type Ids, type Queryable } from '../store/index.ts';
import { decide } from './decide.ts';
import { OrderKits } from './kits.ts';
import { backorderedUnits } from './process.ts';
import { promisedSets } from './promise-sets.ts';
import { promiseTime, sourcesOf } from './promise-sources.ts';
import { offersWithin, sellsFromOf, suppliesWithin } from './quota-counts.ts';
import { sourcedFor, splitRuleOf } from './sourcing.ts';
import { offersOf } from './stock-effects.ts';
import type { OrderTerms } from './types.ts';

export interface PromiseQuestion {
  channel: ChannelEntry;
  lines: readonly { skuId: number; quantity: number }[];
  terms?: OrderTerms;
  /** Who asks; absent: anybody. An account with a quota of its own may get more. */
  accountId?: number;
}

export interface PromiseAnswer {
  asOf: Date;
  /** In the order of the question. */
  lines: { skuId: number; quantity: number; refused: number; parts: PromisePart[] }[];
}

export async function checkPromise(
  db: Queryable,
  deps: { ids: Ids; directory: Directory },
  { channel, lines, terms, accountId }: PromiseQuestion,
): Promise<PromiseAnswer> {
  const { directory } = deps;
  const skuIds = [...new Set(lines.map(({ skuId }) => skuId))];
  const kits = await OrderKits.ofSkus(db, skuIds);
  const parts = [...new Set(skuIds.flatMap((skuId) => kits.skuIdsOf(skuId)))];
  const pairs = parts.flatMap((skuId) => channel.locationIds.map((locationId): Pair => [skuId, locationId]));
  const isDated = !channel.sellsByItself && channel.horizonDays > 0;
  const [stock, commitments, asOf, quotas] = await Promise.all([
    StockSession.view(db, deps.ids, pairs, channel.sellsByItself ? [channel.channelId] : []),
    Commitments.view(db, isDated ? parts : [], (of) => backorderedUnits(db, of)),
    databaseNow(db),
    QuotaBook.view(db, directory, parts, { accountIds: accountId === undefined ? [] : [accountId] }),
  ]);
  const sellsFrom = sellsFromOf(directory);
  const sourced = sourcedFor(directory, channel, terms?.shipTo);
  let id = 0;
  const take = () => ++id;
  const decision = decide(
    undefined,
    {
      ...{
        kind: 'submit',
        orderId: 0,
        companyId: channel.companyId,
        channelId: channel.channelId,
        accountId: accountId ?? 0,
      },
      ...{ externalNo: '', currency: '', orderedAt: asOf.toISOString() },
      lines: lines.map(({ skuId, quantity }, i) => ({
        ...{ lineNo: i + 1, skuId, quantity, unitPrice: '0', within: channel.sellsByItself ? null : 0 },
      })),
      ...(terms !== undefined && { terms }),
    },
    {
      split: splitRuleOf(channel),
      offers: (skuId) => {
        const offered = offersOf(stock, sourced, skuId, []);
        const room = quotas.roomOfChannel(skuId, channel, accountId);
        if (room === undefined) return offered;
        return offersWithin(room, sellsFrom, offered, (locationId) => stock.free(skuId, locationId), []);
      },
      kept: () => 0,
      supplies: (skuId) => {
        const room = quotas.roomOfChannel(skuId, channel, accountId);
        const supplies = commitments.offers(channel, skuId);
        if (room === undefined) return supplies;
        const places = sourced.locationIds.map((id) => ({ locationId: id, units: stock.free(skuId, id) }));
        return suppliesWithin(room, sellsFrom, supplies, places);
      },
      supplyLeft: () => 0,
      promisedOf: () => 0,
      onShort: channel.onShort,
      substitutes: () => [],
      ...(!kits.isEmpty && {
        kit: kits.of({ companyId: channel.companyId, currency: '' }),
        kitsFromOwn: channel.sellsByItself && channel.sharedRisk,
      }),
      // A question is no order: nobody is asked whether it may go on.
      judge: () => ({ ok: true, holds: [] }),
      judgeRelease: () => ({ ok: true }),
      holdTerms: () => ({ owner: '', dueMinutes: null }),
      takeHoldId: take,
      takesChanges: true,
      onShortPick: channel.onShortPick,
      ...{ takeExceptionId: take, takeAllocationId: take, takeFulfilmentId: take, takeReturnId: take },
    },
  );
  const accepted = decision.ok ? decision.events[0] : undefined;
  if (accepted?.type !== 'order.accepted') throw new Error('a question was refused');
  const time = promiseTime(directory, asOf.getTime(), terms);
  const sources = sourcesOf(accepted);
  const perLine = accepted.lines.map(({ lineNo }) => sources.get(lineNo) ?? []);
  const promised =
    terms?.shipComplete === true ? promiseComplete(perLine, time) : perLine.map((ofLine) => promiseOf(ofLine, time));
  return {
    asOf,
    lines: accepted.lines.flatMap(({ lineNo, skuId, quantity, refused, substituted, standsFor }, i) => {
      if (standsFor !== undefined) return [];
      if (substituted === undefined) return [{ skuId, quantity, refused, parts: promised[i]! }];
      const set = accepted.lines.flatMap((part, at) =>
        part.standsFor === lineNo ? [{ perUnit: part.perUnit ?? 1, parts: promised[at]! }] : [],
      );
      return [{ skuId, quantity, refused: refused - substituted, parts: promisedSets(set) }];
    }),
  };
}

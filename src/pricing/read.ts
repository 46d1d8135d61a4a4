/** Decides many prices with one statement: what may have each of them is read as a set. */
import { type AccountTerms, type Directory, readAccountTerms } from '../master/index.ts';
import { numbers, type Queryable, texts } from '../store/index.ts';
import { decidePrice } from './decide.ts';
import { type CandidateRow, readCandidates } from './read.sql.ts';
import type { Asked, Candidate, PriceDecision, PriceRow, PriceSource } from './types.ts';

export interface PriceQuestion extends Asked {
  companyId: number;
  /** null: nobody's in particular. */
  accountId: number | null;
  /** null: no channel's list counts. */
  channelId: number | null;
  skuId: number;
  /** Only this list is asked, whatever the account and the channel have. */
  list?: string | undefined;
}

export const BASE_LIST = 'base';

/** A list or contract that a question may be answered by, and where its rows are. */
interface Place {
  source: PriceSource;
  name: string;
  distance: number;
  accountId: number | null;
  at: number;
}

/** @returns one decision a question, in order */
export async function readPrices(
  db: Queryable,
  directory: Pick<Directory, 'channelById'>,
  questions: readonly PriceQuestion[],
): Promise<PriceDecision[]> {
  if (questions.length === 0) return [];
  const decide = await readTiers(db, directory, questions);
  return questions.map(({ quantity }, at) => decide(at, quantity));
}

/** As {@link readPrices}, where the quantity is known later. @returns what decides the question at a place */
export async function readTiers(
  db: Queryable,
  directory: Pick<Directory, 'channelById'>,
  questions: readonly Omit<PriceQuestion, 'quantity'>[],
): Promise<(at: number, quantity: number) => PriceDecision> {
  const accountIds = new Set(questions.flatMap(({ accountId }) => (accountId === null ? [] : [accountId])));
  const terms = await readAccountTerms(db, accountIds);
  const contracts = new Wanted<[accountId: number, skuId: number, day: string]>();
  const lists = new Wanted<[companyId: number, skuId: number, list: string, currency: string, day: string]>();
  const places = questions.map((question) => placesOf(question, terms, directory, contracts, lists));
  const rows = await db.query(readCandidates, [
    numbers(contracts.keys.map(([accountId]) => accountId)),
    numbers(contracts.keys.map(([, skuId]) => skuId)),
    texts(contracts.keys.map(([, , day]) => day)),
    numbers(lists.keys.map(([companyId]) => companyId)),
    numbers(lists.keys.map(([, skuId]) => skuId)),
    texts(lists.keys.map(([, , list]) => list)),
    texts(lists.keys.map(([, , , currency]) => currency)),
    texts(lists.keys.map(([, , , , day]) => day)),
  ]);
  const byKind = {
    contract: Map.groupBy(
      rows.filter(({ kind }) => kind === 'contract'),
      ({ at }) => at,
    ),
    list: Map.groupBy(
      rows.filter(({ kind }) => kind === 'list'),
      ({ at }) => at,
    ),
  };
  return (at, quantity) =>
    decidePrice(
      { ...questions[at]!, quantity },
      places[at]!.flatMap((place) => candidatesOf(place, byKind)),
    );
}

/** Each key once, by the place at which it was asked for first. */
class Wanted<K extends readonly (number | string)[]> {
  readonly keys: K[] = [];
  readonly #places = new Map<string, number>();

  at(...key: K): number {
    const text = key.join('/');
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.keys.push(key) - 1;
      this.#places.set(text, place);
    }
    return place;
  }
}

function placesOf(
  { companyId, accountId, channelId, skuId, day, currency, list: only }: Omit<PriceQuestion, 'quantity'>,
  terms: ReadonlyMap<number, AccountTerms>,
  { channelById }: Pick<Directory, 'channelById'>,
  contracts: Wanted<[number, number, string]>,
  lists: Wanted<[number, number, string, string, string]>,
): Place[] {
  const places: Place[] = [];
  const own = accountId === null || only !== undefined ? undefined : terms.get(accountId);
  own?.path.forEach((id, distance) => {
    places.push({ source: 'contract', name: '', distance, accountId: id, at: contracts.at(id, skuId, day) });
  });
  // A list that stands in two places counts where it is strongest.
  const seen = new Set<string>();
  const list = (source: PriceSource, name: string | null | undefined): void => {
    if (name === null || name === undefined || seen.has(name)) return;
    seen.add(name);
    places.push({ source, name, distance: 0, accountId: null, at: lists.at(companyId, skuId, name, currency, day) });
  };
  if (only !== undefined) {
    list(only === BASE_LIST ? 'base' : 'channel_list', only);
    return places;
  }
  list('account_list', own?.priceList);
  list('channel_list', channelId === null ? null : channelById.get(channelId)?.prices.list);
  list('base', BASE_LIST);
  return places;
}

function candidatesOf(
  { source, name, distance, accountId, at }: Place,
  rows: Record<'contract' | 'list', ReadonlyMap<number, CandidateRow[]>>,
): Candidate[] {
  if (source !== 'contract') {
    const found = (rows.list.get(at) ?? []).flatMap(rowOf);
    return [{ source, name, distance, accountId, contract: null, rows: found }];
  }
  const contracts = Map.groupBy(rows.contract.get(at) ?? [], (row) => row.contract_id!);
  return [...contracts.values()].map((found) => {
    const { code, contract_currency, contract_from, contract_to } = found[0]!;
    return {
      ...{ source, name: code!, distance, accountId },
      contract: { currency: contract_currency!, validFrom: contract_from!, validTo: contract_to! },
      rows: found.flatMap(rowOf),
    };
  });
}

function rowOf(row: CandidateRow): PriceRow[] {
  if (row.quantity_min === null) return [];
  return [
    {
      currency: row.currency!,
      quantityMin: row.quantity_min,
      unitPrice: row.unit_price!,
      pricePer: row.price_per!,
      validFrom: row.valid_from!,
      validTo: row.valid_to!,
      whole: row.whole!,
    },
  ];
}

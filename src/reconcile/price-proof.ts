/**
 * Proves prices: a sample of account × SKU × quantity × day, decided here and asked everywhere else. It changes nothing, and what it could
 * not look at is part of what it says.
 */
import { amountMinor, CrossdockError } from '../canonical/index.ts';
import type { Connector, QuoteDesk } from '../connectors/kit/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { dayIn, type PriceDecision, type PriceQuestion, readPrices } from '../pricing/index.ts';
import { type Database, databaseNow, numbers } from '../store/index.ts';
import { compareAmounts, comparePrices, type FoundPrice, type PriceFinding, type Tolerance } from './price-findings.ts';
import * as statements from './price-proof.sql.ts';

/** Lines are drawn from so many of the newest orders. */
const ORDERS_LOOKED_AT_MAX = 20_000;
export const PRICE_SAMPLE_MAX = 10_000;

export interface ProofOptions extends Tolerance {
  /** How many prices, and how many lines of orders. */
  sample: number;
  /** The same seed over the same data draws the same sample. */
  seed: number;
  accountId?: number | undefined;
  skuId?: number | undefined;
  signal: AbortSignal;
}

export interface PriceProof {
  sample: { prices: number; lines: number; seed: number };
  /** By system, `orders` and `invoices`: how many prices were compared there. */
  compared: Record<string, { compared: number; differences: number }>;
  differences: PriceFinding[];
  /** Where it could not look, and why. */
  notLookedAt: { where: string; why: string }[];
}

/** @param systems connectors by the code of their system; those that are asked nothing are told of */
export async function provePrices(
  db: Database,
  directory: Directory,
  systems: ReadonlyMap<string, Pick<Connector, 'quotes' | 'prices'>>,
  options: ProofOptions,
): Promise<PriceProof> {
  const { sample, seed } = options;
  const [accountId, skuId] = [options.accountId ?? null, options.skuId ?? null];
  const now = await databaseNow(db);
  const lines = await db.query(statements.sampleLines, [accountId, skuId, seed, sample, ORDERS_LOOKED_AT_MAX]);
  const drawn = await drawPrices(db, directory, options, now);
  const asked = [...drawn, ...lines.map((line) => questionOf(directory, line))];
  const decisions = await readPrices(db, directory, asked);
  await directory.loadSkuCodes(asked.map((question) => question.skuId));
  await directory.loadAccountCodes(asked.flatMap((question) => question.accountId ?? []));
  const proof: PriceProof = {
    sample: { prices: drawn.length, lines: lines.length, seed },
    compared: {},
    differences: [],
    notLookedAt: [],
  };
  compareLines(proof, directory, lines, asked.slice(drawn.length), decisions.slice(drawn.length), options);
  for (const [code, connector] of systems)
    await askSystem(proof, db, directory, code, connector, asked, decisions, options, now);
  proof.differences.sort((a, b) => Math.abs(b.differenceMinor ?? 0) - Math.abs(a.differenceMinor ?? 0));
  return proof;
}

/** Prices of lists are asked for by accounts drawn beside them, of the same company. */
async function drawPrices(
  db: Database,
  directory: Directory,
  { sample, seed, accountId: ofAccount, skuId: ofSku }: ProofOptions,
  now: Date,
): Promise<PriceQuestion[]> {
  const [accountId, skuId] = [ofAccount ?? null, ofSku ?? null];
  const prices = await db.query(statements.samplePrices, [accountId, skuId, seed, sample]);
  const accounts = await db.query(statements.sampleAccounts, [accountId, seed, sample]);
  const byCompany = Map.groupBy(accounts, ({ company_id: companyId }) => companyId);
  return prices.map((price, i) => {
    const { company_id: companyId, sku_id, quantity_min: quantity } = price;
    const { currency, timeZone } = directory.companyById.get(companyId)!;
    const known = byCompany.get(companyId) ?? [];
    const owner = price.account_id ?? known[i % Math.max(1, known.length)]?.account_id ?? null;
    return {
      ...{ companyId, accountId: owner, channelId: null, skuId: sku_id, quantity },
      ...{ day: dayIn(timeZone, now), currency },
    };
  });
}

function questionOf(directory: Directory, line: statements.SampledLine): PriceQuestion {
  const {
    company_id: companyId,
    account_id: accountId,
    channel_id: channelId,
    sku_id: skuId,
    quantity,
    currency,
  } = line;
  const day = dayIn(directory.companyById.get(companyId)!.timeZone, line.ordered_at);
  return { companyId, accountId, channelId, skuId, quantity, day, currency };
}

function add(
  proof: PriceProof,
  directory: Directory,
  where: string,
  { accountId, skuId, quantity, day }: Pick<PriceQuestion, 'accountId' | 'skuId' | 'quantity' | 'day'>,
  found: ReturnType<typeof comparePrices>,
  more: { line?: string; note?: string | null } = {},
): void {
  const count = proof.compared[where] ?? { compared: 0, differences: 0 };
  proof.compared[where] = count;
  count.compared++;
  if (found === undefined) return;
  count.differences++;
  proof.differences.push({
    where,
    ...found,
    account: accountId === null ? null : directory.accountCode(accountId),
    ...{ sku: directory.skuCode(skuId), quantity, date: day },
    line: more.line ?? null,
    note: more.note ?? null,
  });
}

/** Orders' agreed prices, and what was invoiced of their lines. */
function compareLines(
  proof: PriceProof,
  directory: Directory,
  lines: readonly statements.SampledLine[],
  questions: readonly PriceQuestion[],
  decisions: readonly PriceDecision[],
  tolerance: Tolerance,
): void {
  proof.compared.orders = { compared: 0, differences: 0 };
  proof.compared.invoices = { compared: 0, differences: 0 };
  lines.forEach((line, i) => {
    const question = questions[i]!;
    const { price } = decisions[i]!;
    const { currency, quantity, refused, invoiced } = line;
    const channel = directory.channelById.get(line.channel_id)?.code ?? '?';
    const named = { line: `${channel}/${line.external_no} ${line.line_no}`, note: line.outcome };
    const agreed: FoundPrice = { unitPrice: line.unit_price, pricePer: line.price_per, currency };
    add(proof, directory, 'orders', question, comparePrices(quantity, price, agreed, tolerance), named);
    if (invoiced === 0) return;
    // As amounts of parts are counted: what is left of the line is taken off the whole.
    const amountOf = (units: number) =>
      price === null ? 0 : amountMinor(price.unitPrice, units, currency, price.pricePer);
    const accepted = quantity - refused;
    const expected = price === null ? null : amountOf(accepted) - amountOf(accepted - invoiced);
    const found = compareAmounts(price, expected, line.invoiced_minor, tolerance);
    add(proof, directory, 'invoices', { ...question, quantity: invoiced }, found, named);
  });
}

async function askSystem(
  proof: PriceProof,
  db: Database,
  directory: Directory,
  code: string,
  { quotes, prices }: Pick<Connector, 'quotes' | 'prices'>,
  asked: readonly PriceQuestion[],
  decisions: readonly PriceDecision[],
  options: ProofOptions,
  now: Date,
): Promise<void> {
  const seller = directory.selfSelling.find((channel) => channel.system === code);
  try {
    if (quotes?.asks === 'account') {
      const open = asked.map((question, i) => ({ question, decision: decisions[i]! }));
      await compareQuotes(proof, directory, code, quotes, open, options);
    } else if (seller !== undefined && (quotes !== undefined || prices !== undefined)) {
      const open = await everybodys(db, directory, seller, asked, now);
      if (quotes !== undefined) await compareQuotes(proof, directory, code, quotes, open, options);
      else await compareShown(proof, db, directory, code, prices!, open, options);
    } else proof.notLookedAt.push({ where: code, why: 'its connector can not be asked for prices' });
  } catch (error) {
    if (options.signal.aborted) throw error;
    const why = error instanceof CrossdockError ? `${error.code}: ${error.message}` : String(error);
    proof.notLookedAt.push({ where: code, why });
  }
}

interface Open {
  question: PriceQuestion;
  decision: PriceDecision;
}

/** What a channel that sells by itself shows: one price a SKU, of one unit, today. */
async function everybodys(
  db: Database,
  directory: Directory,
  { companyId, channelId }: ChannelEntry,
  asked: readonly PriceQuestion[],
  now: Date,
): Promise<Open[]> {
  const { currency, timeZone } = directory.companyById.get(companyId)!;
  const skuIds = [...new Set(asked.flatMap((one) => (one.companyId === companyId ? [one.skuId] : [])))];
  const day = dayIn(timeZone, now);
  const questions = skuIds.map(
    (skuId): PriceQuestion => ({ companyId, accountId: null, channelId, skuId, quantity: 1, day, currency }),
  );
  const decisions = await readPrices(db, directory, questions);
  return questions.map((question, i) => ({ question, decision: decisions[i]! }));
}

async function compareQuotes(
  proof: PriceProof,
  directory: Directory,
  code: string,
  quotes: QuoteDesk,
  open: readonly Open[],
  options: ProofOptions,
): Promise<void> {
  const seen = new Map(open.map((one) => [keyOf(one.question), one]));
  const each = [...seen.values()];
  proof.compared[code] ??= { compared: 0, differences: 0 };
  for (let from = 0; from < each.length; from += quotes.batchMax) {
    const part = each.slice(from, from + quotes.batchMax);
    const items = part.map(({ question: { accountId, skuId, quantity, day, currency } }) => ({
      account: accountId === null ? null : directory.accountCode(accountId),
      ...{ sku: directory.skuCode(skuId), quantity, day, currency },
    }));
    const found = await quotes.ask(items, options.signal);
    part.forEach(({ question, decision }, i) => {
      const quote = found[i] ?? null;
      // Nobody quoted it: there is nothing to compare.
      if (quote === null && !quotes.isWhole) return;
      add(proof, directory, code, question, comparePrices(question.quantity, decision.price, quote, options));
    });
  }
}

const keyOf = ({ accountId, skuId, quantity, day, channelId }: PriceQuestion) =>
  `${accountId}/${skuId}/${quantity}/${day}/${channelId}`;

/** Of a system that does not say what it shows: whether it shows the state that it should, or was told all of it. */
async function compareShown(
  proof: PriceProof,
  db: Database,
  directory: Directory,
  code: string,
  sink: NonNullable<Connector['prices']>,
  open: readonly Open[],
  options: ProofOptions,
): Promise<void> {
  const priced = open.filter(({ decision }) => decision.price !== null);
  const waiting = new Map(
    (await db.query(statements.findUnconfirmed, [code, numbers(priced.map(({ question }) => question.skuId))])).map(
      (row) => [row.key, row.error ?? 'not told yet'],
    ),
  );
  proof.compared[code] ??= { compared: 0, differences: 0 };
  if (sink.holds === undefined)
    proof.notLookedAt.push({
      where: code,
      why: 'it says which version it holds, not which price: only what was told is compared',
    });
  for (let from = 0; from < priced.length; from += sink.batchMax) {
    const part = priced.slice(from, from + sink.batchMax);
    const items = part.map(({ question, decision }) => ({
      key: directory.skuCode(question.skuId),
      ...{ version: 1, base: 0 },
      state: { unitPrice: decision.price!.unitPrice, currency: decision.price!.currency },
    }));
    const held = await sink.holds?.(items, options.signal);
    part.forEach(({ question, decision }, i) => {
      const note = waiting.get(question.skuId) ?? null;
      const isShown = held === undefined ? note === null : held.has(items[i]!.key);
      const missing = comparePrices(1, decision.price, null, options)!;
      add(proof, directory, code, question, isShown ? undefined : { ...missing, kind: 'not_confirmed' }, { note });
    });
  }
}

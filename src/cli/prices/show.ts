/** What `crossdock prices show` does: one price, and why. */
import { decimalOf, fail } from '../../canonical/index.ts';
import { dayIn, lookText, type PriceQuestion, readPrices, type ToldPrice, tellPrices } from '../../pricing/index.ts';
import { databaseNow } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import type { ShowOptions } from '../prices.ts';

export interface ShownPrice extends ToldPrice {
  company: string;
  /** Who asks. */
  for: string;
  channel: string | null;
  date: string;
}

export async function show(opened: Opened, account: string, sku: string, options: ShowOptions): Promise<ShownPrice> {
  const { db, directory } = opened;
  const { quantity, channel: channelCode } = options;
  const channel = channelCode === undefined ? undefined : directory.channels.get(channelCode);
  if (channelCode !== undefined && channel === undefined)
    fail('XD_UNKNOWN_CHANNEL', `no channel ${channelCode}`, { place: 'channel' });
  const code = options.company ?? (channel && directory.companyById.get(channel.companyId)!.code);
  const { company, accountId } = await findOwner(opened, account, code);
  await directory.loadSkus([sku.toUpperCase()]);
  const skuId = directory.findSkuId(sku.toUpperCase()) ?? fail('XD_UNKNOWN_SKU', `no SKU ${sku}`, { place: 'sku' });
  const { companyId } = company;
  const question: PriceQuestion = {
    ...{ companyId, skuId, quantity, channelId: channel?.channelId ?? null },
    accountId,
    day: options.date ?? dayIn(company.timeZone, await databaseNow(db)),
    currency: options.currency ?? company.currency,
  };
  const [told] = await tellPrices(directory, [question], await readPrices(db, directory, [question]));
  return { company: company.code, for: account, channel: channelCode ?? null, date: question.day, ...told! };
}

/** The account of this code and its company; of one that was merged into another, the other. */
export async function findOwner({ directory }: Opened, account: string, code: string | undefined) {
  if (code !== undefined && !directory.companies.has(code))
    fail('XD_UNKNOWN_COMPANY', `no company ${code}`, { place: 'company' });
  const companies = [...directory.companies.values()].filter((one) => code === undefined || one.code === code);
  const asked = companies.map(({ companyId }) => ({ companyId, code: account }));
  await directory.loadAccounts(asked);
  await directory.loadMerged(asked);
  const owners = companies.filter(({ companyId }) => directory.findAccountId(companyId, account) !== undefined);
  const [company, other] = owners;
  if (company === undefined) fail('XD_UNKNOWN_ACCOUNT', `no account ${account}`, { place: 'account' });
  if (other !== undefined)
    fail('XD_VALUE_INVALID', `account ${account} exists in ${company.code} and ${other.code}; name the company`, {
      place: 'company',
    });
  return { company, accountId: directory.followAccount(directory.findAccountId(company.companyId, account)!) };
}

export function shown(price: ShownPrice): string {
  const asked = `${price.quantity} × ${price.sku} for ${price.for} on ${price.date}`;
  if (price.unitPrice === null) return [`${asked}: no price`, ...looks(price)].join('\n');
  const per = price.pricePer === 1 ? '' : ` per ${price.pricePer}`;
  const { next } = price;
  return [
    `${asked}: ${price.unitPrice} ${price.currency}${per}, ${decimalOf(price.amountMinor!, price.currency)} ${price.currency} in all`,
    ...looks(price),
    ...(next === null
      ? []
      : [
          `  from ${next.quantityMin} on: ${next.unitPrice} ${price.currency}${next.pricePer === 1 ? '' : ` per ${next.pricePer}`}`,
        ]),
  ].join('\n');
}

const looks = ({ reasons }: ShownPrice) =>
  reasons.map((look) => `  ${look.why === 'used' ? '→' : ' '} ${lookText(look)}`);

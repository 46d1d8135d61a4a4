/** An account's credit, for people. */
import { decimalOf, fail } from '../../canonical/index.ts';
import { listClaims, readCredit, readPaths } from '../../credit/index.ts';
import type { Opened } from '../open.ts';

const CLAIMS_SHOWN_MAX = 1_000;

export interface CreditShown {
  account: string;
  company: string;
  limitOf: string;
  currency: string;
  limitMinor: number | null;
  openOrdersMinor: number;
  openInvoicesMinor: number;
  /** Reported of the accounts below it, where a group's own report lacks that. */
  belowMinor?: number;
  acceptedMinor: number;
  acceptedOrders: number;
  exposureMinor: number;
  availableMinor: number | null;
  asOf: string | null;
  ageSeconds: number | null;
  basis: 'live' | 'cached' | 'none';
  source: string;
  claims?: {
    orderId: number;
    order: string;
    /** Added once the ERP had the order. */
    lineNo?: number;
    amountMinor: number;
    basis: string;
    overByMinor: number;
    at: string;
  }[];
}

/** @throws XD_UNKNOWN_ACCOUNT, XD_NOT_FOUND when nobody has reported it */
export async function show(
  { db, directory }: Opened,
  account: string,
  options: { company?: string; claims: boolean },
): Promise<CreditShown> {
  const companies = [...directory.companies.values()].filter(
    ({ code }) => options.company === undefined || code === options.company,
  );
  await directory.loadAccounts(companies.map(({ companyId }) => ({ companyId, code: account })));
  const found = companies.flatMap((company) => {
    const accountId = directory.findAccountId(company.companyId, account);
    return accountId === undefined ? [] : [{ company, accountId }];
  });
  const [only, other] = found;
  if (only === undefined) fail('XD_UNKNOWN_ACCOUNT', `there is no account ${account}`, { place: 'account' });
  if (other !== undefined)
    fail('XD_VALUE_INVALID', `account ${account} exists in several companies: name one with --company`);
  const view = await readCredit(db, directory.credit, (await readPaths(db, [only.accountId])).get(only.accountId)!);
  if (view === undefined)
    fail('XD_NOT_FOUND', `nobody has reported the credit of ${account}, and no order asked for it`);
  await directory.loadAccountCodes([view.holderId]);
  const { currency, limitMinor, openOrdersMinor, openInvoicesMinor, exposureMinor, availableMinor, asOf } = view;
  const isLive = view.ageMs !== null && view.ageMs <= directory.credit.freshMs;
  return {
    ...{ account, company: only.company.code, limitOf: directory.accountCode(view.holderId), currency, limitMinor },
    ...(view.belowMinor !== 0 && { belowMinor: view.belowMinor }),
    ...{ openOrdersMinor, openInvoicesMinor, acceptedMinor: view.claimedMinor, acceptedOrders: view.claims },
    ...{ exposureMinor, availableMinor, asOf, source: view.source },
    ageSeconds: view.ageMs === null ? null : Math.floor(view.ageMs / 1_000),
    basis: asOf === null ? 'none' : isLive ? 'live' : 'cached',
    ...(options.claims && {
      claims: (await listClaims(db, view.holderId, CLAIMS_SHOWN_MAX)).map((claim) => ({
        ...{ orderId: claim.orderId, amountMinor: claim.amountMinor, basis: claim.basis },
        ...{ overByMinor: claim.overByMinor, at: claim.recordedAt },
        order: `${directory.channelById.get(claim.channelId)?.code ?? claim.channelId}/${claim.externalNo}`,
        ...(claim.lineNo > 0 && { lineNo: claim.lineNo }),
      })),
    }),
  };
}

export function shown(credit: CreditShown): string {
  const money = (minor: number) => `${decimalOf(minor, credit.currency)} ${credit.currency}`;
  const { limitMinor, availableMinor } = credit;
  const age = credit.ageSeconds === null ? '' : `, ${credit.ageSeconds} s old`;
  return [
    `account ${credit.account}${credit.limitOf === credit.account ? '' : `, under the limit of ${credit.limitOf}`}`,
    `  open orders    ${money(credit.openOrdersMinor)}`,
    `  open invoices  ${money(credit.openInvoicesMinor)}`,
    ...(credit.belowMinor === undefined ? [] : [`  accounts below ${money(credit.belowMinor)}`]),
    `  accepted here  ${money(credit.acceptedMinor)} in ${credit.acceptedOrders} orders that no report shows yet`,
    `  exposure       ${money(credit.exposureMinor)}`,
    `  limit          ${limitMinor === null ? 'none' : money(limitMinor)}`,
    `  available      ${availableMinor === null ? 'no limit' : money(availableMinor)}`,
    credit.asOf === null
      ? '  nobody has reported it'
      : `  as ${credit.source} had it at ${credit.asOf} (${credit.basis}${age})`,
    ...(credit.claims ?? []).map(
      (claim) =>
        `  ${claim.orderId}  ${claim.order}${claim.lineNo === undefined ? '' : ` line ${claim.lineNo}`}  ${money(claim.amountMinor)}  ${claim.basis}${claim.overByMinor > 0 ? `, over by ${money(claim.overByMinor)}` : ''}`,
    ),
  ].join('\n');
}

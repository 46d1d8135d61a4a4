/** What ERPs say of an account's credit. */
import type { CreditReported } from '../canonical/index.ts';
import { REPORTED_ORDERS_MAX } from '../credit/index.ts';
import type { Directory } from '../master/index.ts';
import { type Fault, fault, NOTHING, type Translated } from './translated.ts';

const CURRENCY = /^[A-Z]{3}$/;
/** So that sums of them are exact. */
const MINOR_MAX = 1_000_000_000_000_000;

/** Orders that are none of ours count for nobody: the ERP has others. */
export function translateCredit(directory: Directory, system: string, command: CreditReported): Translated | Fault {
  const invalid = (reason: string, place: string) => fault('value_invalid', 'XD_VALUE_INVALID', reason, place);
  const company = directory.companies.get(command.company);
  if (company === undefined)
    return fault('unknown_company', 'XD_UNKNOWN_COMPANY', `no company ${shown(command.company)}`, 'company');
  if (!CURRENCY.test(command.currency)) return invalid('currency is three capital letters', 'currency');
  if (Number.isNaN(Date.parse(command.asOf))) return invalid('asOf is no time', 'asOf');
  const { limitMinor } = command;
  for (const name of ['limitMinor', 'openOrdersMinor', 'openInvoicesMinor'] as const) {
    const amount = command[name];
    if (amount === null && name === 'limitMinor') continue;
    const least = name === 'openInvoicesMinor' ? -MINOR_MAX : 0;
    if (!Number.isInteger(amount) || amount! < least || amount! > MINOR_MAX)
      return invalid(
        `${name} must be a whole number of minor units from ${least} to ${MINOR_MAX}, not ${amount}`,
        name,
      );
  }
  const listed = command.orders ?? [];
  if (listed.length > REPORTED_ORDERS_MAX)
    return invalid(`a report lists at most ${REPORTED_ORDERS_MAX} orders, not ${listed.length}`, 'orders');
  const listedLines = command.orderLines ?? [];
  if (listedLines.length > REPORTED_ORDERS_MAX)
    return invalid(
      `a report lists at most ${REPORTED_ORDERS_MAX} order lines, not ${listedLines.length}`,
      'orderLines',
    );
  const code = directory.ourCode(system, 'account', command.account, Date.parse(command.asOf));
  const accountId = directory.findAccountId(company.companyId, code);
  if (accountId === undefined)
    return {
      ...fault(
        'unknown_account',
        'XD_UNKNOWN_ACCOUNT',
        `no account ${shown(command.account)} in company ${company.code}`,
        'account',
      ),
      waitKey: `account/${company.companyId} ${code}`,
    };
  const orders = listed.flatMap((reference) => {
    const cut = reference.indexOf('/');
    const channel = directory.channels.get(reference.slice(0, Math.max(0, cut)));
    return channel === undefined ? [] : [{ channelId: channel.channelId, externalNo: reference.slice(cut + 1) }];
  });
  const orderLines = [];
  for (const reference of listedLines) {
    const [, channelCode, externalNo, line] = /^([^/]+)\/(.+)#([1-9]\d{0,8})$/s.exec(reference) ?? [];
    if (line === undefined) return invalid('an order line is <channel>/<number>#<line>', 'orderLines');
    const channel = directory.channels.get(channelCode!);
    if (channel !== undefined)
      orderLines.push({ channelId: channel.channelId, externalNo: externalNo!, lineNo: Number(line) });
  }
  const { currency, openOrdersMinor, openInvoicesMinor } = command;
  return {
    ...NOTHING,
    credit: [
      {
        ...{ accountId, companyId: company.companyId, currency, limitMinor, openOrdersMinor, openInvoicesMinor },
        ...{ asOf: new Date(command.asOf).toISOString(), source: system, orders, orderLines },
      },
    ],
  };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

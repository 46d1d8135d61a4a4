/** Accounts as they change. One that is gone and left nobody of ours in its place is for a person: what hangs on it lies in other systems, too. */
import { fingerprint, type InboundItem } from '../../canonical/index.ts';
import { type Draft, Fields, mapRecords, readRecord, recordItem, scopes } from '../kit/index.ts';
import { mapAccount } from './map-master.ts';
import { timeOf } from './values.ts';

export interface AccountReading {
  system: string;
  company: string;
  accountField: string;
  /** Whether the account above is told. */
  accountParents?: boolean;
  paymentTermsField?: string | null;
}

export function mapAccounts(records: readonly unknown[], reading: AccountReading): InboundItem[] {
  const { system } = reading;
  return mapRecords(records, '/records', (raw, place) =>
    readRecord(raw, place, system, (record) => accountOf(record, reading)),
  );
}

function accountOf(record: Fields, reading: AccountReading): Draft[] {
  const { system, company, accountField } = reading;
  const { name, isDeleted, mergedInto, id } = mapAccount(record, { accountField });
  const account = record.text(accountField);
  if (mergedInto !== null) {
    const into = (record.raw.MasterRecord as Record<string, unknown> | null | undefined)?.[accountField];
    // The record that is left has taken our account over: nothing changed for us.
    if (into === account) return [];
    if (typeof into === 'string' && into !== '') {
      const changedAt = changedAtOf(record);
      return [recordItem(system, { kind: 'account.merged', account, company, into, changedAt })];
    }
    const reason =
      `account ${account} was merged into ${mergedInto} in ${system}, which is no account of ours: write ${account}, or the account ` +
      `that takes its place, into ${accountField} there; where that is another one of ours, merge them where credit, prices and ` +
      'orders are kept; then resolve this';
    return [gone(record, system, 'account_merged', `${id} ${mergedInto}`, 'MasterRecordId', reason)];
  }
  if (isDeleted)
    return [
      gone(
        record,
        system,
        'account_deleted',
        id,
        'IsDeleted',
        `account ${account} was deleted in ${system}, and orders that name it are still taken: restore it there, or block it where ` +
          'credit is kept, then resolve this',
      ),
    ];
  const changedAt = changedAtOf(record);
  return [
    recordItem(system, { kind: 'account.changed', account, company, name, ...termsOf(record, reading), changedAt }),
  ];
}

/** What an org may keep of an account beside its name. One above it that is no account of ours is none. */
function termsOf(record: Fields, { accountField, accountParents = false, paymentTermsField = null }: AccountReading) {
  const above = record.raw.Parent == null ? undefined : new Fields(record.raw.Parent, `${record.place}/Parent`);
  return {
    ...(accountParents && { parent: above?.textOrNull(accountField) ?? null }),
    ...(paymentTermsField !== null && { paymentTerms: record.textOrNull(paymentTermsField) }),
  };
}

const changedAtOf = (record: Fields): string => timeOf(record.raw.SystemModstamp, `${record.place}/SystemModstamp`);

function gone(record: Fields, system: string, kind: string, key: string, field: string, reason: string): Draft {
  return {
    scope: scopes.event(kind, system),
    key,
    fingerprint: fingerprint('v1', [kind, key]),
    unreadable: { class: kind, reason, place: `${record.place}/${field}`, value: null },
  };
}

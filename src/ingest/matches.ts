/** Accounts of systems with codes of their own: known by the crosswalk, or matched before anything is done with them. */
import type { AccountChanged } from '../canonical/index.ts';
import { type Directory, type MatchRecord, matchAccounts, matchRules, writeIdentities } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { Entry } from './entry.ts';
import { fault, isFault } from './translated.ts';

/** Each gets the code that it has here, or waits for a person. Nothing where the estate declares no matching. */
export async function settleMatches(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  const rules = matchRules(directory);
  if (rules.length === 0) return;
  const asked = entries.flatMap((entry) => {
    const { command } = entry.item;
    const { system } = entry.message;
    if (command?.kind !== 'account.changed' || isFault(entry.translated)) return [];
    if (!directory.hasOwnCodes(system, 'account')) return [];
    if (directory.mappedCode(system, 'account', command.account, null) !== undefined) return [];
    const { companyId } = directory.companies.get(command.company)!;
    return [{ entry, arrived: { system, companyId, outsideId: command.account, record: recordOf(command) } }];
  });
  if (asked.length === 0) return;
  const matched = await matchAccounts(
    tx,
    directory,
    rules,
    asked.map(({ arrived }) => arrived),
  );
  asked.forEach(({ entry, arrived }, i) => {
    const one = matched[i]!;
    if (isFault(entry.translated)) return;
    if ('matchId' in one) {
      const reason = `account ${arrived.outsideId} of ${arrived.system} may be one of ours: crossdock matches show ${one.matchId}`;
      entry.translated = {
        ...fault('match', 'XD_REFUSED', reason, 'account'),
        waitKey: `crosswalk/account ${arrived.outsideId}`,
      };
    } else
      entry.translated = {
        ...entry.translated,
        records: entry.translated.records.map((record) =>
          record.kind === 'account.changed' ? { ...record, account: one.code } : record,
        ),
      };
  });
}

/** What systems say of accounts beside their names, once the accounts are there. */
export async function keepIdentities(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  const all = entries.flatMap(({ translated, message }) =>
    isFault(translated)
      ? []
      : translated.records.flatMap((record) =>
          record.kind !== 'account.changed'
            ? []
            : [
                {
                  companyId: directory.companies.get(record.company)!.companyId,
                  ...{ account: record.account, system: message.system, record: recordOf(record) },
                },
              ],
        ),
  );
  if (all.length > 0) await writeIdentities(tx, all);
}

function recordOf({ name, taxId, email, postalCode }: AccountChanged): MatchRecord {
  return {
    ...(name !== undefined && { name }),
    ...(taxId !== undefined && { taxId }),
    ...(email !== undefined && { email }),
    ...(postalCode !== undefined && { postalCode }),
  };
}

/** Accounts and products of systems with codes of their own: known by the crosswalk, or matched before anything is done with them. */
import type { AccountChanged, ProductChanged, RecordChanged } from '../canonical/index.ts';
import {
  type Directory,
  type MatchKind,
  type MatchRecord,
  matchKinds,
  matchRecords,
  matchRules,
  writeIdentities,
} from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { Entry } from './entry.ts';
import { fault, isFault } from './translated.ts';

const told = {
  account: { command: 'account.changed', crosswalk: 'account', field: 'account' },
  product: { command: 'product.changed', crosswalk: 'sku', field: 'sku' },
} as const;

/** Each gets the code that it has here, or waits for a person. Nothing where the estate declares no matching. */
export async function settleMatches(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  for (const kind of matchKinds) await settleKind(tx, directory, kind, entries);
}

async function settleKind(tx: Tx, directory: Directory, kind: MatchKind, entries: readonly Entry[]): Promise<void> {
  const rules = matchRules(directory, kind);
  if (rules.length === 0) return;
  const { crosswalk, field } = told[kind];
  const asked = entries.flatMap((entry) => {
    const { command } = entry.item;
    const { system } = entry.message;
    if (command?.kind !== told[kind].command || isFault(entry.translated)) return [];
    if (!directory.hasOwnCodes(system, kind)) return [];
    const outsideId = 'account' in command ? command.account : command.sku;
    if (directory.mappedCode(system, crosswalk, outsideId, null) !== undefined) return [];
    const companyId = 'company' in command ? directory.companies.get(command.company)!.companyId : 0;
    const record = 'account' in command ? accountOf(command) : productOf(command);
    return [{ entry, arrived: { system, companyId, outsideId, record } }];
  });
  if (asked.length === 0) return;
  const matched = await matchRecords(
    tx,
    directory,
    kind,
    rules,
    asked.map(({ arrived }) => arrived),
  );
  asked.forEach(({ entry, arrived }, i) => {
    const one = matched[i]!;
    if (isFault(entry.translated)) return;
    if ('matchId' in one) {
      const reason = `${kind} ${arrived.outsideId} of ${arrived.system} may be one of ours: crossdock matches show ${one.matchId}`;
      entry.translated = {
        ...fault('match', 'XD_REFUSED', reason, field),
        waitKey: `crosswalk/${crosswalk} ${arrived.outsideId}`,
      };
    } else
      entry.translated = {
        ...entry.translated,
        records: entry.translated.records.map(
          (record): RecordChanged =>
            record.kind === told[kind].command ? ({ ...record, [field]: one.code } as RecordChanged) : record,
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
                  ...{ account: record.account, system: message.system, record: accountOf(record) },
                },
              ],
        ),
  );
  if (all.length > 0) await writeIdentities(tx, all);
}

function accountOf({ name, taxId, email, postalCode }: AccountChanged): MatchRecord {
  return {
    ...(name !== undefined && { name }),
    ...(taxId !== undefined && { taxId }),
    ...(email !== undefined && { email }),
    ...(postalCode !== undefined && { postalCode }),
  };
}

function productOf({ description, gtin }: ProductChanged): MatchRecord {
  return { ...(description !== undefined && { description }), ...(gtin !== undefined && gtin !== '' && { gtin }) };
}

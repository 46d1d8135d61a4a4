/**
 * Accounts that their system merged. It moves what hung on one account to the other, so orders and cancels that were taken come again with
 * another account and nothing else changed: that is no other content. Whose they are was decided when they were taken.
 */
import type { CancelRequested, InboundItem, OrderSubmitted } from '../canonical/index.ts';
import { cancelItem, orderItem } from '../connectors/kit/index.ts';
import { type Directory, findSameAccounts } from '../master/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import type { Entry } from './entry.ts';
import * as statements from './store.sql.ts';
import { isFault } from './translated.ts';

/** Conflicts looked at when a merge is told. What lies beyond them stays for a person. */
const CONFLICTS_MAX = 2_000;

interface Repeat {
  item: InboundItem;
  /** Of the content that came first. */
  fingerprint: string;
}

/** @returns those that say what came first, of an account that is the same one by now */
export async function sameByMerge<R extends Repeat>(
  tx: Tx,
  directory: Directory,
  repeats: readonly R[],
): Promise<Set<R>> {
  const named = repeats.flatMap((repeat) => {
    const { command } = repeat.item;
    if (command?.kind !== 'order.submitted' && command?.kind !== 'order.cancel_requested') return [];
    const companyId =
      command.kind === 'order.submitted'
        ? directory.companies.get(command.company)?.companyId
        : directory.channels.get(command.channel)?.companyId;
    return companyId === undefined ? [] : [{ repeat, command, companyId }];
  });
  if (named.length === 0) return new Set();
  const accounts = named.map(({ command, companyId }) => ({ companyId, code: command.account }));
  const same = await findSameAccounts(tx, accounts);
  return new Set(
    named
      .filter(({ repeat, command, companyId }) =>
        same(companyId, command.account).some((account) => digestOf({ ...command, account }) === repeat.fingerprint),
      )
      .map(({ repeat }) => repeat),
  );
}

function digestOf(command: OrderSubmitted | CancelRequested): string {
  return (command.kind === 'order.submitted' ? orderItem(command) : cancelItem(command)).fingerprint;
}

/** Ends the conflicts that were set aside because the orders were read before the merge that these entries tell. */
export async function endMergedConflicts(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  const merges = entries.flatMap(({ translated, result }) =>
    isFault(translated) || result?.status !== 'applied'
      ? []
      : translated.records.filter((record) => record.kind === 'account.merged'),
  );
  if (merges.length === 0) return;
  const accounts = merges.map(({ company, into }) => ({
    companyId: directory.companies.get(company)!.companyId,
    code: into,
  }));
  const same = await findSameAccounts(tx, accounts);
  const codes = new Set(accounts.flatMap(({ companyId, code }) => [code, ...same(companyId, code)]));
  const rows = await tx.query(statements.findConflictsOf, [texts([...codes]), CONFLICTS_MAX]);
  const repeats = rows.map(({ parked_id: id, item, fingerprint }) => ({ id, item: item as InboundItem, fingerprint }));
  const ended = await sameByMerge(tx, directory, repeats);
  if (ended.size > 0) tx.write(statements.endConflicts, [numbers([...ended].map(({ id }) => id))]);
}

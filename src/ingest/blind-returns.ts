/** Goods that came back without a return: what they may be of is told with them, for whoever decides. */
import type { Directory } from '../master/index.ts';
import { listReturnCandidates } from '../orders/index.ts';
import type { Tx } from '../store/index.ts';
import type { Entry } from './entry.ts';
import { businessTimeOf, isFault } from './translated.ts';

const CANDIDATES_MAX = 5;
/** In one transaction, while it holds its locks; beyond them the reason names no candidates. */
const LOOKED_AT_MAX = 20;

export async function nameCandidates(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  const blind = entries.filter(({ translated }) => isFault(translated) && translated.class === 'blind_return');
  for (const entry of blind.slice(0, LOOKED_AT_MAX)) {
    const { command } = entry.item;
    if (command?.kind !== 'return.received' || command.account === undefined || !isFault(entry.translated)) continue;
    const { system } = entry.message;
    const at = businessTimeOf(command);
    const skus = command.lines.map(({ sku }) => directory.ourCode(system, 'sku', sku, at));
    const found = await listReturnCandidates(
      tx,
      directory,
      { account: directory.ourCode(system, 'account', command.account, at), skus },
      CANDIDATES_MAX,
    );
    const told = found.map(({ order, lineNo, quantity, sku }) => `${order} line ${lineNo} (${quantity} of ${sku})`);
    const next = 'ask for a return of it, write its reference into this record and replay it';
    entry.translated = {
      ...entry.translated,
      reason: `${entry.translated.reason}; ${told.length === 0 ? 'no order of that account has shipped any' : `may be of ${told.join(', ')}: ${next}`}`,
    };
  }
}

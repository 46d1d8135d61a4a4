/** Enters, stays in and leaves degraded modes by what the database's clock says; each is a fact. */
import { fail } from '../canonical/index.ts';
import { appendFacts } from '../log/index.ts';
import { afterSecondsOf, type DeclaredModes, type ModeDomain, modeDomains } from '../master/index.ts';
import type { Database, Tx } from '../store/index.ts';
import * as statements from './modes.sql.ts';

/** How often it is said that a mode lasts. */
const STAYED_MINUTES = 10;

/** Which system serves which domain. */
export type ModeSystems = Partial<Record<ModeDomain, string>>;

/** Looks at all declared domains once. Safe in many processes at once. @returns what changed */
export async function lookAtModes(
  db: Database,
  modes: DeclaredModes | undefined,
  systems: ModeSystems,
): Promise<{ entered: ModeDomain[]; left: ModeDomain[] }> {
  const changed: { entered: ModeDomain[]; left: ModeDomain[] } = { entered: [], left: [] };
  for (const domain of modeDomains) {
    const afterSeconds = afterSecondsOf(modes, domain);
    const system = systems[domain];
    if (system === undefined) continue;
    const what = await db.transaction((tx) => look(tx, domain, system, afterSeconds));
    if (what !== undefined) changed[what].push(domain);
  }
  return changed;
}

async function look(
  tx: Tx,
  domain: ModeDomain,
  system: string,
  afterSeconds: number | undefined,
): Promise<'entered' | 'left' | undefined> {
  const [open] = await tx.query(statements.lockOpen, [domain, STAYED_MINUTES]);
  const [contact] = await tx.query(statements.readContact, [system]);
  const failingSeconds = contact?.seconds ?? null;
  if (open === undefined) {
    if (afterSeconds === undefined || failingSeconds === null || failingSeconds < afterSeconds) return undefined;
    const detail = `no answer for ${Math.floor(failingSeconds)} s: ${contact?.last_error ?? ''}`;
    const [made] = await tx.query(statements.enter, [domain, system, 'away', detail, null, null]);
    if (made === undefined) return undefined;
    await tell(tx, { type: 'mode.entered', modeId: made.mode_id });
    return 'entered';
  }
  // One that is away is back with its first answer; a drill ends by the clock.
  const isOver = open.cause === 'drill' ? open.is_over : failingSeconds === null;
  if (isOver) {
    await tx.query(statements.leave, [open.mode_id]);
    await tell(tx, { type: 'mode.left', modeId: open.mode_id });
    return 'left';
  }
  if (open.is_untold) {
    await tx.query(statements.stay, [open.mode_id]);
    await tell(tx, { type: 'mode.stayed', modeId: open.mode_id });
  }
  return undefined;
}

async function tell(tx: Tx, { type, modeId }: { type: string; modeId: number }): Promise<void> {
  const [row] = await tx.query(statements.getMode, [modeId]);
  const { domain, system, cause, detail, entered_by: by, seconds, orders, held, version } = row!;
  const occurredAt = (row!.left_at ?? new Date(row!.recorded_at.getTime() + seconds * 1_000)).toISOString();
  const data = { modeId, domain, system, cause, detail, by, seconds, orders, held };
  await appendFacts(tx, [{ type, stream: `mode/${modeId}`, version, companyId: 0, occurredAt, data }]);
}

export interface Drill {
  modeId: number;
  domain: ModeDomain;
  system: string;
  endsAt: string;
}

/**
 * Enters a mode by declaration, as if its system were away; it ends by the database's clock, whatever becomes of who began it.
 * @throws XD_REFUSED when the mode holds already
 */
export async function beginDrill(
  db: Database,
  { domain, system, minutes, by }: { domain: ModeDomain; system: string; minutes: number; by: string },
): Promise<Drill> {
  return db.transaction(async (tx) => {
    const [open] = await tx.query(statements.lockOpen, [domain, STAYED_MINUTES]);
    // One that has ended by the clock, and that nobody was there to end.
    if (open?.is_over === true) {
      await tx.query(statements.leave, [open.mode_id]);
      await tell(tx, { type: 'mode.left', modeId: open.mode_id });
    }
    const values = [domain, system, 'drill', `drill for ${minutes} minutes`, by, minutes * 60];
    const [made] = await tx.query(statements.enter, values);
    if (made === undefined) fail('XD_REFUSED', `the mode of ${domain} holds already: crossdock modes`, { domain });
    await tell(tx, { type: 'mode.entered', modeId: made.mode_id });
    return { modeId: made.mode_id, domain, system, endsAt: made.ends_at!.toISOString() };
  });
}

/** Ends a drill before its time. @throws XD_NOT_FOUND when none is under way */
export async function endDrill(db: Database, domain: ModeDomain): Promise<void> {
  await db.transaction(async (tx) => {
    const [open] = await tx.query(statements.lockOpen, [domain, STAYED_MINUTES]);
    if (open === undefined || open.cause !== 'drill') fail('XD_NOT_FOUND', `no drill of ${domain} is under way`);
    await tx.query(statements.leave, [open.mode_id]);
    await tell(tx, { type: 'mode.left', modeId: open.mode_id });
  });
}

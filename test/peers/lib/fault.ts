/** A peer that can't be started or stopped: what happened and where, why, and what to do next. */
export class PeerFault extends Error {
  override readonly name = 'PeerFault';
  readonly reason: PeerFaultReason;
  readonly where: string | undefined;
  readonly why: string | undefined;
  readonly next: string | undefined;

  constructor(reason: PeerFaultReason, told: { what: string; where?: string; why?: string; next?: string }) {
    super(told.what);
    this.reason = reason;
    this.where = told.where;
    this.why = told.why;
    this.next = told.next;
  }

  override toString(): string {
    const lines = [`XD_PEER_FAILED (${this.reason}): ${this.message}`];
    if (this.where) lines.push(`  where: ${this.where}`);
    if (this.why) lines.push(`  why:   ${this.why}`);
    if (this.next) lines.push(`  next:  ${this.next}`);
    return lines.join('\n');
  }
}

export type PeerFaultReason =
  | 'unknown_peer'
  | 'port_taken'
  | 'disk_full'
  | 'folder_closed'
  | 'not_root'
  | 'apt_missing'
  | 'apt_unreachable'
  | 'apt_failed'
  | 'registry_unreachable'
  | 'npm_failed'
  | 'step_failed'
  | 'silent'
  | 'locked';

/** This machine can't have the peer at all: a test is skipped for it, loudly. Anything else is a fault, and fails. */
export const NOT_HERE: ReadonlySet<PeerFaultReason> = new Set([
  'not_root',
  'apt_missing',
  'apt_unreachable',
  'registry_unreachable',
]);

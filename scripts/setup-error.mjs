/** A set-up that can't go on: what happened and where, why, and what to do next. */
export class SetupError extends Error {
  constructor(reason, { what, where, why, next, cause }) {
    super(what, { cause });
    this.reason = reason;
    this.where = where;
    this.why = why;
    this.next = next;
  }

  toString() {
    const lines = [`XD_SETUP_FAILED (${this.reason}): ${this.message}`];
    if (this.where) lines.push(`  where: ${this.where}`);
    if (this.why) lines.push(`  why:   ${this.why}`);
    if (this.next) lines.push(`  next:  ${this.next}`);
    return lines.join('\n');
  }
}

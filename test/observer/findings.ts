/** What doesn't agree. The first fifty are kept to be read, all are counted. */
export interface Finding {
  code: string;
  system: string;
  /** What it is about: `536365`, `536365/7`, `LON/85123A`. */
  key: string;
  expected: string | number | null;
  found: string | number | null;
}

export const FINDINGS_MAX = 50;
/** So that fifty of one sort don't hide the only one of another. */
const OF_ONE_CODE_MAX = 8;

export class Findings {
  readonly list: Finding[] = [];
  readonly counts: Record<string, number> = {};

  add(code: string, system: string, key: string, expected: Finding['expected'], found: Finding['found']): void {
    const name = `${system}.${code}`;
    const count = (this.counts[name] ?? 0) + 1;
    this.counts[name] = count;
    if (count <= OF_ONE_CODE_MAX && this.list.length < FINDINGS_MAX) {
      this.list.push({ code, system, key, expected, found });
    }
  }

  /** @returns whether they are the same */
  same(
    code: string,
    system: string,
    key: string,
    expected: Finding['expected'],
    found: Finding['found'] | undefined,
  ): boolean {
    if (expected === found) return true;
    this.add(code, system, key, expected, found ?? null);
    return false;
  }

  get none(): boolean {
    return Object.keys(this.counts).length === 0;
  }
}

/** What the estate declares of credit, with what holds where it says nothing. */
export interface DeclaredCredit {
  onOver?: 'hold' | 'refuse';
  freshMs?: number;
  liveTimeoutMs?: number;
  releaseWhenFree?: boolean;
  groupReports?: 'whole' | 'own';
  cached?: { orderMinorMax?: number; totalMinorMax?: number; ageMinutesMax?: number };
}

export interface CreditPolicy {
  /** What becomes of an order beyond the limit. */
  onOver: 'hold' | 'refuse';
  /** A report of this age counts as live; an older one is asked for anew, and cached where no answer comes. */
  freshMs: number;
  /** How long an order waits for the ERP's answer. */
  liveTimeoutMs: number;
  /** Whether orders held for credit go on by themselves once there is room. */
  releaseWhenFree: boolean;
  /** What is reported of a group: `whole` contains the accounts below it; `own` is of that account alone, and theirs are added. */
  groupReports: 'whole' | 'own';
  /** What may be accepted on a cached report; null: as much as the limit allows. */
  cached: { orderMinorMax: number | null; totalMinorMax: number | null; ageMinutesMax: number };
}

export function creditPolicyOf(declared: DeclaredCredit = {}): CreditPolicy {
  const { cached = {} } = declared;
  return {
    onOver: declared.onOver ?? 'hold',
    freshMs: declared.freshMs ?? 60_000,
    liveTimeoutMs: declared.liveTimeoutMs ?? 1_500,
    releaseWhenFree: declared.releaseWhenFree ?? true,
    groupReports: declared.groupReports ?? 'whole',
    cached: {
      orderMinorMax: cached.orderMinorMax ?? null,
      totalMinorMax: cached.totalMinorMax ?? null,
      ageMinutesMax: cached.ageMinutesMax ?? 1_440,
    },
  };
}

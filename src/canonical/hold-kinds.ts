/** Why an order may be held: one kind for each rule that may do so, and `manual` for people. */
export const holdKinds = ['credit', 'price', 'account', 'quantity', 'manual', 'degraded'] as const;
export type HoldKind = (typeof holdKinds)[number];

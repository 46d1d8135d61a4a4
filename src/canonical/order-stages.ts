/** The states of an order that lead on to others: it may be stuck in any of them, and in no other. */
export const orderStages = ['accepted', 'confirmed', 'released', 'partly_shipped', 'shipped'] as const;

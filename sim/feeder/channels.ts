import { WALK_IN } from './classify.ts';
import { hash32 } from './random.ts';

export const CHANNELS = ['shop', 'marketplace', 'crm', 'api'] as const;
export type Channel = (typeof CHANNELS)[number];

/** An account buys through one channel for ever; people without an account walk into the shop. */
export function channelOf(account: string): Channel {
  return account === WALK_IN ? 'shop' : CHANNELS[hash32(account) % CHANNELS.length]!;
}

/** Words for one-letter states of the tables. */
export const outboundStates: Readonly<Record<string, string>> = {
  n: 'pending',
  s: 'sending',
  d: 'in_doubt',
  c: 'confirmed',
  r: 'refused',
  p: 'parked',
  x: 'cancelled',
};
export const inboundStates: Readonly<Record<string, string>> = {
  a: 'applied',
  w: 'waiting',
  p: 'parked',
  s: 'superseded',
};

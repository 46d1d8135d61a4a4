export * from './commands.ts';
export * from './currencies.ts';
export * from './errors.ts';
export * from './fingerprint.ts';
export * from './flows.ts';
export * from './gtin.ts';
export * from './hold-kinds.ts';
export * from './money.ts';

export * from './commands.ts';
export * from './expression.ts';
export { decimalOf } from './forms.ts';
export * from './map.ts';
export * from './pointer.ts';
export * from './schema.ts';

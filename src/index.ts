/** What an estate file imports from the package. Connector authors import `crossdock/connector`. */
export { defineEstate, type Estate, env, file } from './estate/index.ts';

export { appendFacts, type Fact, type NewFact } from './facts.ts';
export { listFacts, listStream, listUnread, logLag, READ_FACTS_MAX, readNext } from './read.ts';

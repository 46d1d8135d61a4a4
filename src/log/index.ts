export { appendFacts, type Fact, type NewFact } from './facts.ts';
export {
  beginEpoch,
  endConsumer,
  listFacts,
  listStream,
  listUnread,
  logLag,
  type Place,
  READ_FACTS_MAX,
  readEnd,
  readFrom,
  readNext,
} from './read.ts';

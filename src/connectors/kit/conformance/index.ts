/** For those who write connectors: the suite, a stand-in for the system, record and replay. A door of its own: no hub loads it. */
export type { Check, Level } from './check.ts';
export { type Database, type DatabaseDescription, databaseStand } from './database.ts';
export { type DatabaseProxy, databaseProxy, type StatementFate } from './database-proxy.ts';
export * from './describe.ts';
export {
  type ColumnChange,
  columnChanges,
  type Folder,
  type FolderDescription,
  type FolderFeed,
  folderStand,
} from './folder.ts';
export * from './models.ts';
export { type Exchange, type Recorder, type RecorderOptions, type Recording, startRecorder } from './record.ts';
export { type ReplayedSystem, type ReplayOptions, replay } from './replay.ts';
export { type CheckResult, type ConformanceOptions, type ConformanceReport, checks, testConnector } from './run.ts';
export * from './samples.ts';
export { Scrubber, type ScrubOptions } from './scrub.ts';
export { type Fault, type FaultAnswer, type FaultServer, faultServer } from './server.ts';

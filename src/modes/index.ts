export { Contacts } from './contacts.ts';
export {
  type DegradedOrder,
  listDegradedOrders,
  listModes,
  listUnchecked,
  type ModeRecord,
  noteDegradedOrders,
  type OpenMode,
  readOpenModes,
  readUnconfirmed,
  writeChecked,
} from './read.ts';
export { beginDrill, type Drill, endDrill, lookAtModes, type ModeSystems } from './watch.ts';

/** Says all numbers of channels again, after a rule has changed that all of them follow from. */
import { type Database, numbers } from '../store/index.ts';
import { markNumbers } from './republish.sql.ts';

export async function republishNumbers(db: Database, destinationIds: readonly number[]): Promise<number> {
  if (destinationIds.length === 0) return 0;
  return (await db.query(markNumbers, [numbers(destinationIds)])).length;
}

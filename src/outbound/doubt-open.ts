import { sql, type Tx } from '../store/index.ts';

// What was new in the restored state may have been sent between the backup and the restore.
const doubtDeliveries = sql<{ delivery_id: number }>(
  'outbound_doubt_open_deliveries',
  `update delivery set state = 'd', next_at = crossdock_now(), error = 'restored' where is_open and state in ('n', 's') returning delivery_id`,
);
const doubtPublications = sql<{ key: number }>(
  'outbound_doubt_dirty_publications',
  `update publication set state = 'd', next_at = crossdock_now(), error = 'restored' where is_dirty and state in ('n', 's') returning key`,
);

/**
 * After a restore to an earlier moment the systems know more than the hub: what is open is looked up before it is sent.
 * @returns how many deliveries and publications that is
 */
export async function doubtWhatIsOpen(tx: Tx): Promise<{ deliveries: number; publications: number }> {
  const deliveries = await tx.query(doubtDeliveries);
  const publications = await tx.query(doubtPublications);
  return { deliveries: deliveries.length, publications: publications.length };
}

/** What a person does about each kind of problem. */
const parkedRecords: Readonly<Record<string, string>> = {
  waiting:
    'Nothing: it runs by itself when what it waits for arrives. If that never comes, find out why in the source system.',
  no_original: 'Find the order it belongs to and replay it with that order, or resolve it.',
  unreadable:
    'Correct the record in the source system, or mend the mapping (crossdock parked edit --reread), or edit it here, then replay it.',
  file_columns:
    'Change the map of the feed, or ask for the agreed columns; move the file back from `reject`, then resolve this.',
  file_unreadable:
    'Have the file sent again, whole and as agreed: what was read of it is known by its keys. Then resolve this.',
  file_gone: 'Have the file sent again: what was read of it is known by its keys. Then resolve this.',
  file_columns_new: 'Nothing must be done: the file was read. Map the new columns if they matter, then resolve this.',
  account_merged:
    'Give the record that is left our account in the CRM; where it is another one of ours, merge them where credit is kept. Then resolve this.',
  account_deleted: 'Restore the account there, or block it where credit is kept, then resolve this.',
  gtin_taken:
    "Correct the number where it is wrong; if it is now the other's, take it from the first there and replay this, else resolve it.",
  not_owner:
    'Change it in the system of its owner, or the owner in the estate and replay it; else resolve it. What comes often: leave the field out of the mapping, or say ownership: steward.',
  account_cycle:
    'Look which account stands above which, and correct it in the source system: its next change is read by itself.',
  account_depth: 'Give the accounts fewer levels in the source system: its next change is read by itself.',
  kit_cycle:
    'Look at the way that leads back, and correct one of the kits in the source system; its next change is read by itself.',
  kit_depth: 'Name what the kits are made of directly, in the source system: its next change is read by itself.',
  substitute_cycle:
    'Look at the way that leads back, and correct one of the lists in the source system; its next change is read by itself.',
  substitute_chain: 'Name what may be sent instead directly, in the source system: its next change is read by itself.',
  unknown_sku: 'Add the product, or a crosswalk entry, and it runs by itself.',
  match: 'Decide whether it is one of ours: crossdock matches.',
  unknown_account: 'Add the account, and it runs by itself.',
  merge_ring:
    'Look in the system which of the accounts is left: change that one there, so that it is told, then resolve this.',
  unknown_location: 'Add a crosswalk entry, and it runs by itself; or add the location to the estate, then replay it.',
  unknown_unit:
    "Say what the unit is in the system's settings (units), or correct the product's unit in the system, then replay it.",
  tier_gap:
    'Give the list in its system one price from 1 on and one for each further quantity: its next change is read by itself, and this one resolved. Or edit the tiers here and replay it.',
  unknown_channel: 'Add the channel to the estate, then replay it.',
  unknown_company: 'Add the company to the estate, then replay it.',
  unknown_order: 'Find out why the order did not arrive, then replay it.',
  value_invalid: 'Correct the value in the source system, or edit it here, then replay it.',
  key_conflict: 'Compare both contents; the first one stays applied. Resolve it once the source is corrected.',
  foreign_reservation: 'Name the reservations of its own channel or none, then replay it.',
  over_cancel: 'More was asked back than was left. Ask the account, then resolve it.',
};

export function nextStepOf(kind: string, problemClass: string): string {
  switch (kind) {
    case 'parked_record':
      return parkedRecords[problemClass] ?? 'Read the reason, correct the cause, then replay it.';
    case 'delivery':
      return problemClass === 'refused'
        ? 'Read what the system answered, correct the cause there, then send it again: crossdock parked replay.'
        : 'The system did not take it in all tries: check that it is up, then send it again: crossdock parked replay.';
    case 'publication':
      return 'The system did not take the newest state in all tries: check that it is up, then tell it again: crossdock parked replay.';
    case 'order_exception':
      return 'Its order waits for a person: crossdock exceptions resolve, as backorder, substitute or cancel.';
    case 'order_hold':
      return 'Its owner has not decided in time: crossdock holds show, then release it, or cancel the order.';
    case 'stage_alert':
      return 'The order is stuck: crossdock alerts show says what it waits for and what to do.';
    case 'shortage':
      return 'Goods that were promised are gone: count the shelf, then choose which order waits.';
    default:
      return 'Look at the log.';
  }
}

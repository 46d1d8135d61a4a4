import {
  batchTables,
  demandRecords,
  describeSystem,
  sampleOrderStatus,
  sequencePages,
  versionTable,
} from '../kit/conformance/index.ts';

/** How the simulated CRM answers: sim/API.md. */
export default describeSystem({
  system: (rows) =>
    batchTables(
      [
        versionTable({
          ...{ kind: 'orderStatus', write: '/orders/upsert', list: 'records' },
          ...{ lookup: '/orders/lookup', lookupList: 'externalIds', key: 'externalId' },
        }),
      ],
      (call) => sequencePages(() => rows.requests!, call, { path: '/requests' }),
    ),
  feeds: { requests: demandRecords(100) },
  orderStatus: sampleOrderStatus,
});

/** Connectors that ship with Crossdock, by the name that an estate gives. Only app.ts reads this. */
import type { ConnectorFactory } from './kit/index.ts';
import { simCrm } from './sim-crm/index.ts';
import { simErp } from './sim-erp/index.ts';
import { simMarketplace } from './sim-marketplace/index.ts';
import { simShop } from './sim-shop/index.ts';
import { simWms } from './sim-wms/index.ts';
import { vendure } from './vendure/index.ts';

export const connectors: ReadonlyMap<string, ConnectorFactory> = new Map([
  ['sim-erp', simErp],
  ['sim-crm', simCrm],
  ['sim-wms', simWms],
  ['sim-shop', simShop],
  ['sim-marketplace', simMarketplace],
  ['vendure', vendure],
]);

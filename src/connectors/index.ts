/** Connectors that ship with Crossdock, by the name that an estate gives. Only app.ts reads this. */
import { files } from './files/index.ts';
import type { ConnectorFactory } from './kit/index.ts';
import { ledgerSmb } from './ledgersmb/index.ts';
import { medusa } from './medusa/index.ts';
import { odata } from './odata/index.ts';
import { rest } from './rest/index.ts';
import { salesforce } from './salesforce/index.ts';
import { simCrm } from './sim-crm/index.ts';
import { simErp } from './sim-erp/index.ts';
import { simMarketplace } from './sim-marketplace/index.ts';
import { simShop } from './sim-shop/index.ts';
import { simWms } from './sim-wms/index.ts';
import { sql } from './sql/index.ts';
import { tryton } from './tryton/index.ts';
import { vendure } from './vendure/index.ts';

export const connectors: ReadonlyMap<string, ConnectorFactory> = new Map([
  ['odata', odata],
  ['rest', rest],
  ['salesforce', salesforce],
  ['files', files],
  ['sql', sql],
  ['ledgersmb', ledgerSmb],
  ['medusa', medusa],
  ['sim-erp', simErp],
  ['sim-crm', simCrm],
  ['sim-wms', simWms],
  ['sim-shop', simShop],
  ['sim-marketplace', simMarketplace],
  ['tryton', tryton],
  ['vendure', vendure],
]);

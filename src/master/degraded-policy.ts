/** What the estate declares for the time in which a system is away. */
export interface DeclaredModes {
  erp?: { afterSeconds?: number; acceptOrderMinorMax?: number; byClass?: Record<string, number> };
  wms?: { afterSeconds?: number; marginUnits?: number; marginPercent?: number };
  crm?: { afterSeconds?: number };
}

export const modeDomains = ['erp', 'wms', 'crm'] as const;
export type ModeDomain = (typeof modeDomains)[number];

const AFTER_SECONDS = 60;

/** How long a system answers nothing before its mode is entered; undefined: none is declared for it. */
export function afterSecondsOf(modes: DeclaredModes | undefined, domain: ModeDomain): number | undefined {
  const declared = modes?.[domain];
  return declared === undefined ? undefined : (declared.afterSeconds ?? AFTER_SECONDS);
}

/** Which system is away when a domain is. */
export function modeSystemsOf(
  routing: { orders?: string | undefined; fulfilment?: string | undefined; accounts?: string | undefined } = {},
): Partial<Record<ModeDomain, string>> {
  const { orders: erp, fulfilment: wms, accounts: crm } = routing;
  return { ...(erp !== undefined && { erp }), ...(wms !== undefined && { wms }), ...(crm !== undefined && { crm }) };
}

import { ledgersmb } from './ledgersmb/peer.ts';
import type { PeerKind } from './lib/kind.ts';
import { mariadb } from './mariadb/peer.ts';
import { medusa } from './medusa/peer.ts';
import { nats, oidc, prometheus, sftp, smtp } from './protocols.ts';
import { tryton } from './tryton/peer.ts';
import { vendure } from './vendure/peer.ts';

export const kinds: readonly PeerKind[] = [
  tryton,
  medusa,
  vendure,
  ledgersmb,
  mariadb,
  sftp,
  oidc,
  nats,
  prometheus,
  smtp,
];

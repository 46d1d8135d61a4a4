-- A document's number is its system's own: a second WMS or ERP, or the one that follows, begins at 1 again.
-- Rows from before have no source: who gave them their number was not kept.
alter table shipment add column source text collate "C" not null default '';
alter table shipment alter column source drop default;
alter table shipment drop constraint shipment_pkey;
alter table shipment add primary key (shipment_no, source);
alter table invoice add column source text collate "C" not null default '';
alter table invoice alter column source drop default;
alter table invoice drop constraint invoice_pkey;
alter table invoice add primary key (kind, invoice_no, source);

-- A price is sent beside a number, and both count the same: 52,900 pieces at the price of a box of 1,000 is what a shop sells them at.
-- Which units they are is written before the first byte leaves, so a publication that mixes them can't be, whatever code asks for it.
-- A process of an older version sends no prices from now on, as it names no units; what it would send is sent by a newer one.
alter table publication
  add column price_unit    text collate "C",            -- of a price on its way: what it is for one of
  add column quantity_unit text collate "C";            -- and what the number shown beside it counts
update publication set price_unit = 'each', quantity_unit = 'each' where kind = 'price' and state = 's';
alter table publication
  add constraint publication_one_unit check (price_unit is not distinct from quantity_unit),
  add constraint publication_price_unit check (kind <> 'price' or state <> 's' or price_unit is not null);

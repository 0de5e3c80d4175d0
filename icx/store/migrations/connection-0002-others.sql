-- How many of a unit's rows are of people the service does not list; null until it is counted again (`pull.others`).
alter table units add column others bigint;

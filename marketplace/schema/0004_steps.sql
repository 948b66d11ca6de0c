-- +goose Up

-- What a statement's waterfall set, as JSON, so that settling a period does not
-- need the whole statement; and the terms a period began under, which no later
-- charter lowers for it. Empty for periods from before.
ALTER TABLE marketplace_periods ADD COLUMN steps TEXT NOT NULL DEFAULT '';
ALTER TABLE marketplace_periods ADD COLUMN terms TEXT NOT NULL DEFAULT '';

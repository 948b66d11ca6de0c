-- +goose Up

-- What joined the account of a member whom a correction took apart with others, as a
-- keyed digest: as long as it is the same, the member counts as a person of their own,
-- in later periods too. Empty of corrections that took nobody out of a cluster, and of
-- those from before.
ALTER TABLE appeals_corrections ADD COLUMN basis TEXT NOT NULL DEFAULT '';
CREATE INDEX appeals_corrections_alone ON appeals_corrections (period) WHERE basis <> '';

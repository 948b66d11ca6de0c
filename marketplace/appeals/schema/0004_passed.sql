-- +goose Up

-- Who was left out of a panel's roll, under names of that appeal alone, and why:
-- JSON. Of a case from before, only their number is known.
ALTER TABLE appeals_cases ADD COLUMN passed TEXT NOT NULL DEFAULT '[]';

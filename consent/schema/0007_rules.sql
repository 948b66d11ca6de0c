-- +goose Up

-- The rules of law that fired, as a canonical JSON list of their names; '' for
-- decisions from before they were written down.
ALTER TABLE consent_decisions ADD COLUMN rules TEXT NOT NULL DEFAULT '';

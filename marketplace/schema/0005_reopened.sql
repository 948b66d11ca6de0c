-- +goose Up

-- How often a new statement of a period was made due, so that one that was being
-- computed from older evidence is not stored.
ALTER TABLE marketplace_periods ADD COLUMN reopened BIGINT NOT NULL DEFAULT 0;

-- +goose Up

-- How often a new statement took the place of the one that was voted on. Jobs
-- carry it, so that none of an earlier vote opens or counts a later one.
ALTER TABLE adoption_votes ADD COLUMN round BIGINT NOT NULL DEFAULT 0;

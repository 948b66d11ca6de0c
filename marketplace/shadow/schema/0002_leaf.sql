-- +goose Up

-- Where the log has a comparison's digest; -1 of one from before that was noted.
ALTER TABLE shadow_comparisons ADD COLUMN leaf BIGINT NOT NULL DEFAULT -1;

-- +goose Up

-- A session that was ended stays until it would have expired, so that an answer
-- under way cannot store it once more.
ALTER TABLE web_sessions ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;

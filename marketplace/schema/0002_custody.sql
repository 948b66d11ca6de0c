-- +goose Up

-- Files whose members keep the only key: they are delivered once the member has approved.
ALTER TABLE marketplace_files ADD COLUMN self_custody BIGINT NOT NULL DEFAULT 0 CHECK (self_custody IN (0, 1));

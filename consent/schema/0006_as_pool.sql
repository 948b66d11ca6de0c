-- +goose Up

-- A dataset's own answer can be taken back, so that its pool's counts again.
-- Such a row is stored as a withdrawal: a program that does not know the column
-- releases nothing.
ALTER TABLE consent_records ADD COLUMN as_pool BIGINT NOT NULL DEFAULT 0 CHECK (as_pool IN (0, 1));

-- +goose Up

-- A researcher behind whom a member stands: what they pay earns nobody a share.
ALTER TABLE marketplace_researchers ADD COLUMN related BIGINT NOT NULL DEFAULT 0 CHECK (related IN (0, 1));

-- +goose Up

-- Every stop of all deliveries: who ordered it and why, who asked to lift it, who
-- agreed. At most one stands.
CREATE TABLE freeze_incidents (
    id        TEXT   NOT NULL PRIMARY KEY,
    reason    TEXT   NOT NULL CHECK (length(reason) > 0),
    frozen_by TEXT   NOT NULL,
    frozen_at BIGINT NOT NULL,
    asked_by  TEXT   NOT NULL DEFAULT '',
    asked_at  BIGINT NOT NULL DEFAULT 0,
    lifted_by TEXT   NOT NULL DEFAULT '',
    lifted_at BIGINT NOT NULL DEFAULT 0,
    CHECK (lifted_at = 0 OR lifted_by <> '' AND lifted_by <> asked_by)
);

CREATE UNIQUE INDEX freeze_standing ON freeze_incidents (lifted_at) WHERE lifted_at = 0;

-- +goose Up

-- A policy is rehearsed before anybody votes on it; tried_at is when that ended,
-- and 0 before. Votes that are older than rehearsals were opened without one.
ALTER TABLE governance_proposals ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;
UPDATE governance_proposals SET tried_at = opened_at;

-- How far the rehearsal of a proposal is and what it found, as JSON. law is the
-- revision it compares with, plan_sha256 the digest of what is to be tried:
-- where either has changed, it begins anew. started_at and ended_at 0 are not
-- yet; a rehearsal that ended with a reason failed.
CREATE TABLE governance_rehearsals (
    proposal    TEXT   NOT NULL PRIMARY KEY,
    law         TEXT   NOT NULL,
    plan_sha256 TEXT   NOT NULL,
    pieces      BIGINT NOT NULL CHECK (pieces >= 0),
    done        BIGINT NOT NULL CHECK (done >= 0),
    total       BIGINT NOT NULL CHECK (total >= done),
    left_out    BIGINT NOT NULL CHECK (left_out >= 0),
    laws        BYTEA  NOT NULL,
    found       BYTEA  NOT NULL,
    past        BYTEA  NOT NULL,
    failures    BIGINT NOT NULL CHECK (failures >= 0),
    reason      TEXT   NOT NULL,
    started_at  BIGINT NOT NULL CHECK (started_at >= 0),
    ended_at    BIGINT NOT NULL CHECK (ended_at >= 0)
);

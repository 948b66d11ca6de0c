-- +goose Up
-- run_at is domain time; not_before and leased_until are machine time; all are
-- Unix milliseconds. A finished job stays, without its payload, so that its key
-- is never run again.
CREATE TABLE jobs_queue (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    payload      BYTEA  NOT NULL,
    run_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    not_before   BIGINT NOT NULL DEFAULT 0,
    lease        TEXT   NOT NULL DEFAULT '',
    leased_until BIGINT NOT NULL DEFAULT 0,
    done         BIGINT NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    UNIQUE (kind, key)
);

CREATE INDEX jobs_queue_due ON jobs_queue (run_at, id) WHERE done = 0;

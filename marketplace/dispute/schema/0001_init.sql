-- +goose Up

-- What researchers say is wrong with files they fetched, and what became of it.
-- A file is disputed once.
CREATE TABLE dispute_cases (
    id          TEXT   NOT NULL PRIMARY KEY,
    file        TEXT   NOT NULL UNIQUE,
    request     TEXT   NOT NULL,
    researcher  TEXT   NOT NULL,
    dataset     TEXT   NOT NULL,
    member      TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('undecryptable', 'not-as-described')),
    text        TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('opened', 'in_review', 'upheld', 'dismissed')),
    answer      TEXT   NOT NULL DEFAULT '', -- the member's
    steward     TEXT   NOT NULL DEFAULT '',
    reason      TEXT   NOT NULL DEFAULT '', -- the steward's
    note        BIGINT NOT NULL DEFAULT 0,  -- number of the credit note
    amount      BIGINT NOT NULL DEFAULT 0 CHECK (amount >= 0),
    opened_at   BIGINT NOT NULL,
    answered_at BIGINT NOT NULL DEFAULT 0,
    decided_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX dispute_cases_member ON dispute_cases (member, id);
CREATE INDEX dispute_cases_researcher ON dispute_cases (researcher, id);
CREATE INDEX dispute_cases_dataset ON dispute_cases (dataset) WHERE state = 'upheld';

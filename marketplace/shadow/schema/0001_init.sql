-- +goose Up

-- Candidates for judging, as they were entered: the form is JSON.
CREATE TABLE shadow_candidates (
    id         TEXT   NOT NULL PRIMARY KEY,
    author     TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    why        TEXT   NOT NULL,
    form       TEXT   NOT NULL,
    sha256     TEXT   NOT NULL CHECK (length(sha256) = 64),
    state      TEXT   NOT NULL CHECK (state IN ('running', 'offered', 'withdrawn')),
    entered_at BIGINT NOT NULL
);

-- What a candidate made of a period, beside the judge in force. Tries count
-- attempts that failed; a run without a document is not done, or failed for good.
CREATE TABLE shadow_runs (
    candidate TEXT   NOT NULL,
    period    TEXT   NOT NULL,
    state     TEXT   NOT NULL CHECK (state IN ('due', 'done', 'failed')),
    note      TEXT   NOT NULL,
    tries     BIGINT NOT NULL,
    run       BYTEA  NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (candidate, period)
);

-- The newest comparison of each candidate, as published.
CREATE TABLE shadow_comparisons (
    candidate TEXT   NOT NULL PRIMARY KEY,
    answer    TEXT   NOT NULL,
    sha256    TEXT   NOT NULL CHECK (length(sha256) = 64),
    document  BYTEA  NOT NULL,
    at        BIGINT NOT NULL
);

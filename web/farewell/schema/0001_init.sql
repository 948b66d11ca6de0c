-- +goose Up

-- Who has left, or is leaving. What a member was called or signed in with is
-- not here; the code that finds a closing again is kept as a digest.
CREATE TABLE farewell_closings (
    id          TEXT   NOT NULL PRIMARY KEY,
    reference   TEXT   NOT NULL UNIQUE,
    code_sha256 BYTEA  NOT NULL UNIQUE CHECK (length(code_sha256) = 32),
    member      TEXT   NOT NULL UNIQUE,
    cause       TEXT   NOT NULL CHECK (cause IN ('asked', 'bereaved')),
    owed        TEXT   NOT NULL CHECK (owed IN ('pay', 'give')),
    vacated     TEXT   NOT NULL,
    step        TEXT   NOT NULL,
    begun_at    BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL CHECK (ended_at >= 0),
    settled_at  BIGINT NOT NULL CHECK (settled_at >= 0),
    receipt     BYTEA  NOT NULL
);

-- +goose Up

-- What an appeal is about. Tier 1 is a fact, 2 a judgement. An appeal from
-- before there were tiers has no row and counts as tier 1.
CREATE TABLE appeals_cases (
    appeal     TEXT   NOT NULL PRIMARY KEY,
    period     TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    tier       BIGINT NOT NULL CHECK (tier IN (1, 2)),
    state      TEXT   NOT NULL CHECK (state IN ('steward', 'drawing', 'scoring', 'decided')),
    kind       TEXT   NOT NULL, -- of the contested line, '' for the whole statement
    ref        TEXT   NOT NULL,
    paid       BIGINT NOT NULL, -- the member's amount when they appealed
    name       TEXT   NOT NULL, -- the member's pseudonym in the statement
    dossier    TEXT   NOT NULL,
    questions  TEXT   NOT NULL, -- JSON, as are the lists below
    roll       TEXT   NOT NULL,
    excluded   BIGINT NOT NULL,
    leaf       BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL,
    score      BIGINT NOT NULL,
    award      BIGINT NOT NULL CHECK (award >= 0)
);
CREATE INDEX appeals_cases_period ON appeals_cases (period);

-- Panellists, in the order in which they were drawn.
CREATE TABLE appeals_seats (
    appeal      TEXT   NOT NULL,
    place       BIGINT NOT NULL,
    turn        BIGINT NOT NULL, -- 1 for the first, 2 for who follows them, and so on
    member      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'scored', 'stepped-back', 'silent')),
    yes         TEXT   NOT NULL,
    deadline    BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (appeal, place),
    UNIQUE (appeal, member)
);
CREATE INDEX appeals_seats_member ON appeals_seats (member);
CREATE INDEX appeals_seats_answered ON appeals_seats (answered_at) WHERE state = 'scored';

-- Facts that a steward mended, with what they rest on.
CREATE TABLE appeals_corrections (
    appeal   TEXT   NOT NULL,
    period   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    ref      TEXT   NOT NULL,
    member   TEXT   NOT NULL,
    field    TEXT   NOT NULL,
    was      BIGINT NOT NULL,
    value    BIGINT NOT NULL CHECK (value >= 0),
    source   TEXT   NOT NULL,
    steward  TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (appeal, kind, ref, field)
);
CREATE INDEX appeals_corrections_period ON appeals_corrections (period);

-- What became of a settled period's appeals, as published.
CREATE TABLE appeals_records (
    period TEXT  NOT NULL PRIMARY KEY,
    sha256 TEXT  NOT NULL CHECK (length(sha256) = 64),
    record BYTEA NOT NULL
);

-- +goose Up

-- What a member wants of the members' part for data, work and governance, in
-- thousandths: one ballot for each, until it is replaced or withdrawn. Who said
-- what is known here, because it can be changed at any time.
CREATE TABLE split_ballots (
    member     TEXT   NOT NULL PRIMARY KEY,
    data       BIGINT NOT NULL,
    work       BIGINT NOT NULL,
    governance BIGINT NOT NULL
);

-- What was counted when a period closed: canonical JSON, without names.
CREATE TABLE split_closings (
    period     TEXT   NOT NULL PRIMARY KEY,
    closed_at  BIGINT NOT NULL,
    ballots    TEXT   NOT NULL,
    sha256     TEXT   NOT NULL CHECK (length(sha256) = 64),
    leaf       BIGINT NOT NULL
);

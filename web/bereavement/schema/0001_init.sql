-- +goose Up

-- Members whose death was reported: who says so, what they have seen, and what
-- became of it. Nothing is written here in anybody's own words.
CREATE TABLE bereavement_reports (
    id           TEXT   NOT NULL PRIMARY KEY,
    reference    TEXT   NOT NULL UNIQUE,
    member       TEXT   NOT NULL,
    evidence     TEXT   NOT NULL CHECK (evidence IN ('certificate', 'register', 'court', 'notary')),
    state        TEXT   NOT NULL CHECK (state IN ('reported', 'confirmed', 'stopped', 'withdrawn', 'lapsed', 'closed')),
    was_paused   BIGINT NOT NULL CHECK (was_paused IN (0, 1)),
    reported_by  TEXT   NOT NULL,
    reported_at  BIGINT NOT NULL,
    confirmed_by TEXT   NOT NULL DEFAULT '' CHECK (confirmed_by <> reported_by),
    confirmed_at BIGINT NOT NULL DEFAULT 0,
    ended_at     BIGINT NOT NULL DEFAULT 0
);

-- At most one at a time holds for a member.
CREATE UNIQUE INDEX bereavement_reports_member ON bereavement_reports (member) WHERE state IN ('reported', 'confirmed');

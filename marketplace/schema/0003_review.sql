-- +goose Up

-- A state for requests that wait for people, and what a request says of its
-- study. A CHECK cannot be changed in place everywhere, so the table is made anew.
CREATE TABLE marketplace_requests_reviewed (
    id             TEXT   NOT NULL PRIMARY KEY,
    researcher     TEXT   NOT NULL,
    recipient      TEXT   NOT NULL,
    pool           TEXT   NOT NULL,
    title          TEXT   NOT NULL,
    duo            TEXT   NOT NULL,
    dpv            TEXT   NOT NULL,
    retention_days BIGINT NOT NULL,
    price          BIGINT NOT NULL CHECK (price >= 0),
    state          TEXT   NOT NULL CHECK (state IN ('in_review', 'decided', 'accepted', 'open', 'expired', 'closed')),
    revision       TEXT   NOT NULL,
    granted        BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    note           TEXT   NOT NULL DEFAULT '',
    submitted_at   BIGINT NOT NULL,
    opened_at      BIGINT NOT NULL DEFAULT 0,
    expires_at     BIGINT NOT NULL DEFAULT 0,
    study          TEXT   NOT NULL DEFAULT '{}', -- JSON
    reviewed       BIGINT NOT NULL DEFAULT 0 CHECK (reviewed IN (0, 1))
);
INSERT INTO marketplace_requests_reviewed
    (id, researcher, recipient, pool, title, duo, dpv, retention_days, price, state, revision, granted, refused, note,
     submitted_at, opened_at, expires_at)
    SELECT id, researcher, recipient, pool, title, duo, dpv, retention_days, price, state, revision, granted, refused, note,
           submitted_at, opened_at, expires_at
    FROM marketplace_requests;
DROP TABLE marketplace_requests;
ALTER TABLE marketplace_requests_reviewed RENAME TO marketplace_requests;
CREATE INDEX marketplace_requests_researcher ON marketplace_requests (researcher, id);

-- The institution a researcher was vetted for, such as a ROR.
ALTER TABLE marketplace_researchers ADD COLUMN institution TEXT NOT NULL DEFAULT '';

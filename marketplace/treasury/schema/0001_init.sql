-- +goose Up

-- What a researcher has to get back, under a number of its own as an invoice has;
-- used is what later invoices have been paid with.
CREATE TABLE treasury_notes (
    number     BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    researcher TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    file       TEXT   NOT NULL DEFAULT '', -- of a dispute
    reason     TEXT   NOT NULL CHECK (reason IN ('undelivered', 'dispute')),
    amount     BIGINT NOT NULL CHECK (amount > 0),
    used       BIGINT NOT NULL DEFAULT 0 CHECK (used >= 0 AND used <= amount),
    issued_at  BIGINT NOT NULL
);
CREATE INDEX treasury_notes_researcher ON treasury_notes (researcher, number);

-- What members gave to the common purpose.
CREATE TABLE treasury_gifts (
    id     TEXT   NOT NULL PRIMARY KEY,
    member TEXT   NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    at     BIGINT NOT NULL
);
CREATE INDEX treasury_gifts_member ON treasury_gifts (member, at);

-- Payouts that the bank sent back. Whoever's account it was is owed them again.
CREATE TABLE treasury_returns (
    end_to_end TEXT   NOT NULL PRIMARY KEY,
    member     TEXT   NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    at         BIGINT NOT NULL
);
CREATE INDEX treasury_returns_member ON treasury_returns (member, at);

-- Accounts that money came back from: nothing is sent there until its holder
-- has named one anew.
CREATE TABLE treasury_bounced (
    member TEXT   NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL
);

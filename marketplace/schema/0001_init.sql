-- +goose Up
CREATE TABLE marketplace_researchers (
    id           TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    region       TEXT   NOT NULL,
    email        TEXT   NOT NULL,
    vetted_by    TEXT   NOT NULL,
    vetted_at    BIGINT NOT NULL
);

CREATE TABLE marketplace_recipients (
    id           TEXT   NOT NULL PRIMARY KEY,
    researcher   TEXT   NOT NULL,
    recipient    TEXT   NOT NULL,
    nonce_sha256 BYTEA  NOT NULL,
    challenge    TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    proven_at    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (researcher, recipient)
);

CREATE TABLE marketplace_requests (
    id             TEXT   NOT NULL PRIMARY KEY,
    researcher     TEXT   NOT NULL,
    recipient      TEXT   NOT NULL,
    pool           TEXT   NOT NULL,
    title          TEXT   NOT NULL,
    duo            TEXT   NOT NULL,
    dpv            TEXT   NOT NULL,
    retention_days BIGINT NOT NULL,
    price          BIGINT NOT NULL CHECK (price >= 0),
    state          TEXT   NOT NULL CHECK (state IN ('decided', 'accepted', 'open', 'expired', 'closed')),
    revision       TEXT   NOT NULL,
    granted        BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    note           TEXT   NOT NULL DEFAULT '',
    submitted_at   BIGINT NOT NULL,
    opened_at      BIGINT NOT NULL DEFAULT 0,
    expires_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX marketplace_requests_researcher ON marketplace_requests (researcher, id);

CREATE TABLE marketplace_files (
    id         TEXT   NOT NULL PRIMARY KEY,
    request    TEXT   NOT NULL,
    dataset    TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    price      BIGINT NOT NULL CHECK (price >= 0),
    first_at   BIGINT NOT NULL DEFAULT 0,
    fetches    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (request, dataset)
);
CREATE INDEX marketplace_files_first ON marketplace_files (first_at) WHERE first_at > 0;

CREATE TABLE marketplace_invoices (
    id         TEXT   NOT NULL PRIMARY KEY,
    number     BIGINT NOT NULL UNIQUE,
    request    TEXT   NOT NULL UNIQUE,
    researcher TEXT   NOT NULL,
    total      BIGINT NOT NULL CHECK (total >= 0),
    paid       BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0),
    reference  TEXT   NOT NULL UNIQUE,
    issued_at  BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    settled_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE marketplace_bank_entries (
    id          TEXT   NOT NULL PRIMARY KEY,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    reference   TEXT   NOT NULL,
    invoice     TEXT   NOT NULL DEFAULT '',
    imported_by TEXT   NOT NULL,
    imported_at BIGINT NOT NULL
);

CREATE TABLE marketplace_periods (
    id                TEXT   NOT NULL PRIMARY KEY,
    state             TEXT   NOT NULL CHECK (state IN ('open', 'closed', 'settled', 'released')),
    opened_at         BIGINT NOT NULL,
    closed_at         BIGINT NOT NULL DEFAULT 0,
    challenge_ends_at BIGINT NOT NULL DEFAULT 0,
    revenue           BIGINT NOT NULL DEFAULT 0,
    bundle            BYTEA  NOT NULL,
    bundle_sha256     TEXT   NOT NULL DEFAULT '',
    settled_at        BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX marketplace_periods_open ON marketplace_periods (state) WHERE state = 'open';

CREATE TABLE marketplace_shares (
    period TEXT   NOT NULL,
    member TEXT   NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    share  BYTEA  NOT NULL,
    PRIMARY KEY (period, member)
);
CREATE INDEX marketplace_shares_member ON marketplace_shares (member, period);

CREATE TABLE marketplace_appeals (
    id         TEXT   NOT NULL PRIMARY KEY,
    period     TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('open', 'upheld', 'dismissed')),
    answer     TEXT   NOT NULL DEFAULT '',
    opened_at  BIGINT NOT NULL,
    decided_at BIGINT NOT NULL DEFAULT 0
);
-- An appeal that was upheld leaves its member free to contest the new statement.
CREATE UNIQUE INDEX marketplace_appeals_once ON marketplace_appeals (period, member) WHERE state <> 'upheld';

CREATE TABLE marketplace_releases (
    period TEXT   NOT NULL,
    member TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (period, member)
);

CREATE TABLE marketplace_payout_accounts (
    member     TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    iban       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE marketplace_payouts (
    period     TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    holder     TEXT   NOT NULL,
    iban       TEXT   NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    end_to_end TEXT   NOT NULL UNIQUE,
    file       TEXT   NOT NULL,
    carried_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (period, member)
);
CREATE INDEX marketplace_payouts_file ON marketplace_payouts (file);

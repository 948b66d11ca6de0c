-- +goose Up

-- Accounts of co-ops without an identity provider of their own. The handle is
-- what authenticators know an account by; it is random and says nothing.
CREATE TABLE authserver_accounts (
    subject         TEXT   NOT NULL PRIMARY KEY,
    handle          BYTEA  NOT NULL UNIQUE CHECK (length(handle) = 32),
    name            TEXT   NOT NULL CHECK (name <> ''),
    recovery_sha256 BYTEA  NOT NULL UNIQUE CHECK (length(recovery_sha256) = 32),
    created_at      BIGINT NOT NULL
);

CREATE TABLE authserver_credentials (
    id         BYTEA  NOT NULL PRIMARY KEY,
    subject    TEXT   NOT NULL REFERENCES authserver_accounts (subject),
    public_key BYTEA  NOT NULL,
    flags      BIGINT NOT NULL CHECK (flags BETWEEN 0 AND 255),
    sign_count BIGINT NOT NULL CHECK (sign_count >= 0),
    created_at BIGINT NOT NULL
);

CREATE INDEX authserver_credentials_subject ON authserver_credentials (subject);

-- Invitations to an account with a certain subject, such as the charter names
-- for an office. All others are the co-op's and not kept here. used_at 0 means
-- unused.
CREATE TABLE authserver_invitations (
    code_sha256 BYTEA  NOT NULL PRIMARY KEY CHECK (length(code_sha256) = 32),
    subject     TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL CHECK (used_at >= 0)
);

-- Challenges that were answered, for as long as they could be answered again.
CREATE TABLE authserver_challenges (
    challenge  TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- Browsers in which an account was just made or recovered: their next login
-- asks for nothing more.
CREATE TABLE authserver_tickets (
    browser    TEXT   NOT NULL PRIMARY KEY,
    subject    TEXT   NOT NULL REFERENCES authserver_accounts (subject),
    expires_at BIGINT NOT NULL
);

CREATE INDEX authserver_tickets_subject ON authserver_tickets (subject);

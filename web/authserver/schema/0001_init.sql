-- +goose Up
CREATE TABLE authserver_clients (
    id            TEXT   NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL CHECK (kind IN ('portal', 'researcher')),
    researcher    TEXT   NOT NULL,
    serial        BIGINT NOT NULL CHECK (serial >= 1),
    secret_hash   BYTEA  NOT NULL CHECK (length(secret_hash) = 32),
    redirect_uris TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    revoked_at    BIGINT NOT NULL CHECK (revoked_at >= 0),
    CHECK ((kind = 'researcher') = (researcher <> ''))
);

CREATE UNIQUE INDEX authserver_clients_researcher ON authserver_clients (researcher) WHERE kind = 'researcher';

CREATE TABLE authserver_sessions (
    kind       TEXT   NOT NULL CHECK (kind IN ('code', 'challenge', 'openid', 'token')),
    signature  TEXT   NOT NULL CHECK (signature <> ''),
    request    TEXT   NOT NULL,
    client     TEXT   NOT NULL,
    used       BIGINT NOT NULL CHECK (used IN (0, 1)),
    expires_at BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (kind, signature)
);

CREATE INDEX authserver_sessions_request ON authserver_sessions (request);
CREATE INDEX authserver_sessions_client ON authserver_sessions (client);
CREATE INDEX authserver_sessions_expiry ON authserver_sessions (expires_at);

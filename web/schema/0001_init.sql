-- +goose Up
CREATE TABLE web_sessions (
    token      TEXT   NOT NULL PRIMARY KEY,
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX web_sessions_expires ON web_sessions (expires_at);

CREATE TABLE web_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    member     TEXT   NOT NULL,
    label      TEXT   NOT NULL,
    sha256     BYTEA  NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX web_tokens_member ON web_tokens (member, id);

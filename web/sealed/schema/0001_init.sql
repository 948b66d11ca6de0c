-- +goose Up
CREATE TABLE sealed_identities (
    member     TEXT   NOT NULL PRIMARY KEY,
    revision   BIGINT NOT NULL CHECK (revision > 0),
    recipient  TEXT   NOT NULL,
    document   BYTEA  NOT NULL,
    updated_at BIGINT NOT NULL
);

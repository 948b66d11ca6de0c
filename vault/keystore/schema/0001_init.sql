-- +goose Up

CREATE TABLE vault_epochs (
    epoch      BIGINT PRIMARY KEY,
    recipient  TEXT NOT NULL, -- the master identity's public half
    created_at BIGINT NOT NULL
);

CREATE TABLE vault_keys (
    dataset    TEXT PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    sealed     BYTEA NOT NULL, -- age file to the epoch's recipient: dataset id and identity
    created_at BIGINT NOT NULL
);

CREATE INDEX vault_keys_by_epoch ON vault_keys (epoch);

-- +goose Up

CREATE TABLE keystore_epochs (
    epoch        BIGINT PRIMARY KEY,
    recipient    TEXT NOT NULL, -- of the epoch's own key, which the rows are sealed to
    master       TEXT NOT NULL, -- public half of the master that the epoch's key file is sealed to
    created_at   BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL, -- by when the epoch's key is destroyed
    destroyed_at BIGINT NOT NULL
);

CREATE TABLE keystore_keys (
    dataset    TEXT PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    sealed     BYTEA NOT NULL, -- the identity, under the epoch's key and bound to the dataset; row.go has both forms
    created_at BIGINT NOT NULL
);

CREATE INDEX keystore_keys_by_epoch ON keystore_keys (epoch);

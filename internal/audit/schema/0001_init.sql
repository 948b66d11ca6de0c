-- +goose Up
CREATE TABLE audit_leaves (
    idx  BIGINT NOT NULL PRIMARY KEY CHECK (idx >= 0),
    leaf BYTEA  NOT NULL
) WITHOUT ROWID;

-- Merkle hashes in the order of tlog.StoredHashIndex.
CREATE TABLE audit_hashes (
    idx  BIGINT NOT NULL PRIMARY KEY CHECK (idx >= 0),
    hash BYTEA  NOT NULL CHECK (length(hash) = 32)
) WITHOUT ROWID;

-- What a leaf commits to; erasing a row leaves every proof valid.
CREATE TABLE audit_records (
    idx    BIGINT NOT NULL PRIMARY KEY CHECK (idx >= 0),
    salt   BYTEA  NOT NULL CHECK (length(salt) = 32),
    record BYTEA  NOT NULL
) WITHOUT ROWID;

-- The newest checkpoint that was signed; one row.
CREATE TABLE audit_checkpoint (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL CHECK (size >= 0),
    note BYTEA  NOT NULL
);

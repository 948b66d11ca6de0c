-- +goose Up

CREATE TABLE vault_datasets (
    id               TEXT PRIMARY KEY,
    member           TEXT NOT NULL,
    pool             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('open', 'uploading', 'received', 'available', 'shredding', 'shredded')),
    vault_recipient  TEXT NOT NULL,
    member_recipient TEXT NOT NULL,
    blob             TEXT NOT NULL, -- name of the payload's file, '' before sealing and after shredding
    header_sha256    TEXT NOT NULL,
    payload_sha256   TEXT NOT NULL,
    payload_size     BIGINT NOT NULL CHECK (payload_size >= 0),
    terms            TEXT NOT NULL, -- the manifest's; its other parts are columns of this row
    signature        BYTEA NOT NULL,
    signing_key      BYTEA NOT NULL,
    profile          TEXT NOT NULL,
    raw              BOOLEAN NOT NULL,
    deliveries       BIGINT NOT NULL CHECK (deliveries >= 0),
    created_at       BIGINT NOT NULL,
    sealed_at        BIGINT NOT NULL,
    revoked_at       BIGINT NOT NULL,
    shredded_at      BIGINT NOT NULL
);

CREATE INDEX vault_datasets_by_member ON vault_datasets (member, id);
CREATE UNIQUE INDEX vault_datasets_by_header ON vault_datasets (header_sha256) WHERE header_sha256 <> '';
CREATE INDEX vault_datasets_shredding ON vault_datasets (id) WHERE state = 'shredding';

CREATE TABLE vault_uploads (
    id             TEXT PRIMARY KEY,
    dataset        TEXT NOT NULL UNIQUE,
    member         TEXT NOT NULL,
    blob           TEXT NOT NULL UNIQUE,
    complete       BOOLEAN NOT NULL,
    total          BIGINT NOT NULL CHECK (total > 0),
    received       BIGINT NOT NULL CHECK (received BETWEEN 0 AND total),
    head           BYTEA NOT NULL, -- the age header, or as much of it as has come
    head_whole     BOOLEAN NOT NULL,
    hash_state     BYTEA NOT NULL, -- of the payload, as crypto/sha256 marshals it
    payload_sha256 TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE INDEX vault_uploads_by_expiry ON vault_uploads (expires_at);

CREATE TABLE vault_headers (
    dataset TEXT PRIMARY KEY,
    header  BYTEA NOT NULL
);

CREATE TABLE vault_grants (
    request    TEXT NOT NULL,
    dataset    TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    header     BYTEA NOT NULL, -- empty once expired; the row stays, so that copies are counted once
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (request, dataset)
);

CREATE INDEX vault_grants_by_dataset ON vault_grants (dataset);
CREATE INDEX vault_grants_by_expiry ON vault_grants (expires_at) WHERE LENGTH(header) > 0;

CREATE TABLE vault_tombstones (
    dataset       TEXT PRIMARY KEY,
    blob          TEXT NOT NULL, -- what is still to be unlinked, '' when nothing is
    blob_sha256   TEXT NOT NULL, -- of the file's name: what a restored backup is checked against
    header_sha256 TEXT NOT NULL,
    grants        BIGINT NOT NULL,
    log_index     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    receipt       BYTEA NOT NULL -- the final receipt, empty until shredding is complete
);

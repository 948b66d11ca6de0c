-- +goose Up

-- Who re-wraps: the vault, or the member's own client, which then holds the only key.
ALTER TABLE vault_datasets ADD COLUMN custody TEXT NOT NULL DEFAULT 'vault' CHECK (custody IN ('vault', 'self'));

-- Granted requests that wait for the member's client.
CREATE TABLE vault_approvals (
    id         TEXT PRIMARY KEY,
    request    TEXT NOT NULL,
    dataset    TEXT NOT NULL,
    member     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (request, dataset)
);

CREATE INDEX vault_approvals_by_member ON vault_approvals (member, id);
CREATE INDEX vault_approvals_by_dataset ON vault_approvals (dataset);

CREATE INDEX vault_uploads_by_member ON vault_uploads (member);

-- While a dataset stands, its deliveries are counted by their rows.
UPDATE vault_datasets SET deliveries = 0 WHERE state NOT IN ('shredding', 'shredded');

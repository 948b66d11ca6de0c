-- +goose Up

-- What became of a request that waited for its member. Rows stay: an answer that
-- comes twice or too late is told why it is not taken.
ALTER TABLE vault_approvals ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'declined', 'closed'));
ALTER TABLE vault_approvals ADD COLUMN answered_at BIGINT NOT NULL DEFAULT 0;

DROP INDEX vault_approvals_by_member;
CREATE INDEX vault_approvals_waiting ON vault_approvals (member, id) WHERE state = 'waiting';
CREATE INDEX vault_datasets_kept ON vault_datasets (pool) WHERE custody = 'self';

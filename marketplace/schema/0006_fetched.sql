-- +goose Up

-- What was fetched, found by request, by dataset and by member.
CREATE INDEX marketplace_files_fetched ON marketplace_files (request, first_at) WHERE first_at > 0;
CREATE INDEX marketplace_files_dataset ON marketplace_files (dataset, first_at) WHERE first_at > 0;
CREATE INDEX marketplace_files_member ON marketplace_files (member, request) WHERE first_at > 0;

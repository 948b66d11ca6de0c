-- +goose Up

-- What a token may do: everything (act), or everyday things only. Those made
-- before may do everything, as they could.
ALTER TABLE web_tokens ADD COLUMN scope TEXT NOT NULL DEFAULT 'act' CHECK (scope IN ('act', 'everyday'));

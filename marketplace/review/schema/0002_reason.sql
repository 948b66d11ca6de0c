-- +goose Up

-- What a steward found, in their words; '' for what was said before they were asked.
ALTER TABLE review_requests ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- +goose Up

-- What a vote is about: a period's statement, or a candidate for judging. Its id
-- stays in the column named after periods, which were first.
ALTER TABLE adoption_votes ADD COLUMN subject TEXT NOT NULL DEFAULT 'adoption';

-- The rule it is counted by, frozen when it opens, and the digest of the ballots
-- that were counted. A vote from before has neither.
ALTER TABLE adoption_votes ADD COLUMN support BIGINT NOT NULL DEFAULT 0;
ALTER TABLE adoption_votes ADD COLUMN approval BIGINT NOT NULL DEFAULT 0;
ALTER TABLE adoption_votes ADD COLUMN ballots_sha256 TEXT NOT NULL DEFAULT '';

-- +goose Up

-- Who says an address in git histories is theirs. The address itself is not
-- kept: its HMAC under the co-op's key finds it again and tells nothing to
-- whoever has the database alone.
CREATE TABLE governance_claims (
    id         TEXT   NOT NULL PRIMARY KEY,
    member     TEXT   NOT NULL,
    address    TEXT   NOT NULL CHECK (length(address) = 64),
    state      TEXT   NOT NULL CHECK (state IN ('open', 'confirmed', 'refused')),
    claimed_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL CHECK (decided_at >= 0)
);
CREATE UNIQUE INDEX governance_claims_once ON governance_claims (member, address);
CREATE INDEX governance_claims_address ON governance_claims (address);

-- What other members answered. mistakes counts addresses that were not the
-- claimed one: who guesses is stopped.
CREATE TABLE governance_claim_answers (
    claim       TEXT   NOT NULL,
    member      TEXT   NOT NULL,
    answer      TEXT   NOT NULL CHECK (answer IN ('none', 'confirmed', 'refused')),
    mistakes    BIGINT NOT NULL CHECK (mistakes >= 0),
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (claim, member)
);

-- Contributions that were read from a repository: which piece of its history,
-- and how many people made it, whether or not they are members.
CREATE TABLE governance_git_work (
    contribution TEXT   NOT NULL PRIMARY KEY,
    source       TEXT   NOT NULL CHECK (length(source) = 64),
    authors      BIGINT NOT NULL CHECK (authors > 0)
);
CREATE INDEX governance_git_work_source ON governance_git_work (source);

-- Those of the authors who are members, by their place among all authors.
CREATE TABLE governance_git_authors (
    contribution TEXT   NOT NULL,
    place        BIGINT NOT NULL CHECK (place >= 0),
    member       TEXT   NOT NULL,
    PRIMARY KEY (contribution, member)
);

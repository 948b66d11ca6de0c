-- +goose Up

-- Whether the members adopt what judges made of a period. The counts stay 0
-- until the tally: nothing here says how a vote is going.
CREATE TABLE adoption_votes (
    period        TEXT   NOT NULL PRIMARY KEY,
    state         TEXT   NOT NULL CHECK (state IN ('waiting', 'voting', 'adopted', 'rejected', 'baseline')),
    opened_at     BIGINT NOT NULL,
    closes_at     BIGINT NOT NULL,
    electorate    BIGINT NOT NULL,
    roll_sha256   TEXT   NOT NULL,
    yes_count     BIGINT NOT NULL,
    no_count      BIGINT NOT NULL,
    abstain_count BIGINT NOT NULL
);

-- Who may vote, frozen at opening, and who has. Not how.
CREATE TABLE adoption_roll (
    period TEXT   NOT NULL,
    member TEXT   NOT NULL,
    voted  BIGINT NOT NULL CHECK (voted IN (0, 1)),
    PRIMARY KEY (period, member)
);

-- How was voted, without who: the receipt is known to the voter alone.
CREATE TABLE adoption_ballots (
    period         TEXT NOT NULL,
    receipt_sha256 TEXT NOT NULL CHECK (length(receipt_sha256) = 64),
    choice         TEXT NOT NULL CHECK (choice IN ('yes', 'no', 'abstain')),
    PRIMARY KEY (period, receipt_sha256)
);

-- +goose Up

-- closed_at 0 means open. A closed account keeps its id, so that history still
-- adds up, and loses everything that says who it was.
CREATE TABLE governance_members (
    id          TEXT   NOT NULL PRIMARY KEY,
    issuer      TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    recipient   TEXT   NOT NULL,
    signing_key BYTEA  NOT NULL,
    joined_at   BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL CHECK (closed_at >= 0),
    leaf        BIGINT NOT NULL CHECK (leaf >= 0)
);
CREATE UNIQUE INDEX governance_members_identity
    ON governance_members (issuer, subject) WHERE closed_at = 0;

-- Only the digest of a code is kept. used_at 0 means unused.
CREATE TABLE governance_invitations (
    code_sha256 TEXT   NOT NULL PRIMARY KEY CHECK (length(code_sha256) = 64),
    inviter     TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL CHECK (used_at >= 0)
);

-- The counts stay 0 until the tally: nothing here says how a vote is going.
CREATE TABLE governance_proposals (
    id                TEXT   NOT NULL PRIMARY KEY,
    author            TEXT   NOT NULL,
    class             TEXT   NOT NULL,
    kind              TEXT   NOT NULL CHECK (kind IN ('policy')),
    title             TEXT   NOT NULL,
    body              TEXT   NOT NULL,
    source            BYTEA  NOT NULL,
    sentences         TEXT   NOT NULL,
    revision          TEXT   NOT NULL,
    base_sha256       TEXT   NOT NULL,
    state             TEXT   NOT NULL
        CHECK (state IN ('voting', 'rejected', 'no-quorum', 'passed', 'enacted', 'void')),
    reason            TEXT   NOT NULL,
    opened_at         BIGINT NOT NULL,
    closes_at         BIGINT NOT NULL CHECK (closes_at > opened_at),
    executable_at     BIGINT NOT NULL,
    electorate        BIGINT NOT NULL CHECK (electorate > 0),
    roll_sha256       TEXT   NOT NULL CHECK (length(roll_sha256) = 64),
    support_permille  BIGINT NOT NULL CHECK (support_permille BETWEEN 500 AND 1000),
    approval_permille BIGINT NOT NULL CHECK (approval_permille BETWEEN 0 AND 1000),
    timelock_ms       BIGINT NOT NULL CHECK (timelock_ms >= 0),
    yes_count         BIGINT NOT NULL,
    no_count          BIGINT NOT NULL,
    abstain_count     BIGINT NOT NULL,
    ballots_sha256    TEXT   NOT NULL
);
CREATE INDEX governance_proposals_author
    ON governance_proposals (author) WHERE state = 'voting';

-- Who may vote, frozen at opening, and who has. Not how.
CREATE TABLE governance_roll (
    proposal TEXT   NOT NULL,
    member   TEXT   NOT NULL,
    voted    BIGINT NOT NULL CHECK (voted IN (0, 1)),
    PRIMARY KEY (proposal, member)
);

-- How was voted, without who: the receipt is known to the voter alone.
CREATE TABLE governance_ballots (
    proposal       TEXT   NOT NULL,
    receipt_sha256 TEXT   NOT NULL CHECK (length(receipt_sha256) = 64),
    choice         TEXT   NOT NULL CHECK (choice IN ('yes', 'no', 'abstain')),
    leaf           BIGINT NOT NULL,
    PRIMARY KEY (proposal, receipt_sha256)
);

-- Every law that ever was in force, by its revision: the votable file, and the
-- archive with base law as it was then.
CREATE TABLE governance_laws (
    revision TEXT  NOT NULL PRIMARY KEY,
    source   BYTEA NOT NULL,
    archive  BYTEA NOT NULL
);

-- The order in which laws came into force; the highest seq is the law.
-- proposal is empty for the law the co-op started with.
CREATE TABLE governance_enactments (
    seq           BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    revision      TEXT   NOT NULL,
    source_sha256 TEXT   NOT NULL CHECK (length(source_sha256) = 64),
    proposal      TEXT   NOT NULL,
    enacted_at    BIGINT NOT NULL
);

CREATE TABLE governance_contributions (
    id           TEXT   NOT NULL PRIMARY KEY,
    member       TEXT   NOT NULL,
    kind         TEXT   NOT NULL
        CHECK (kind IN ('git', 'document', 'design', 'support', 'duty', 'other')),
    title        TEXT   NOT NULL,
    evidence     TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('submitted', 'accepted', 'declined')),
    size         BIGINT NOT NULL CHECK (size BETWEEN 0 AND 5),
    points       BIGINT NOT NULL CHECK (points >= 0),
    submitted_at BIGINT NOT NULL,
    decided_at   BIGINT NOT NULL CHECK (decided_at >= 0),
    CHECK (state = 'accepted' OR (size = 0 AND points = 0))
);
CREATE INDEX governance_contributions_decided
    ON governance_contributions (decided_at) WHERE state = 'accepted';
CREATE INDEX governance_contributions_member
    ON governance_contributions (member, id);

CREATE TABLE governance_reviews (
    contribution TEXT   NOT NULL,
    reviewer     TEXT   NOT NULL,
    accepted     BIGINT NOT NULL CHECK (accepted IN (0, 1)),
    size         BIGINT NOT NULL CHECK (size BETWEEN 0 AND 5),
    note         TEXT   NOT NULL,
    reviewed_at  BIGINT NOT NULL,
    PRIMARY KEY (contribution, reviewer)
);
CREATE INDEX governance_reviews_time ON governance_reviews (reviewed_at);

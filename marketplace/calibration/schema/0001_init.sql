-- +goose Up

-- A period's calibration set: what people are asked to compare, and the two
-- halves of what they said.
CREATE TABLE calibration_periods (
    period     TEXT   NOT NULL PRIMARY KEY,
    state      TEXT   NOT NULL CHECK (state IN ('called', 'asking', 'sealed')),
    called     TEXT   NOT NULL, -- JSON: what was fixed before the draw
    leaf       BIGINT NOT NULL, -- of the log
    checkpoint TEXT   NOT NULL,
    pairs      BIGINT NOT NULL, -- that could have been asked about
    why        TEXT   NOT NULL, -- nobody is asked
    record     BYTEA  NOT NULL, -- empty until it is sealed, as are the next three
    halves     BYTEA  NOT NULL, -- JSON: the open half
    holdout    BYTEA  NOT NULL, -- the sealed half, published when disclosed_at is not 0
    commitment TEXT   NOT NULL,
    asked_at     BIGINT NOT NULL,
    sealed_at    BIGINT NOT NULL,
    sealed_leaf  BIGINT NOT NULL, -- of the log: the commitment
    disclosed_at BIGINT NOT NULL
);

-- The pairs, in the order of their lots. The refs are contributions whose text is
-- shown, '' for other dossiers.
CREATE TABLE calibration_checks (
    period     TEXT   NOT NULL,
    place      BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    class      TEXT   NOT NULL,
    sheet      TEXT   NOT NULL,
    first      TEXT   NOT NULL,
    second     TEXT   NOT NULL,
    first_ref  TEXT   NOT NULL,
    second_ref TEXT   NOT NULL,
    start      BIGINT NOT NULL,
    passed     BIGINT NOT NULL,
    PRIMARY KEY (period, place)
);

-- Who is asked, in the order of the round, and who would be next.
CREATE TABLE calibration_seats (
    period      TEXT   NOT NULL,
    place       BIGINT NOT NULL,
    seat        BIGINT NOT NULL,
    member      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('reserve', 'waiting', 'scored', 'stepped-back', 'silent')),
    said        TEXT   NOT NULL CHECK (said IN ('', 'first', 'second', 'tie')),
    deadline    BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (period, place, seat),
    UNIQUE (period, place, member)
);
CREATE INDEX calibration_seats_member ON calibration_seats (member);
CREATE INDEX calibration_seats_answered ON calibration_seats (answered_at) WHERE state = 'scored';

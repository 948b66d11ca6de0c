-- +goose Up

-- Every pair has a roll of its own: the log takes the rolls' seals before a second
-- checkpoint draws people from them. Empty of a set from before.
ALTER TABLE calibration_periods ADD COLUMN seals TEXT NOT NULL DEFAULT '';           -- JSON
ALTER TABLE calibration_periods ADD COLUMN seat_leaf BIGINT NOT NULL DEFAULT 0;      -- of the log: the seals
ALTER TABLE calibration_periods ADD COLUMN seat_checkpoint TEXT NOT NULL DEFAULT '';

-- The members, and who has an interest in which pair, as the rolls were sealed by;
-- gone as soon as people are drawn from them.
CREATE TABLE calibration_rolls (
    period TEXT  NOT NULL PRIMARY KEY,
    roll   BYTEA NOT NULL -- JSON
);

-- The places that were drawn for each pair, under its own names, JSON.
CREATE TABLE calibration_draws (
    period TEXT   NOT NULL,
    place  BIGINT NOT NULL,
    drawn  TEXT   NOT NULL,
    PRIMARY KEY (period, place)
);

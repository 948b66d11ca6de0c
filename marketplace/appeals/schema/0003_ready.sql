-- +goose Up

-- Who stands behind the first names of a draw, so that a seat is filled without
-- looking through all members. A panel from before there was this list has none;
-- a seat of it that is given up stays empty.
CREATE TABLE appeals_ready (
    appeal TEXT NOT NULL,
    name   TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (appeal, name)
);

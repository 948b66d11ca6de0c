-- +goose Up

-- What one request has brought in one period, and the sum of the weights it is
-- divided by. Two numbers, however many members share in it.
CREATE TABLE accrual_streams (
    period  TEXT   NOT NULL,
    request TEXT   NOT NULL,
    money   BIGINT NOT NULL CHECK (money >= 0),
    weight  BIGINT NOT NULL CHECK (weight >= 0),
    PRIMARY KEY (period, request)
);

-- A member's weight in it: their best dataset's.
CREATE TABLE accrual_parts (
    member  TEXT   NOT NULL,
    period  TEXT   NOT NULL,
    request TEXT   NOT NULL,
    weight  BIGINT NOT NULL CHECK (weight >= 0),
    PRIMARY KEY (member, period, request)
);

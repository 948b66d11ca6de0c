-- +goose Up

-- Other issuers that a member may sign in at, beside the one they joined with.
-- An identity is an issuer and a subject together; neither alone says anything.
CREATE TABLE signin_identities (
    issuer    TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    member    TEXT   NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE UNIQUE INDEX signin_identities_member ON signin_identities (member, issuer);

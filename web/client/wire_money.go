package client

import "distributed.ai/datacoop/web/client/accounts"

// What package accounts describes.

// DisputeDraft is what a researcher says is wrong with a file.
type DisputeDraft = accounts.DisputeDraft

// Dispute is a researcher's word against a file, as they see it.
type Dispute = accounts.Dispute

// DisputeCase is a dispute as its member and the stewards see it.
type DisputeCase = accounts.DisputeCase

// DisputeAnswer is what the member says to it.
type DisputeAnswer = accounts.DisputeAnswer

// DisputeDecision is what a steward decides, and why.
type DisputeDecision = accounts.DisputeDecision

// CreditNote is money a researcher has to get back.
type CreditNote = accounts.CreditNote

// GiftDraft is an amount to give to the commons.
type GiftDraft = accounts.GiftDraft

// Gift is an amount that was given.
type Gift = accounts.Gift

// YearStatement is what a member was credited and paid in one year.
type YearStatement = accounts.YearStatement

// AccountLine is one movement of what a member is owed.
type AccountLine = accounts.AccountLine

// Patronage is a member's patronage account.
type Patronage = accounts.Patronage

// PatronageCredit is one period's credit to it.
type PatronageCredit = accounts.PatronageCredit

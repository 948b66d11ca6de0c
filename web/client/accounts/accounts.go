// Package accounts holds what the API says of money beside invoices and
// statements: disputes and what comes of them, gifts, accounts by year and
// patronage. Package client speaks it; the names are the same there.
//
// Amounts are in minor units of the currency beside them. It guarantees no more
// than the API does, and refuses nothing: what may stand in a field, the server
// decides.
package accounts

import "time"

// DisputeDraft says what is wrong with a fetched file.
type DisputeDraft struct {
	Kind string `json:"kind" enum:"undecryptable,not-as-described"`
	Text string `json:"text" minLength:"1" maxLength:"4000" doc:"In words; the member and a steward read it"`
}

// Dispute is what the researcher who opened it reads.
type Dispute struct {
	ID         string     `json:"id"`
	File       string     `json:"file"`
	Request    string     `json:"request"`
	Kind       string     `json:"kind"`
	Text       string     `json:"text"`
	State      string     `json:"state" doc:"opened, in_review, upheld or dismissed"`
	Reason     string     `json:"reason,omitempty" doc:"The steward's"`
	CreditNote int64      `json:"credit_note,omitempty" doc:"Its number; see /v1/credit-notes"`
	Credited   int64      `json:"credited" doc:"In minor units"`
	Currency   string     `json:"currency"`
	OpenedAt   time.Time  `json:"opened_at"`
	DecidedAt  *time.Time `json:"decided_at"`
}

// DisputeCase is what the member reads whose dataset it is about, and the
// stewards who judge it.
type DisputeCase struct {
	Dispute
	Dataset     string     `json:"dataset,omitempty" doc:"For its member alone"`
	Title       string     `json:"title" doc:"What the request is for"`
	Researcher  string     `json:"researcher"`
	Answer      string     `json:"answer,omitempty" doc:"The member's"`
	AnsweredAt  *time.Time `json:"answered_at"`
	AnswerUntil time.Time  `json:"answer_until" doc:"Nothing is decided before, unless the member has answered"`
}

// DisputeAnswer is the member's word.
type DisputeAnswer struct {
	Text string `json:"text" minLength:"1" maxLength:"4000"`
}

// DisputeDecision ends a dispute.
type DisputeDecision struct {
	Uphold bool   `json:"uphold"`
	Reason string `json:"reason" minLength:"1" maxLength:"4000" doc:"Both sides read it"`
}

// CreditNote is what a researcher gets back; later invoices are paid with it.
type CreditNote struct {
	Number   int64     `json:"number"`
	Request  string    `json:"request"`
	File     string    `json:"file,omitempty" doc:"Of a dispute"`
	Reason   string    `json:"reason" doc:"undelivered or dispute"`
	Amount   int64     `json:"amount" doc:"In minor units"`
	Used     int64     `json:"used" doc:"By later invoices"`
	Currency string    `json:"currency"`
	IssuedAt time.Time `json:"issued_at"`
}

// GiftDraft gives a part of what one is owed to the common purpose, for good.
type GiftDraft struct {
	Amount int64 `json:"amount" minimum:"1" doc:"In minor units"`
}

// Gift is what was given.
type Gift struct {
	ID       string    `json:"id"`
	Amount   int64     `json:"amount" doc:"In minor units"`
	Left     int64     `json:"left" doc:"Still owed to the member"`
	Currency string    `json:"currency"`
	At       time.Time `json:"at"`
}

// YearStatement is a member's account in one calendar year (UTC).
type YearStatement struct {
	Year     int           `json:"year"`
	Opening  int64         `json:"opening" doc:"Carried over from the year before, in minor units"`
	Earned   int64         `json:"earned" doc:"Shares of settled periods, and awards"`
	PaidOut  int64         `json:"paid_out" doc:"Less what the bank returned"`
	Given    int64         `json:"given" doc:"To the common purpose"`
	Closing  int64         `json:"closing" doc:"Carried over into the next year"`
	Currency string        `json:"currency"`
	Lines    []AccountLine `json:"lines"`
}

// AccountLine is one movement of a member's balance.
type AccountLine struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" doc:"share, award, payout, returned or gift"`
	Ref    string    `json:"ref"`
	Amount int64     `json:"amount" doc:"In minor units; what leaves is negative"`
}

// Patronage is what a member has contributed, beside the money.
type Patronage struct {
	Units    int64             `json:"units" doc:"One for each minor unit that a settled statement gave"`
	All      int64             `json:"all" doc:"Of all members"`
	Permille int64             `json:"permille" doc:"The member's part, rounded down"`
	Text     string            `json:"text" doc:"What units are, and what they are not"`
	Credits  []PatronageCredit `json:"credits"`
}

// PatronageCredit is what one settlement added.
type PatronageCredit struct {
	Period string    `json:"period"`
	At     time.Time `json:"at"`
	Units  int64     `json:"units"`
}

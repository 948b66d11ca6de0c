package client

import "time"

// Approval is a granted request that waits for the member who keeps a
// dataset's only key.
type Approval struct {
	ID            string    `json:"id"`
	Dataset       string    `json:"dataset"`
	Pool          string    `json:"pool"`
	Request       string    `json:"request"`
	Researcher    string    `json:"researcher" doc:"Who asks"`
	Kind          string    `json:"kind" doc:"university, public-body, non-profit, company"`
	Title         string    `json:"title" doc:"What for, in the researcher's words"`
	DUO           string    `json:"duo"`
	DPV           string    `json:"dpv"`
	Purpose       string    `json:"purpose" doc:"The purpose in plain words"`
	RetentionDays int64     `json:"retention_days" doc:"How long copies are kept"`
	Recipient     string    `json:"recipient" doc:"The researcher's public age recipient, to wrap the file key to. The server says that it is theirs; only they can confirm it"`
	Header        string    `json:"header" doc:"The dataset's original age header in standard base64, which the member's own identity opens"`
	Manifest      Manifest  `json:"manifest" doc:"What the member vouched for when the dataset was sealed: open no header whose SHA-256 it does not name"`
	Signature     string    `json:"signature" doc:"The member's own Ed25519 signature over the RFC 8785 manifest, standard base64; empty if they have no signing key"`
	AskedAt       time.Time `json:"asked_at"`
	ExpiresAt     time.Time `json:"expires_at" doc:"When the request ends; an answer after that is refused"`
}

// ApprovalAnswer is what a member says to one waiting request.
type ApprovalAnswer struct {
	Answer    string `json:"answer" enum:"approve,decline" doc:"Either is for good, for this request"`
	Recipient string `json:"recipient,omitempty" maxLength:"2048" doc:"To approve: the recipient the header was made for. It has to be the one that is listed now"`
	Header    string `json:"header,omitempty" maxLength:"22000" doc:"To approve: an age header around the dataset's file key with one stanza, for that recipient, in standard base64. The server checks size, form and kind; whether it opens to the file key nobody but the researcher can see"`
}

// The values of ApprovalAnswer.Answer.
const (
	AnswerApprove = "approve"
	AnswerDecline = "decline"
)

// ApprovalResult is what a waiting request has become.
type ApprovalResult struct {
	ID      string `json:"id"`
	Request string `json:"request"`
	Dataset string `json:"dataset"`
	State   string `json:"state" enum:"approved,declined"`
}

package coop

import (
	"strings"
	"time"
)

// Notice is something that members are to be told. Rooms hand it to the queue in
// the transaction that causes it; package governance/inbox puts it before whom it
// concerns. It holds ids and titles that everybody it is for may read, and
// nothing else about anybody.
type Notice struct {
	Kind     string `json:"kind"`               // one of the kinds below
	Ref      string `json:"ref,omitempty"`      // id of what it is about
	Occasion string `json:"occasion,omitempty"` // tells apart what happens to one ref more than once
	About    string `json:"about,omitempty"`    // its title, in the words of whoever gave it
	Until    int64  `json:"until,omitempty"`    // Unix ms after which it is too late to act; 0 for never
	At       int64  `json:"at,omitempty"`       // Unix ms at which it is told; 0 for at once

	// To are the members it is for. Without them it is for the stewards who hold
	// Office, and without an office for everybody.
	To     []Addressee `json:"to,omitempty"`
	Office Office      `json:"office,omitempty"`
}

// Addressee is a member whom a notice is for. Ref, where it is set, is what it is
// about for this member, such as their own dataset.
type Addressee struct {
	Member MemberID `json:"member"`
	Ref    string   `json:"ref,omitempty"`
}

// NoticeJob is the kind of the job that carries a notice.
const NoticeJob = "inbox.notice"

// What members are told about.
const (
	NoticeFirstUse       = "use.first"           // ref: their dataset, fetched for the first time
	NoticeApproval       = "approval.waiting"    // ref: the request that waits for their key
	NoticeQuestion       = "question.waiting"    // ref: the request that waits for their answer
	NoticeVoteOpened     = "vote.opened"         // ref: the proposal
	NoticeVoteClosing    = "vote.closing"        // ref: the proposal
	NoticeVoteClosed     = "vote.closed"         // ref: the proposal
	NoticeStatement      = "statement.published" // ref: the period; until: the end of the challenge window
	NoticePanel          = "panel.drawn"         // ref: the appeal
	NoticeSpotCheck      = "spot-check.drawn"    // ref: the pair
	NoticeDisputed       = "dispute.opened"      // ref: the dispute about their dataset
	NoticeDisputeDecided = "dispute.decided"     // ref: the dispute
	NoticeAppealDecided  = "appeal.decided"      // ref: the appeal
	NoticePaid           = "payout.sent"         // ref: the period
	NoticeReturned       = "payout.returned"     // ref: the payment's id
	NoticeReport         = "report.published"    // ref: the report
	NoticeFrozen         = "coop.frozen"         // ref: the incident
	NoticeThawed         = "coop.unfrozen"       // ref: the incident
	NoticeAccount        = "account.payout"      // the account that money goes to was changed
	NoticeRecipient      = "account.recipient"   // the key that data are encrypted to was changed
	NoticeSigningKey     = "account.signing-key" // the key that manifests are signed with was changed
	NoticeLock           = "account.lock"        // a way to the member's key was taken away or replaced
	NoticeLinked         = "account.linked"      // a second way to sign in was linked
	NoticeUnlinked       = "account.unlinked"    // a way to sign in was unlinked, and everybody signed out elsewhere
	NoticeToken          = "account.token"       // an access token was made
	NoticeRecovered      = "account.recovered"   // the account was opened with a recovery code
	NoticeBereaved       = "account.bereaved"    // ref: the report that the member has died
	NoticeMailStopped    = "mail.stopped"        // e-mail to them came back

	NoticeReview      = "steward.review"   // ref: the request; for vetting
	NoticeOverdue     = "steward.overdue"  // ref: the request whose report is overdue; for vetting
	NoticeJudge       = "steward.dispute"  // ref: the dispute; for appeals
	NoticeContested   = "steward.appeal"   // ref: the appeal; for appeals
	NoticeSecondHuman = "steward.release"  // ref: the period; for the treasury
	NoticeNoAccount   = "steward.returned" // ref: the payment's id; for the treasury

	NoticeSecondSteward = "steward.bereavement" // ref: the report of a death; for every office
	NoticeAlive         = "steward.alive"       // ref: the report of a death that its member has stopped
)

// ClosesSoon is when members are told that something which they learn of now will
// close: a day before, or in the last quarter if it is short.
func ClosesSoon(now, closes int64) int64 {
	return max(closes-24*time.Hour.Milliseconds(), closes-(closes-now)/4)
}

// Key names a notice, so that telling it twice tells it once.
func (n Notice) Key() string {
	parts := []string{n.Kind, n.Ref, n.Occasion, string(n.Office)}
	if len(n.To) > 0 {
		parts = append(parts, string(n.To[0].Member), n.To[0].Ref)
	}
	return strings.Join(parts, "/")
}

// Package bereavement is what the co-op does when a member has died.
//
// # What it is for
//
// Relatives write to the contact that the charter names. A steward who has seen a
// paper about the death reports it ([Service.Report]), and a second one who has
// seen it as well confirms that ([Service.Confirm]). [Waiting] later the account is
// closed as any other, by package farewell.
//
// # What it guarantees
//
// From the first report on nobody gets anything of the member's data, and nobody
// acts for them: in its transaction sharing is paused, and every browser and
// program is signed out. The member is told at once, by e-mail as well where they
// have an address. A member who signs in stops it in that moment, and the pause
// that the report made ends with it, unless anybody has paused or resumed since.
// A report that nobody confirms lapses after [Lapse]. The closing begins in the
// transaction that finds the report still standing.
//
// Of a member who has stopped a report, a later one takes effect only when a second
// steward confirms it. A steward whose report has ended, however, makes no other
// about the same member for [Lapse].
//
// What is owed goes to the account that the member had named. Without one, whoever
// has the page of the closing names theirs: its address is for the heirs, and only
// the two stewards can have it shown. What nobody has claimed [ClaimFor] after the
// closing goes to the common purpose.
//
// Each step is in the audit log, in the transaction that takes it. What papers were
// seen is one of a few words; nothing is written in anybody's own.
//
// # What it refuses
//
// One steward alone, a report of oneself, a paper of another kind, and that a
// member asks to close an account of which a report stands: they sign in first. It
// judges no paper and keeps no copy of one.
package bereavement

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/farewell"
)

//go:embed schema/*.sql
var schema embed.FS

// How long things take, by the co-op's clock.
const (
	Lapse    = 14 * 24 * time.Hour      // for a second steward to confirm
	Waiting  = 30 * 24 * time.Hour      // from the second steward's word to the closing
	ClaimFor = 3 * 365 * 24 * time.Hour // for the heirs to name an account
	look     = 30 * 24 * time.Hour      // between two looks at what is still owed after that
)

// Faults of this desk. Their codes are part of the API.
var (
	ErrNobody   = fault.New(fault.Invalid, "bereavement-nobody", "There is no open account of that name or number. Nothing was noted.")
	ErrSelf     = fault.New(fault.Conflict, "bereavement-self", "That is your own account. Nothing was noted.")
	ErrEvidence = fault.New(fault.Invalid, "bereavement-evidence", "Say which paper you have seen.")
	ErrAlready  = fault.New(fault.Conflict, "bereavement-already", "This was reported before. It needs a second steward, or waits for its day.")
	ErrAgain    = fault.New(fault.Conflict, "bereavement-again", "You have reported this member before, and that report has ended. Another steward has to see the paper and report it. Nothing was noted.")
	ErrStands   = fault.New(fault.Conflict, "bereavement-stands", "A steward has noted that you had died. Sign in again, which ends that, and close your account then.")
	ErrSecond   = fault.New(fault.Conflict, "second-steward-needed", "You have reported it yourself. A second steward has to see the paper and confirm it.")
	ErrOver     = fault.New(fault.Conflict, "bereavement-over", "This report does not stand any more. Nothing was changed.")
	ErrNotYours = fault.New(fault.Forbidden, "bereavement-not-yours", "Only the two stewards who have seen the papers can do this.")
	ErrUnknown  = fault.New(fault.NotFound, "not-found", "There is no such report here.")
)

// The papers that a steward can have seen.
const (
	Certificate = "certificate" // of the death
	Register    = "register"    // an entry in a public register
	Court       = "court"       // a letter of a court
	Notary      = "notary"      // a certificate of inheritance
)

// Papers lists the papers there are.
func Papers() []string { return []string{Certificate, Register, Court, Notary} }

// States of a report.
const (
	Reported  = "reported"  // by one steward
	Confirmed = "confirmed" // by a second one
	Stopped   = "stopped"   // the member has signed in
	Withdrawn = "withdrawn" // by a steward
	Lapsed    = "lapsed"    // nobody confirmed it
	Closed    = "closed"    // the account is
)

// Report says that a member has died. Times are Unix milliseconds, 0 for what has
// not happened.
type Report struct {
	ID          string
	Reference   string
	Member      coop.MemberID
	Evidence    string // a paper
	State       string
	Pause       int64 // which pause of sharing it made, 0 for none
	Waits       bool  // takes effect only when it is confirmed
	ReportedBy  coop.MemberID
	ReportedAt  int64
	ConfirmedBy coop.MemberID
	ConfirmedAt int64
	EndedAt     int64 // since when it does not stand any more
}

// Stands reports whether it holds now.
func (r Report) Stands() bool { return r.State == Reported || r.State == Confirmed }

// Until is when it lapses, or the account is closed; 0 where it does not stand.
func (r Report) Until() int64 {
	switch r.State {
	case Reported:
		return r.ReportedAt + Lapse.Milliseconds()
	case Confirmed:
		return r.ConfirmedAt + Waiting.Milliseconds()
	}
	return 0
}

// signed reports whether a steward is one of the two.
func (r Report) signed(m coop.MemberID) bool { return m == r.ReportedBy || m == r.ConfirmedBy }

// Config is what the desk stands on. All of it is needed.
type Config struct {
	DB         *db.DB
	BaseURL    string // as heirs reach the portal, without a trailing slash
	Clock      coop.Clock
	Consent    *consent.Service
	Governance *governance.Service
	Market     *marketplace.Service
	Farewell   *farewell.Service
	Log        *audit.Log
	Jobs       *jobs.Queue
	Secret     []byte                                 // keys the codes of closings; what the database does not have
	SignOut    func(tx *db.Tx, m coop.MemberID) error // ends all sessions and tokens of a member
}

// Service is the desk. It is safe for concurrent use.
type Service struct{ Config }

// New makes the desk's table and registers its jobs.
func New(ctx context.Context, c Config) (*Service, error) {
	if err := c.DB.Migrate(ctx, "bereavement", schema); err != nil {
		return nil, fmt.Errorf("bereavement: migrate: %w", err)
	}
	s := &Service{c}
	c.Jobs.Handle(kindLapse, s.job(s.lapse))
	c.Jobs.Handle(kindClose, s.job(s.Close))
	c.Jobs.Handle(kindUnclaimed, s.job(s.unclaimed))
	return s, nil
}

func (s *Service) now() int64 { return s.Clock().UnixMilli() }

// code finds the closing that follows a report. It is the same each time, so that
// it can be shown again, and follows from a secret that the database does not have.
func (s *Service) code(r Report) string {
	mac := hmac.New(sha256.New, s.Secret)
	fmt.Fprintf(mac, "datacoop bereavement\x00%s", r.ID)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))[:26]
}

// note writes a step into the log.
func (s *Service) note(tx *db.Tx, verdict string, by coop.MemberID, r Report) error {
	_, err := s.Log.Append(tx, audit.Event{Kind: "bereavement", Verdict: verdict,
		Record: map[string]any{"report": r.ID, "member": string(r.Member), "by": string(by), "evidence": r.Evidence, "at": s.now()}})
	return err
}

// tell has members told of a report.
func (s *Service) tell(tx *db.Tx, kind string, r Report, to ...coop.MemberID) error {
	n := coop.Notice{Kind: kind, Ref: r.Reference, Occasion: r.State}
	for _, m := range slices.Compact(to) {
		if m != "" {
			n.To = append(n.To, coop.Addressee{Member: m})
		}
	}
	return s.Jobs.Tell(tx, n)
}

// tellStewards has the holders of every office told that a report needs a second
// steward.
func (s *Service) tellStewards(tx *db.Tx, r Report) error {
	for _, o := range coop.Offices() {
		if err := s.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeSecondSteward, Ref: r.Reference, Until: r.Until(), Office: o}); err != nil {
			return err
		}
	}
	return nil
}

package farewell

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// kindClose is the job that goes on with a closing whatever happens to the
// process that began it.
const kindClose = "farewell.close"

// closeAfter is when the job looks: usually whoever began has ended by then.
const closeAfter = time.Minute

// Wish is what a member decides when they leave.
type Wish struct {
	Owed   string // Pay or Give; "" where nothing is owed
	Vacate bool   // although nobody else holds their office
	Cause  string // "" for Asked
	Code   string // that finds the closing again, of 130 random bits; "" draws one

	// With is done in the transaction that begins the closing; its error stops
	// both. It may be nil.
	With func(tx *db.Tx) error
}

// Outlook is what a member is told before they decide.
type Outlook struct {
	Owed     coop.Money
	Account  string // the ending of the account's number; "" if none can be paid to
	Datasets int    // that would be revoked
	Offices  []coop.Office
	Last     []coop.Office // of them, those that nobody else holds
}

// Outlook tells what a closing would find.
func (s *Service) Outlook(ctx context.Context, m coop.MemberID) (o Outlook, err error) {
	if o.Owed, err = s.Market.Owed(ctx, m); err != nil {
		return o, err
	}
	account, err := s.Market.PayoutAccount(ctx, m)
	if err != nil {
		return o, err
	}
	if !account.Bounced {
		o.Account = account.Ending()
	}
	datasets, err := s.Vault.Mine(ctx, m)
	if err != nil {
		return o, err
	}
	for _, d := range datasets {
		if d.RevokedAt == 0 {
			o.Datasets++
		}
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		who, err := s.Governance.Member(ctx, m)
		if err != nil {
			return err
		}
		o.Offices = who.Offices
		o.Last, err = s.last(tx, who)
		return err
	})
	return o, err
}

// fewest is how many an office needs to do its duty.
func fewest(o coop.Office) int {
	if o == coop.Treasury {
		return 2 // money needs two people
	}
	return 1
}

// last are the offices that too few would hold without this member.
func (s *Service) last(tx *db.Tx, who governance.Member) (out []coop.Office, err error) {
	for _, office := range who.Offices {
		others := 0
		for _, h := range s.Charter.Offices {
			if h.Office != office || h.Subject == who.Subject {
				continue
			}
			_, err := s.Governance.ByIdentity(tx, who.Issuer, h.Subject)
			if err == nil {
				others++
			} else if !errors.Is(err, governance.ErrMemberNotFound) {
				return nil, err
			}
		}
		if others < fewest(office) {
			out = append(out, office)
		}
	}
	return out, nil
}

func digest(code string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(code))))
	return sum[:]
}

// reference is what people quote: it finds nothing by itself.
func reference() string {
	text := rand.Text()
	return "C-" + text[:4] + "-" + text[4:8]
}

// Begin closes an account. What it answers says how far it has come: usually to
// its end, and else a job goes on. From its first transaction on the member is
// signed out everywhere and can sign in no more. The answer alone has the code
// that finds the closing again.
//
// Errors: ErrOwed, ErrAccount, ErrOffice and ErrChoice before anything has
// happened, and what Config.Bars and Wish.With answer; ErrClosing where it has
// begun and governance.ErrAccountClosed where it is closed already.
func (s *Service) Begin(ctx context.Context, m coop.MemberID, w Wish) (Closing, error) {
	if w.Cause == "" {
		w.Cause = Asked
	}
	o, err := s.Outlook(ctx, m)
	if err == nil {
		err = s.check(o, &w)
	}
	if err != nil {
		return Closing{}, fmt.Errorf("farewell: begin: %w", err)
	}
	code := cmp.Or(w.Code, strings.ToLower(rand.Text())) // 130 bits
	c := Closing{ID: coop.NewID(), Reference: reference(), Member: m, Cause: w.Cause, Owed: w.Owed, Vacated: o.Last, Step: steps[0].name, BegunAt: s.now()}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		if err := s.may(tx, m, w); err != nil {
			return err
		}
		return s.begin(tx, c, digest(code))
	})
	if err != nil {
		return Closing{}, fmt.Errorf("farewell: begin: %w", err)
	}
	ctx = context.WithoutCancel(ctx) // who has decided need not wait for it
	if err := s.run(ctx, c.ID); err != nil {
		s.Logger.ErrorContext(ctx, "farewell: a closing is not complete; a job goes on with it", "error", err)
	}
	c, err = s.Find(ctx, code)
	c.Code = code
	return c, err
}

// may looks, in the transaction that begins a closing, at what can have changed
// since it was wished.
func (s *Service) may(tx *db.Tx, m coop.MemberID, w Wish) error {
	who, err := s.Governance.Member(tx.Context(), m)
	switch {
	case err != nil:
		return err
	case !who.Open():
		return governance.ErrAccountClosed
	}
	if err := s.Open(tx, m); err != nil {
		return err
	}
	if w.Cause == Asked {
		if err := s.Bars(tx, m); err != nil {
			return err
		}
	}
	if w.With != nil {
		return w.With(tx)
	}
	return nil
}

func (s *Service) check(o Outlook, w *Wish) error {
	switch {
	case w.Owed != "" && w.Owed != Pay && w.Owed != Give:
		return ErrChoice
	case len(o.Last) > 0 && !w.Vacate:
		return ErrOffice
	case o.Owed > 0 && w.Owed == "":
		return ErrOwed
	case o.Owed > 0 && w.Owed == Pay && o.Account == "" && w.Cause == Asked:
		return ErrAccount // heirs name theirs later
	case w.Owed == "":
		w.Owed = Pay // whatever comes later
	}
	return nil
}

// begin is what is certain from the first moment: the decision, the job that
// carries it out, and that nobody acts for this member any more.
func (s *Service) begin(tx *db.Tx, c Closing, code []byte) error {
	if err := insertClosing(tx, c, code); err != nil {
		return err
	}
	for _, office := range slices.Sorted(slices.Values(c.Vacated)) {
		_, err := s.Log.Append(tx, audit.Event{Kind: "governance.vacancy", Verdict: string(office), Record: map[string]any{"office": string(office)}})
		if err != nil {
			return err
		}
	}
	if err := s.SignOut(tx, c.Member); err != nil {
		return err
	}
	return s.Jobs.Enqueue(tx, kindClose, c.ID, c.ID, s.Clock().Add(closeAfter))
}

// Open reports, in the caller's transaction, that a member may come in:
// ErrClosing where they are leaving.
func (s *Service) Open(tx *db.Tx, m coop.MemberID) error {
	_, err := closingOf(tx, m)
	if errors.Is(err, db.ErrNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrClosing
}

package governance

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"

	"distributed.ai/datacoop/governance/gitsource"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// Limits of claims: how many addresses a member may hold, and how often who
// confirms may mistake the address.
const (
	mostClaims   = 10
	mostMistakes = 3
)

// ClaimID names a claim.
type ClaimID string

// ClaimState is where a claim stands.
type ClaimState string

// The states of a claim. A contested one is open or confirmed, and so is
// another member's for the same address: neither counts until one of them is
// withdrawn, or refused by a steward of vetting or two members.
//
//	open ─┬─ confirmed   by a steward of vetting, or two other members
//	      └─ refused     by the same; it is final for this member and address
const (
	ClaimOpen      ClaimState = "open"
	ClaimConfirmed ClaimState = "confirmed"
	ClaimRefused   ClaimState = "refused"
	ClaimContested ClaimState = "contested"
)

// Claim is a member's word that an e-mail address in git histories is theirs.
// Nobody can read the address from it.
type Claim struct {
	ID            ClaimID
	Member        coop.MemberID
	State         ClaimState
	Confirmations int
	Refusals      int
	ClaimedAt     int64 // Unix ms
	DecidedAt     int64 // Unix ms; 0 while open

	address string     // HMAC in hex
	stored  ClaimState // State without regard to others' claims
}

// Claim records that an e-mail address is the member's own. Claimed again it
// answers the claim there is. Refusals: [ErrClaimInvalid], [ErrClaimRefused],
// [ErrTooManyClaims].
func (s *Service) Claim(ctx context.Context, by coop.MemberID, email string) (Claim, error) {
	address, ok := gitsource.Address(email)
	if !ok {
		return Claim{}, ErrClaimInvalid
	}
	return write(ctx, s, "claim", func(tx *db.Tx) (Claim, error) {
		return once.Do(tx, func() (Claim, error) { return s.makeClaim(tx, by, s.hide(address)) })
	})
}

func (s *Service) makeClaim(tx *db.Tx, by coop.MemberID, address string) (Claim, error) {
	if _, err := s.current(tx, by); err != nil {
		return Claim{}, err
	}
	held, err := claimsOf(tx, by)
	if err != nil {
		return Claim{}, err
	}
	live := 0
	for _, c := range held {
		switch {
		case c.address == address && c.stored == ClaimRefused:
			return Claim{}, ErrClaimRefused
		case c.address == address:
			return contest(tx, c)
		case c.stored != ClaimRefused:
			live++
		}
	}
	if live >= mostClaims {
		return Claim{}, ErrTooManyClaims
	}
	c := Claim{ID: ClaimID(coop.NewID()), Member: by, ClaimedAt: s.now(), address: address, stored: ClaimOpen}
	if err := insertClaim(tx, c); err != nil {
		return Claim{}, err
	}
	return contest(tx, c)
}

// hide is what is kept of an address. It is keyed, or anybody with the
// database could try addresses; the same each time, or nobody could see that
// two members claim one.
func (s *Service) hide(address string) string {
	mac := hmac.New(sha256.New, s.Key.Seed())
	mac.Write([]byte("datacoop governance address\x00" + address))
	return hex.EncodeToString(mac.Sum(nil))
}

// contest completes a claim with its answers and what others claim.
func contest(tx *db.Tx, c Claim) (Claim, error) {
	c.State = c.stored
	rivals, err := liveClaims(tx, c.address)
	if err != nil {
		return Claim{}, err
	}
	if c.stored != ClaimRefused && slices.ContainsFunc(rivals, func(r Claim) bool { return r.Member != c.Member }) {
		c.State = ClaimContested
	}
	c.Confirmations, c.Refusals, err = countAnswers(tx, c.ID)
	return c, err
}

// holder is the member to whom an address belongs beyond doubt, or "", and
// then those who claim it against each other.
func (s *Service) holder(tx *db.Tx, address string) (owner coop.MemberID, disputed []coop.MemberID, err error) {
	if address == "" {
		return "", nil, nil
	}
	live, err := liveClaims(tx, s.hide(address))
	switch {
	case err != nil || len(live) == 0:
		return "", nil, err
	case len(live) > 1:
		for _, c := range live {
			disputed = append(disputed, c.Member)
		}
		return "", disputed, nil
	case live[0].stored != ClaimConfirmed:
		return "", nil, nil
	}
	return live[0].Member, nil, nil
}

// ClaimAnswer is what somebody else says to a claim. Who confirms writes the
// address they know the member by: it must be the claimed one.
type ClaimAnswer struct {
	Confirm bool
	Email   string // ignored when refusing
}

// AnswerClaim confirms or refuses another member's claim. Refusals: [ErrOwnClaim];
// [ErrClaimAddress] for another address than the claimed one, which is counted,
// and [ErrClaimMistaken] after three of them; [ErrClaimAnswered];
// [ErrClaimDecided]; [ErrClaimContested] for confirming one of two. A steward
// of vetting may still refuse a confirmed claim that is contested.
func (s *Service) AnswerClaim(ctx context.Context, by coop.MemberID, id ClaimID, a ClaimAnswer) (Claim, error) {
	address, ok := gitsource.Address(a.Email)
	if a.Confirm && !ok {
		return Claim{}, ErrClaimInvalid
	}
	out, err := write(ctx, s, "answer claim", func(tx *db.Tx) (claimAnswered, error) {
		return once.Do(tx, func() (claimAnswered, error) { return s.answerClaim(tx, by, id, a.Confirm, s.hide(address)) })
	})
	if err == nil && out.Mistaken {
		return Claim{}, ErrClaimAddress
	}
	return out.Claim, err
}

// claimAnswered is an answer's outcome. A mistake is an outcome and no error,
// or its count would be rolled back.
type claimAnswered struct {
	Claim    Claim
	Mistaken bool
}

func (s *Service) answerClaim(tx *db.Tx, by coop.MemberID, id ClaimID, confirm bool, address string) (claimAnswered, error) {
	m, err := s.current(tx, by)
	if err != nil {
		return claimAnswered{}, err
	}
	c, err := claim(tx, id)
	if err != nil {
		return claimAnswered{}, err
	}
	answer, mistakes, err := answerOf(tx, id, by)
	if err != nil {
		return claimAnswered{}, err
	}
	steward := slices.Contains(m.Offices, coop.Vetting)
	undo := steward && !confirm && c.State == ClaimContested
	switch {
	case c.Member == by:
		return claimAnswered{}, ErrOwnClaim
	case answer != "none" && !undo:
		return claimAnswered{}, ErrClaimAnswered
	case c.stored != ClaimOpen && !undo:
		return claimAnswered{}, ErrClaimDecided
	case confirm && mistakes >= mostMistakes:
		return claimAnswered{}, ErrClaimMistaken
	case confirm && !hmac.Equal([]byte(c.address), []byte(address)):
		return claimAnswered{Mistaken: true}, putAnswer(tx, id, by, "none", s.now(), 1)
	case confirm && c.State == ClaimContested:
		return claimAnswered{}, ErrClaimContested
	}
	to, agreed := ClaimRefused, c.Refusals+1
	if confirm {
		to, agreed = ClaimConfirmed, c.Confirmations+1
	}
	if err := putAnswer(tx, id, by, string(to), s.now(), 0); err != nil {
		return claimAnswered{}, err
	}
	c, err = s.decideClaim(tx, c, to, steward || agreed >= agreeing)
	return claimAnswered{Claim: c}, err
}

func claim(tx *db.Tx, id ClaimID) (Claim, error) {
	c, err := claimByID(tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Claim{}, ErrClaimNotFound
	}
	if err != nil {
		return Claim{}, err
	}
	return contest(tx, c)
}

// claimDecided is what the log commits to.
type claimDecided struct {
	Claim string `json:"claim"`
}

func (s *Service) decideClaim(tx *db.Tx, c Claim, to ClaimState, decided bool) (Claim, error) {
	if decided {
		c.stored, c.DecidedAt = to, s.now()
		if err := setClaim(tx, c); err != nil {
			return Claim{}, err
		}
		e := audit.Event{Kind: "governance.claim", Verdict: string(to), Record: claimDecided{string(c.ID)}}
		if _, err := s.Log.Append(tx, e); err != nil {
			return Claim{}, err
		}
	}
	return contest(tx, c)
}

// WithdrawClaim takes a member's own claim back and forgets it. A refused one
// stays: it would only be claimed again.
func (s *Service) WithdrawClaim(ctx context.Context, by coop.MemberID, id ClaimID) error {
	_, err := write(ctx, s, "withdraw claim", func(tx *db.Tx) (none struct{}, err error) {
		c, err := claim(tx, id)
		switch {
		case err != nil:
			return none, err
		case c.Member != by:
			return none, ErrClaimNotFound
		case c.stored == ClaimRefused:
			return none, ErrClaimRefused
		}
		return none, deleteClaims(tx, by, id)
	})
	return err
}

// MyClaims lists a member's own claims, oldest first.
func (s *Service) MyClaims(ctx context.Context, by coop.MemberID) ([]Claim, error) {
	return read(ctx, s, "my claims", func(tx *db.Tx) ([]Claim, error) {
		list, err := claimsOf(tx, by)
		return contestAll(tx, list, err)
	})
}

// Claims lists claims of others that wait for an answer, newest first: open
// ones, and those that are contested.
func (s *Service) Claims(ctx context.Context, by coop.MemberID, p Page) ([]Claim, error) {
	return read(ctx, s, "claims", func(tx *db.Tx) ([]Claim, error) {
		list, err := waitingClaims(tx, by, p)
		return contestAll(tx, list, err)
	})
}

func contestAll(tx *db.Tx, list []Claim, err error) ([]Claim, error) {
	for i := range list {
		if err == nil {
			list[i], err = contest(tx, list[i])
		}
	}
	return list, err
}

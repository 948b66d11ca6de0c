package governance

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// Lengths of what an identity provider says, in characters. OpenID Connect
// Core 1.0 (section 2) limits a subject to 255.
const (
	longestIssuer  = 2048
	longestSubject = 255
	longestName    = 80
)

// Member is a person with one vote. Issuer and Subject are for signing in and
// nobody else's business; Name is what others see and identifies nobody. A
// closed account keeps only ID, JoinedAt and ClosedAt.
type Member struct {
	ID         coop.MemberID
	Issuer     string
	Subject    string
	Name       string
	JoinedAt   int64         // Unix ms
	ClosedAt   int64         // Unix ms; 0 while the account is open
	Offices    []coop.Office // held now, by the charter
	Recipient  string        // age recipient; empty until set
	SigningKey []byte        // Ed25519 public key; empty until set

	leaf int64 // log entry of the admission
}

// Open reports whether the account has not been closed.
func (m Member) Open() bool { return m.ClosedAt == 0 }

// Identity is who an identity provider says is signing in. Invitation is the
// code that came with them, if any.
type Identity struct {
	Issuer     string
	Subject    string
	Name       string
	Invitation string
}

func (i Identity) check() error {
	if !coop.Line(i.Issuer, 1, longestIssuer) || !coop.Line(i.Subject, 1, longestSubject) {
		return ErrIdentity
	}
	return nil
}

// Admit finds the member behind an identity, bringing the display name up to
// date, or makes a new member: anybody where admission is open, otherwise a
// steward named in the charter or who holds an unused invitation, which it
// spends. It answers [ErrNotAdmitted], [ErrInvitationUsed] or
// [ErrInvitationExpired] to anybody else. Who has closed their account comes
// back as a new member. An admission leaves an entry in the log.
func (s *Service) Admit(ctx context.Context, who Identity) (Member, error) {
	return write(ctx, s, "admit", func(tx *db.Tx) (Member, error) { return s.AdmitTx(tx, who) })
}

// AdmitTx is Admit within the caller's transaction, so that an account at an
// identity provider of the co-op's own comes about together with its member.
func (s *Service) AdmitTx(tx *db.Tx, who Identity) (Member, error) {
	if err := who.check(); err != nil {
		return Member{}, err
	}
	who.Name = displayName(who.Name)
	m, err := s.admit(tx, who)
	return s.inOffice(m), err
}

func (s *Service) admit(tx *db.Tx, who Identity) (Member, error) {
	m, err := memberByIdentity(tx, who.Issuer, who.Subject)
	switch {
	case err == nil && m.Name == who.Name:
		return m, nil
	case err == nil:
		m.Name = who.Name
		return m, renameMember(tx, m)
	case !errors.Is(err, sql.ErrNoRows):
		return Member{}, err
	}
	if err := s.mayJoin(tx, who); err != nil {
		return Member{}, err
	}
	m = Member{
		ID: coop.MemberID(coop.NewID()), Issuer: who.Issuer, Subject: who.Subject,
		Name: who.Name, JoinedAt: s.now(), SigningKey: []byte{},
	}
	m.leaf, err = s.Log.Append(tx, audit.Event{
		Kind: "governance.admit", Verdict: "admitted", Record: admission{Member: string(m.ID)},
	})
	if err != nil {
		return Member{}, err
	}
	return m, insertMember(tx, m)
}

// admission is what the log keeps, until the account is closed.
type admission struct {
	Member string `json:"member"`
}

func (s *Service) mayJoin(tx *db.Tx, who Identity) error {
	if s.Charter.Admission == "open" || len(s.offices(who.Issuer, who.Subject)) > 0 {
		return nil
	}
	return s.spendInvitation(tx, who.Invitation)
}

// Member returns a member by id, also after the account was closed.
func (s *Service) Member(ctx context.Context, id coop.MemberID) (Member, error) {
	return read(ctx, s, "member", func(tx *db.Tx) (Member, error) { return s.member(tx, id) })
}

func (s *Service) member(tx *db.Tx, id coop.MemberID) (Member, error) {
	m, err := memberByID(tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, ErrMemberNotFound
	}
	return s.inOffice(m), err
}

// current is member for somebody who acts: the account must be open.
func (s *Service) current(tx *db.Tx, id coop.MemberID) (Member, error) {
	m, err := s.member(tx, id)
	if errors.Is(err, ErrMemberNotFound) || err == nil && !m.Open() {
		return Member{}, ErrNotAMember
	}
	return m, err
}

// ByIdentity finds the member who signs in with an identity, or [ErrMemberNotFound].
func (s *Service) ByIdentity(tx *db.Tx, issuer, subject string) (Member, error) {
	m, err := memberByIdentity(tx, issuer, subject)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrMemberNotFound
	}
	return m, err
}

// Members lists open accounts, newest first.
func (s *Service) Members(ctx context.Context, p Page) ([]Member, error) {
	return read(ctx, s, "members", func(tx *db.Tx) ([]Member, error) {
		list, err := collectPage(tx, p, openMembers, scanMember[*sql.Rows])
		for i := range list {
			list[i] = s.inOffice(list[i])
		}
		return list, err
	})
}

// Holds reports whether an open account holds an office now. On an error it
// answers false.
func (s *Service) Holds(ctx context.Context, id coop.MemberID, office coop.Office) (bool, error) {
	m, err := s.Member(ctx, id)
	if errors.Is(err, ErrMemberNotFound) {
		return false, nil
	}
	return err == nil && slices.Contains(m.Offices, office), err
}

func (s *Service) inOffice(m Member) Member {
	m.Offices = []coop.Office{}
	if m.Open() {
		m.Offices = s.offices(m.Issuer, m.Subject)
	}
	return m
}

func (s *Service) offices(issuer, subject string) []coop.Office {
	held := []coop.Office{}
	if s.Issuer != "" && issuer != s.Issuer {
		return held
	}
	for _, h := range s.Charter.Offices {
		if h.Subject == subject && !slices.Contains(held, h.Office) {
			held = append(held, h.Office)
		}
	}
	return held
}

// SetRecipient records the age recipient that a member's data are encrypted
// to, in place of the one that the caller has seen, "" for none. Anything but an
// X25519 or post-quantum hybrid recipient is header.ErrRecipient; where by now
// there is neither the one seen nor the new one, it is db.ErrNoRow.
func (s *Service) SetRecipient(ctx context.Context, id coop.MemberID, seen, recipient string) error {
	if _, _, err := header.ParseRecipient(recipient); err != nil {
		return fmt.Errorf("governance: recipient: %w", err)
	}
	return s.change(ctx, "recipient", id, func(tx *db.Tx, _ Member) error {
		return errors.Join(setRecipient(tx, id, seen, recipient), s.Jobs.Tell(tx, changed(coop.NoticeRecipient, id)))
	})
}

// SetSigningKey records the Ed25519 public key that a member signs manifests
// with, in place of the one that the caller has seen, empty for none; db.ErrNoRow
// as with [Service.SetRecipient].
func (s *Service) SetSigningKey(ctx context.Context, id coop.MemberID, seen, key []byte) error {
	if len(key) != ed25519.PublicKeySize {
		return ErrSigningKey
	}
	return s.change(ctx, "signing key", id, func(tx *db.Tx, _ Member) error {
		return errors.Join(setSigningKey(tx, id, seen, key), s.Jobs.Tell(tx, changed(coop.NoticeSigningKey, id)))
	})
}

// changed tells a member what was changed about their account, each time.
func changed(kind string, id coop.MemberID) coop.Notice {
	return coop.Notice{Kind: kind, Occasion: coop.NewID(), To: []coop.Addressee{{Member: id}}}
}

// CloseAccount ends a membership: the identity, name, recipient, key and
// claimed addresses are gone, and so is the record behind the admission's log entry. Ballots stay
// counted, because nothing ties them to the member; contributions stay under
// the bare id. Datasets are the vault's: revoke them first.
func (s *Service) CloseAccount(ctx context.Context, id coop.MemberID) error {
	return s.change(ctx, "close account", id, func(tx *db.Tx, m Member) error {
		if err := closeMember(tx, id, s.now()); err != nil {
			return err
		}
		if err := deleteClaims(tx, id, ""); err != nil {
			return err
		}
		return s.Log.Erase(tx, m.leaf)
	})
}

// change runs fn on an open account.
func (s *Service) change(ctx context.Context, what string, id coop.MemberID, fn func(*db.Tx, Member) error) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		m, err := s.member(tx, id)
		if err != nil {
			return err
		}
		if !m.Open() {
			return ErrAccountClosed
		}
		return fn(tx, m)
	})
	if err != nil {
		return fmt.Errorf("governance: %s: %w", what, err)
	}
	return nil
}

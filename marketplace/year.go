package marketplace

import (
	"context"
	"errors"
	"io"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/treasury"
)

// Year is a member's statement of one calendar year: what was settled for them,
// paid out, given away and carried over. treasury.ErrYear for a year that cannot
// be.
func (s *Service) Year(ctx context.Context, m coop.MemberID, year int) (treasury.Year, error) {
	lines, err := s.Movements(ctx, m)
	if err != nil {
		return treasury.Year{}, err
	}
	return treasury.YearOf(lines, year, s.Charter.Currency)
}

// Movements lists everything that ever moved what a member is owed.
func (s *Service) Movements(ctx context.Context, m coop.MemberID) ([]AccountLine, error) {
	return read(ctx, s, func(tx *db.Tx) ([]treasury.Line, error) {
		lines, err := s.Account(tx, m)
		if err != nil {
			return nil, err
		}
		awards, err := s.Awards(tx, m, false)
		for _, a := range awards {
			lines = append(lines, treasury.Line{At: a.At, Kind: treasury.LineAward, Ref: string(a.Period), Amount: a.Amount})
		}
		return lines, err
	})
}

// Journal writes the books, or all accounts of patronage, as a plain-text journal
// for a steward of the treasury; see ledger.Service.Journal. It holds the ids of
// members and what they earned. ErrOffice for anybody else.
func (s *Service) Journal(ctx context.Context, steward coop.MemberID, units bool, w io.Writer) error {
	if err := s.needs(ctx, steward, coop.Treasury); err != nil {
		return err
	}
	if units {
		return s.PatronageJournal(ctx, w)
	}
	return s.Ledger.Journal(ctx, w)
}

// verifyAccounts holds what the books owe members against what the rest of the
// house says of it.
func (s *Service) verifyAccounts(ctx context.Context) error {
	kept, err := s.Kept(ctx)
	awarded, unread := s.Awarded(ctx)
	books, unbalanced := s.Ledger.Balances(ctx, ledger.Members)
	if err := errors.Join(err, unread, unbalanced); err != nil {
		return err
	}
	return treasury.Agree(books, kept, awarded)
}

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

var errOwed = errors.New("what the books owe a member is not what was settled, less what was paid out and given")

// verifyAccounts holds what the books owe members against what the rest of the
// house says of it.
func (s *Service) verifyAccounts(ctx context.Context) error {
	want, err := s.Kept(ctx)
	if err != nil {
		return err
	}
	awards, err := read(ctx, s, func(tx *db.Tx) (map[coop.MemberID]coop.Money, error) {
		out := map[coop.MemberID]coop.Money{}
		list, err := s.Awards(tx, "", true)
		for _, a := range list {
			out[a.Member] += a.Amount
		}
		return out, err
	})
	if err != nil {
		return err
	}
	have, err := s.Ledger.Balances(ctx, ledger.Members)
	if err != nil {
		return err
	}
	for _, b := range have {
		m, _ := b.Account.Member()
		if b.Amount != want[m]+awards[m] {
			return errOwed
		}
		delete(want, m)
	}
	for _, left := range want {
		if left != 0 {
			return errOwed
		}
	}
	return nil
}

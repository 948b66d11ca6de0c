package governance

import (
	"database/sql"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// The length of a page when none is asked for, and the longest there is.
const (
	defaultPage = 20
	longestPage = 100
)

// afterEveryID sorts behind all ids, which are hexadecimal.
const afterEveryID = "~"

var errCursor = fault.New(fault.Invalid, "cursor-invalid", "This list has no such place to continue from.")

// Page chooses a part of a list that is ordered newest first: what is older
// than the id Before, or what is newer than the id After, at most Limit
// entries (1 to 100; 0 means 20). The zero value is the first page.
type Page struct {
	Before string
	After  string
	Limit  int
}

func (p Page) check() (Page, error) {
	if p.Limit == 0 {
		p.Limit = defaultPage
	}
	switch {
	case p.Limit < 0 || p.Limit > longestPage, p.Before != "" && p.After != "":
		return Page{}, errCursor
	case p.Before != "" && !coop.ValidID(p.Before), p.After != "" && !coop.ValidID(p.After):
		return Page{}, errCursor
	}
	if p.Before == "" {
		p.Before = afterEveryID
	}
	return p, nil
}

// queries holds a list's two directions. Each takes args, a cursor and a limit.
type queries struct{ older, newer string }

func collectPage[T any](tx *db.Tx, p Page, q queries, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	p, err := p.check()
	if err != nil {
		return nil, err
	}
	if p.After == "" {
		return db.Collect(tx, scan, q.older, append(args, p.Before, p.Limit)...)
	}
	items, err := db.Collect(tx, scan, q.newer, append(args, p.After, p.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	slices.Reverse(items)
	return items, nil
}

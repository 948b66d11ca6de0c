// Package closing keeps what was fixed at the moment in which a period closed, so
// that its statement can be computed again and comes out the same.
//
// # What it is for
//
// A statement is computed when its period closes, and again where an appeal or a
// dispute changes a fact. What rests on the charter must not move in between: the
// numbers of the formula, how appeals are heard, and whether the co-op's accounts
// count as persons because somebody let them in or the identity provider tells
// them apart. All of that is written down when the period closes and read from
// there alone.
//
// # What it guarantees
//
// A period is fixed once, in the transaction that closes it. What it says of
// accounts goes into the evidence ([appraisal.Evidence.Vouched]), so that whoever
// has the bundle sees by which rule uses weigh, and `datacoop verify statement`
// holds their grades against it.
//
// # What it refuses
//
// To fix a period a second time. A period that closed before there was such a
// record, or that is still open, has none: it goes by the charter as it stands.
package closing

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate makes the table.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "closing", schema) }

// Fixed is what a period is appraised and its appeals are heard by.
type Fixed struct {
	Challenge int64            `json:"challenge_hours"`
	Hearing   coop.Hearing     `json:"hearing"`
	Params    appraisal.Params `json:"params"`  // without what members vote on: how much families of judges count, and the split
	Vouched   string           `json:"vouched"` // appraisal.VouchedAll or VouchedPaid; "" where nobody decided it then
}

// of is what a charter says, for a period that began under certain terms; nil for
// one of which they were not noted.
func of(c coop.Charter, began *appraisal.Params) Fixed {
	f := Fixed{Challenge: c.ChallengeHours, Hearing: c.Hearing(), Params: appraisal.ParamsOf(c), Vouched: appraisal.VouchedPaid}
	if began != nil {
		f.Params = f.Params.Keeping(*began)
	}
	if c.Admission != "open" || c.Identified {
		f.Vouched = appraisal.VouchedAll
	}
	return f
}

// Fix writes down what a period that closes goes by: what the charter says, but
// never less for members than when the period began.
func Fix(tx *db.Tx, id coop.PeriodID, c coop.Charter) error {
	began, err := terms(tx, id)
	if err != nil {
		return err
	}
	text, err := json.Marshal(of(c, began))
	if err != nil {
		return desk.Failed("fix period", err)
	}
	return desk.Failed("fix period", tx.ExecOne(sqlFix, id, string(text)))
}

// For is what a period goes by: what was fixed when it closed; without a record,
// what would be fixed now.
func For(tx *db.Tx, id coop.PeriodID, c coop.Charter) (f Fixed, err error) {
	var text string
	err = tx.QueryRow(sqlFixed, id).Scan(&text)
	if errors.Is(err, db.ErrNoRow) {
		began, err := terms(tx, id)
		return of(c, began), err
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &f)
	}
	return f, desk.Failed("fixed", err)
}

// Ends is until when, in Unix milliseconds, a statement that is published now can be
// contested.
func Ends(tx *db.Tx, id coop.PeriodID, c coop.Charter, now int64) (int64, error) {
	f, err := For(tx, id, c)
	return now + f.Challenge*time.Hour.Milliseconds(), err
}

// terms reads what a period began under; nil for one from before that was noted.
func terms(tx *db.Tx, id coop.PeriodID) (began *appraisal.Params, err error) {
	var text string
	if err := tx.QueryRow(sqlTerms, id).Scan(&text); err != nil || text == "" {
		return nil, desk.Found(err, "terms")
	}
	err = json.Unmarshal([]byte(text), &began)
	return began, desk.Failed("terms", err)
}

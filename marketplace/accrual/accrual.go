// Package accrual says while a period still runs what the uses of a member's data
// have brought, without dividing anything between all members.
//
// # How revenue arrives
//
// Whatever arrives touches a fixed number of rows. In the books a payment is one
// entry of two postings, and the revenue of a delivery another: all of it is held
// for the members together until the period is settled. Beside the books each
// request has a [Stream], an accumulator of two numbers: the money that has come
// and the sum of the weights it is for. Money per unit of weight is their
// quotient; it is not kept rounded but as the two numbers, so that no remainder
// is lost on the way and what rounding leaves stays in the stream. A member's
// part is their weight times that quotient, and what came between two moments is
// the difference of two readings. A reading costs as many rows as the member has
// requests.
//
// The weights are those of the appraisal's formula, and so is the rule that a
// member's best dataset counts once. Weight that comes later therefore has its
// part in money that came before, as it has when the period is divided: a stream
// that paid out by the order of arrival would not be patronage.
//
// # What it guarantees
//
// While nothing is disputed, and nobody's data count together with somebody
// else's (package cluster, which looks when a period closes), a reading is the revenue that a statement of the same
// moment attributes to the member, or for each request a thousandth of a minor
// unit more, because the statement rounds twice. Parts never add up to more than
// what has come.
//
// # What it is not
//
// No promise: commission, reserve and purpose come off, work and duties have
// their part, judges move amounts within bounds. Settlement rests on the
// evidence alone and never reads this.
package accrual

import (
	"context"
	"embed"
	"math/big"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate makes the counter's tables.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "accrual", schema) }

// Stream is what one request has brought in a period.
type Stream struct {
	Money  int64 // minor units
	Weight int64
}

// Arrive adds money for a member whose weight in the stream was before, and
// answers what it is then.
func (s *Stream) Arrive(money, before, weight int64) (after int64) {
	after = max(before, weight)
	s.Money += money
	s.Weight += after - before
	return after
}

// Of is the part of a weight in thousandths of a minor unit, rounded down; a
// weight of at most the stream's.
func (s Stream) Of(weight int64) int64 {
	if s.Weight == 0 {
		return 0
	}
	out := big.NewInt(s.Money)
	out.Mul(out.Mul(out, big.NewInt(1000)), big.NewInt(weight))
	return out.Quo(out, big.NewInt(s.Weight)).Int64()
}

// Arrive notes that a request has brought money by a member's dataset of some
// weight, in the period that runs.
func Arrive(tx *db.Tx, r coop.RequestID, m coop.MemberID, money coop.Money, weight int64) error {
	period, err := running(tx)
	if err != nil {
		return err
	}
	before, err := partOf(tx, m, period, r)
	if err != nil {
		return err
	}
	var change Stream
	after := change.Arrive(int64(money), before, weight)
	if err := putPart(tx, m, period, r, after); err != nil {
		return err
	}
	return addStream(tx, period, r, change)
}

// SoFar is what the uses of a member's data have brought in the period that
// runs, in thousandths of a minor unit. What a related party pays is not counted:
// it is nobody's (package related).
func SoFar(ctx context.Context, d *db.DB, m coop.MemberID) (int64, error) {
	return desk.Read(ctx, d, func(tx *db.Tx) (sum int64, err error) {
		period, err := running(tx)
		if err != nil {
			return 0, err
		}
		parts, err := parts(tx, m, period)
		for _, p := range parts {
			sum += p.stream.Of(p.weight)
		}
		return sum, err
	})
}

// Package incident is the part of the API through which stewards stop every
// delivery of the co-op at once, and members read why.
//
// # What it is for
//
// The hall mounts these handlers and answers for who calls; each translates
// between what the API says and what the market knows, and nothing else.
//
// # What it guarantees
//
// Every member reads the same: whether deliveries are made, since when not, and
// the reason. Who ordered it is the stewards' to know.
//
// # What it refuses
//
// Nothing of its own: every rule is the market's, and so is every refusal.
package incident

import (
	"context"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
)

// API answers for the market. Caller finds who makes a request.
type API struct {
	Market *marketplace.Service
	Caller func(context.Context) coop.MemberID
}

// None is a question without anything in it.
type None struct{}

// Order is what a steward orders.
type Order struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1200" doc:"Why, in a sentence of 10 to 300 characters that every member reads"`
	}
}

// State is whether deliveries are made.
type State struct {
	Frozen   bool       `json:"frozen"`
	Incident string     `json:"incident,omitempty" doc:"Reference of the stop, the last one where it has been lifted"`
	Reason   string     `json:"reason,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Asked    bool       `json:"lift_asked,omitempty" doc:"A steward has asked to lift it; a second one has to agree"`
	Lifted   *time.Time `json:"lifted,omitempty"`
}

// Answer is the state after a call.
type Answer struct{ Body State }

// Now says whether deliveries are made.
func (a API) Now(ctx context.Context, _ *None) (*Answer, error) { return wire(a.Market.Frozen(ctx)) }

// Freeze stops every delivery.
func (a API) Freeze(ctx context.Context, in *Order) (*Answer, error) {
	return wire(a.Market.Freeze(ctx, a.Caller(ctx), in.Body.Reason))
}

// Unfreeze asks to lift the stop, or agrees to it.
func (a API) Unfreeze(ctx context.Context, _ *None) (*Answer, error) {
	return wire(a.Market.Unfreeze(ctx, a.Caller(ctx)))
}

func wire(i marketplace.Incident, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	s := State{Frozen: i.Standing(), Incident: i.ID, Reason: i.Reason, Since: at(i.FrozenAt), Lifted: at(i.LiftedAt)}
	s.Asked = s.Frozen && i.AskedBy != ""
	return &Answer{s}, nil
}

func at(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

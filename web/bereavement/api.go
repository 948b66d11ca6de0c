package bereavement

import (
	"context"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/offer"
)

// API answers for the desk. Member finds who makes a request.
type API struct {
	*Service
	Member func(context.Context) coop.MemberID
}

// Bereavement is a report as stewards read it.
type Bereavement struct {
	ID          string     `json:"id"`
	Reference   string     `json:"reference"`
	Member      string     `json:"member" doc:"The membership number"`
	Evidence    string     `json:"evidence" enum:"certificate,register,court,notary" doc:"The paper that was seen"`
	State       string     `json:"state" enum:"reported,confirmed,stopped,withdrawn,lapsed,closed"`
	InEffect    bool       `json:"in_effect" doc:"Whether sharing is paused and the member signed out because of it"`
	ReportedAt  time.Time  `json:"reported_at"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	Until       *time.Time `json:"until,omitempty" doc:"When a report that nobody confirms lapses, or the account of a confirmed one is closed"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
}

func wire(r Report) Bereavement {
	return Bereavement{ID: r.ID, Reference: r.Reference, Member: string(r.Member), Evidence: r.Evidence, State: r.State,
		InEffect: r.Stands() && !r.Waits, ReportedAt: time.UnixMilli(r.ReportedAt).UTC(), ConfirmedAt: moment(r.ConfirmedAt), Until: moment(r.Until()), EndedAt: moment(r.EndedAt)}
}

func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// Answer is a report after a call.
type Answer struct{ Body Bereavement }

func answer(r Report, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	return &Answer{wire(r)}, nil
}

// Bereavements is every report.
type Bereavements struct {
	Items []Bereavement `json:"items" nullable:"false"`
}

// List is an answer of every report.
type List struct{ Body Bereavements }

// BereavementDraft is what a steward reports.
type BereavementDraft struct {
	Member   string `json:"member" minLength:"1" maxLength:"120" doc:"The membership number, or the name they sign in with"`
	Evidence string `json:"evidence" enum:"certificate,register,court,notary" doc:"The paper that the caller has seen"`
}

// Order is a steward's report.
type Order struct{ Body BereavementDraft }

// ByID names a report.
type ByID struct {
	ID string `path:"id" maxLength:"36"`
}

// Offer mounts the routes of the API.
func (a API) Offer(d offer.Desk) {
	const path = "/v1/bereavements"
	offer.On(d, offer.Operation{Method: "GET", Path: path, Summary: "Members whose death was reported, for stewards", Who: offer.Members}, a.list)
	offer.On(d, offer.Operation{Method: "POST", Path: path, Summary: "Report, as a steward who has seen a paper, that a member has died", Who: offer.Members, Status: 201}, a.order)
	offer.On(d, offer.Operation{Method: "POST", Path: path + "/{id}/confirm", Summary: "Confirm it, as a second steward who has seen the paper", Who: offer.Members}, a.second)
	offer.On(d, offer.Operation{Method: "POST", Path: path + "/{id}/withdraw", Summary: "Withdraw a report that was wrong", Who: offer.Members}, a.undo)
}

// Held is what was reported of whoever asks.
func (a API) Held(ctx context.Context, _ string) (out []any, _ string, err error) {
	err = a.DB.View(ctx, func(tx *db.Tx) error {
		all, err := of(tx, a.Member(ctx))
		for _, r := range all {
			out = append(out, wire(r))
		}
		return err
	})
	return out, "", err
}

func (a API) list(ctx context.Context, _ *struct{}) (*List, error) {
	all, err := a.All(ctx, a.Member(ctx))
	if err != nil {
		return nil, err
	}
	out := &List{}
	out.Body.Items = make([]Bereavement, 0, len(all))
	for _, r := range all {
		out.Body.Items = append(out.Body.Items, wire(r))
	}
	return out, nil
}

func (a API) order(ctx context.Context, in *Order) (*Answer, error) {
	steward, err := a.Governance.Member(ctx, a.Member(ctx))
	if err != nil {
		return nil, err
	}
	if len(steward.Offices) == 0 {
		return nil, marketplace.ErrOffice
	}
	m, err := a.Named(ctx, steward, in.Body.Member)
	if err != nil {
		return nil, err
	}
	return answer(a.Report(ctx, steward.ID, m.ID, in.Body.Evidence))
}

func (a API) second(ctx context.Context, in *ByID) (*Answer, error) {
	return answer(a.Confirm(ctx, a.Member(ctx), in.ID))
}

func (a API) undo(ctx context.Context, in *ByID) (*Answer, error) {
	return answer(a.Withdraw(ctx, a.Member(ctx), in.ID))
}

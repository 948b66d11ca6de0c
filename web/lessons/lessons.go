// Package lessons is the part of the hall about what judges learn from people:
// pairs that members drawn by lot compare, the calibration sets these become, and
// candidates for judging that run in shadow and are voted on.
//
// # What it is for
//
// The hall mounts these handlers and pages and answers for who calls; each
// translates between what the API says and what the market knows.
//
// # What it guarantees
//
// Who is asked about a pair sees no name, no pseudonym and no score. A sealed half
// is shown only once it is disclosed, a run only with its comparison. Lists are
// never null.
//
// # What it refuses
//
// Nothing of its own: every rule is the market's, and so is every refusal.
package lessons

import (
	"context"
	"encoding/json"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
)

// API answers for the market. Member finds who makes a request.
type API struct {
	Market *marketplace.Service
	Clock  coop.Clock
	Member func(context.Context) coop.MemberID
}

// Side is a dossier as a judge saw it.
type Side struct {
	Facts []client.PanelFact `json:"facts"`
	Text  string             `json:"text,omitempty" doc:"Of work; whatever in it speaks to you is part of the text"`
}

// SpotCheck is a pair that a member is or was asked about.
type SpotCheck struct {
	ID        string                 `json:"id"`
	Period    string                 `json:"period"`
	Kind      string                 `json:"kind" enum:"data,work,governance"`
	Class     string                 `json:"class,omitempty"`
	Left      Side                   `json:"left"`
	Right     Side                   `json:"right"`
	Rubric    string                 `json:"rubric,omitempty" doc:"What the members want weighed"`
	Questions []client.PanelQuestion `json:"questions" doc:"That judges answer about each; they help to compare"`
	Deadline  time.Time              `json:"deadline"`
	State     string                 `json:"state" enum:"waiting,scored,stepped-back,silent"`
	Said      string                 `json:"said,omitempty" enum:"left,right,same"`
}

// SpotCheckAnswer is what a member says of a pair.
type SpotCheckAnswer struct {
	Answer   string `json:"answer,omitempty" enum:"left,right,same" doc:"Which deserves more; it stands"`
	StepBack bool   `json:"step_back,omitempty" doc:"You have an interest in the pair, or cannot tell; the next is asked"`
}

// Calibration is a period's calibration set.
type Calibration struct {
	Period     string          `json:"period"`
	State      string          `json:"state" enum:"called,asking,sealed"`
	Asked      int             `json:"asked" doc:"Pairs that three members each are asked about"`
	Of         int             `json:"of" doc:"Of as many that could be compared"`
	Why        string          `json:"why,omitempty" doc:"Why nobody is asked"`
	Record     json.RawMessage `json:"record,omitempty" doc:"Of the draw, to compute again; once sealed"`
	Open       []learning.Pair `json:"open" doc:"The half that everybody may learn from"`
	Commitment string          `json:"commitment,omitempty" doc:"SHA-256 of the sealed half, as the log has it"`
	Holdout    json.RawMessage `json:"holdout,omitempty" doc:"The sealed half, byte for byte, once it is disclosed two periods later"`
}

// CandidateDraft is a candidate before it is entered.
type CandidateDraft struct {
	Title string `json:"title" minLength:"1" maxLength:"120"`
	Why   string `json:"why" minLength:"1" maxLength:"4000"`
	Form  string `json:"form" maxLength:"32768" doc:"TOML in a charter's keys: [[judges]], rubric, prompt; or learned_weights = true"`
}

// CandidateRun is how a candidate's run in one period went.
type CandidateRun struct {
	Period string `json:"period"`
	State  string `json:"state" enum:"due,done,failed"`
	Note   string `json:"note,omitempty"`
}

// Candidate is judges, or a way of asking them, that is tried in shadow.
type Candidate struct {
	ID         string                  `json:"id"`
	Title      string                  `json:"title"`
	Why        string                  `json:"why"`
	State      string                  `json:"state" enum:"running,offered,withdrawn"`
	SHA256     string                  `json:"sha256" doc:"Of the form, as the log has it"`
	Judges     []string                `json:"judges" doc:"Family and model of each, where it changes them"`
	Rubric     string                  `json:"rubric,omitempty"`
	Prompt     string                  `json:"prompt,omitempty"`
	Weights    []appraisal.Reliability `json:"weights" doc:"How much each family counts, in thousandths, and what that was learned from"`
	EnteredAt  time.Time               `json:"entered_at"`
	Runs       []CandidateRun          `json:"runs"`
	Answer     string                  `json:"answer,omitempty" enum:"better,not proven,worse" doc:"Of the newest comparison"`
	Verdict    *learning.Verdict       `json:"verdict,omitempty"`
	Comparison json.RawMessage         `json:"comparison,omitempty" doc:"The whole comparison, to compute again"`
	Vote       *CandidateVote          `json:"vote,omitempty" doc:"Once it was offered"`
	InForce    *time.Time              `json:"in_force_from,omitempty"`
}

// CandidateVote is how far the vote on a candidate is. The counts are there once
// it is counted.
type CandidateVote struct {
	State      string    `json:"state" enum:"waiting,voting,adopted,rejected,baseline" doc:"rejected and baseline: the judge in force stays"`
	ClosesAt   time.Time `json:"closes_at"`
	Electorate int       `json:"electorate"`
	Needed     int       `json:"needed"`
	Voted      bool      `json:"voted"`
	Yes        int       `json:"yes"`
	No         int       `json:"no"`
	Abstain    int       `json:"abstain"`
}

func reply[T any](v T, err error) (*appeals.Body[T], error) {
	if err != nil {
		return nil, err
	}
	return &appeals.Body[T]{Body: v}, nil
}

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// SpotChecks lists the pairs that the caller is or was asked about.
func (a API) SpotChecks(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[SpotCheck]], error) {
	list, err := a.Market.SpotChecks(ctx, a.Member(ctx))
	return reply(client.Page[SpotCheck]{Items: each(list, wireCheck)}, err)
}

// Answer takes what the caller says of a pair.
func (a API) Answer(ctx context.Context, in *appeals.About[SpotCheckAnswer]) (*appeals.Body[SpotCheck], error) {
	if in.Body.StepBack {
		d, err := a.Market.PassSpotCheck(ctx, a.Member(ctx), in.ID)
		return reply(wireCheck(d), err)
	}
	d, err := a.Market.AnswerSpotCheck(ctx, a.Member(ctx), in.ID, in.Body.Answer)
	return reply(wireCheck(d), err)
}

// Sets lists the calibration sets, newest first, without their documents.
func (a API) Sets(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[Calibration]], error) {
	list, err := a.Market.Calibrations(ctx)
	return reply(client.Page[Calibration]{Items: each(list, func(v marketplace.Calibration) Calibration {
		out := wireSet(v)
		out.Record, out.Holdout = nil, nil
		return out
	})}, err)
}

// Set is a period's calibration set.
func (a API) Set(ctx context.Context, in *appeals.ByID) (*appeals.Body[Calibration], error) {
	v, err := a.Market.Calibration(ctx, coop.PeriodID(in.ID))
	return reply(wireSet(v), err)
}

// SetDocument is a sealed set as one file, which `datacoop verify calibration`
// computes again.
func (a API) SetDocument(ctx context.Context, in *appeals.ByID) (*appeals.Body[json.RawMessage], error) {
	text, err := a.Market.CalibrationDocument(ctx, coop.PeriodID(in.ID))
	return reply(json.RawMessage(text), err)
}

// ComparisonDocument is a candidate's comparison as one file, which `datacoop
// verify comparison` computes again.
func (a API) ComparisonDocument(ctx context.Context, in *appeals.ByID) (*appeals.Body[json.RawMessage], error) {
	text, err := a.Market.ComparisonDocument(ctx, in.ID)
	return reply(json.RawMessage(text), err)
}

// Enter has a candidate run in shadow.
func (a API) Enter(ctx context.Context, in *appeals.Body[CandidateDraft]) (*appeals.Body[Candidate], error) {
	c, err := a.Market.Enter(ctx, a.Member(ctx), marketplace.CandidateEntry{Title: in.Body.Title, Why: in.Body.Why, Form: []byte(in.Body.Form)})
	return reply(wireCandidate(marketplace.CandidateView{Candidate: c}), err)
}

// Withdraw ends a candidate.
func (a API) Withdraw(ctx context.Context, in *appeals.ByID) (*appeals.Body[Candidate], error) {
	c, err := a.Market.Withdraw(ctx, a.Member(ctx), in.ID)
	return reply(wireCandidate(marketplace.CandidateView{Candidate: c}), err)
}

// Candidates lists all candidates, newest first, without their comparisons.
func (a API) Candidates(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[Candidate]], error) {
	list, err := a.Market.Candidates(ctx, a.Member(ctx))
	return reply(client.Page[Candidate]{Items: each(list, func(v marketplace.CandidateView) Candidate {
		out := wireCandidate(v)
		out.Comparison = nil
		return out
	})}, err)
}

// Candidate is one candidate with its comparison.
func (a API) Candidate(ctx context.Context, in *appeals.ByID) (*appeals.Body[Candidate], error) {
	v, err := a.Market.CandidateOf(ctx, a.Member(ctx), in.ID)
	return reply(wireCandidate(v), err)
}

// Offer puts a candidate to the vote.
func (a API) Offer(ctx context.Context, in *appeals.ByID) (*appeals.Body[Candidate], error) {
	v, err := a.Market.Offer(ctx, a.Member(ctx), in.ID)
	return reply(wireCandidate(v), err)
}

// Cast takes a ballot on a candidate.
func (a API) Cast(ctx context.Context, in *appeals.About[client.AdoptionBallot]) (*appeals.Body[client.AdoptionBallot], error) {
	receipt, err := a.Market.CastCandidate(ctx, a.Member(ctx), in.ID, in.Body.Choice)
	return reply(client.AdoptionBallot{Choice: in.Body.Choice, Receipt: receipt}, err)
}

// Ballots lists what was counted about a candidate.
func (a API) Ballots(ctx context.Context, in *appeals.ByID) (*appeals.Body[client.Page[client.CountedBallot]], error) {
	list, err := a.Market.CandidateBallots(ctx, in.ID)
	out := client.Page[client.CountedBallot]{Items: []client.CountedBallot{}}
	for _, b := range list {
		out.Items = append(out.Items, client.CountedBallot{ReceiptSHA256: b.ReceiptSHA256, Choice: b.Choice})
	}
	return reply(out, err)
}

func wireFacts(list []appraisal.Fact) []client.PanelFact {
	return each(list, func(f appraisal.Fact) client.PanelFact { return client.PanelFact{Name: f.Name, Value: f.Value} })
}

func wireCheck(d marketplace.SpotCheck) SpotCheck {
	out := SpotCheck{ID: d.ID, Period: string(d.Period), Kind: d.Kind, Class: d.Class, Rubric: d.Rubric, Deadline: at(d.Deadline), State: d.State, Said: d.Said,
		Left: Side{wireFacts(d.Left.Facts), d.Left.Text}, Right: Side{wireFacts(d.Right.Facts), d.Right.Text}, Questions: []client.PanelQuestion{}}
	for _, q := range d.Questions {
		out.Questions = append(out.Questions, client.PanelQuestion{ID: q.ID, Text: q.Text})
	}
	return out
}

func wireSet(v marketplace.Calibration) Calibration {
	return Calibration{Period: string(v.Period), State: v.State, Asked: v.Asked, Of: v.Of, Why: v.Why, Record: v.Record,
		Open: append([]learning.Pair{}, v.Open...), Commitment: v.Commitment, Holdout: v.Holdout}
}

func wireCandidate(v marketplace.CandidateView) Candidate {
	out := Candidate{ID: v.ID, Title: v.Title, Why: v.Why, State: v.State, SHA256: v.SHA256, Judges: []string{}, Rubric: v.Form.Rubric, Prompt: v.Form.Prompt,
		Weights: append([]appraisal.Reliability{}, v.Form.Reliability...), EnteredAt: at(v.EnteredAt), Runs: []CandidateRun{}, Answer: v.Answer, Comparison: v.Comparison}
	for _, m := range v.Form.Judges {
		out.Judges = append(out.Judges, m.Family+": "+m.Name)
	}
	for _, r := range v.Runs {
		out.Runs = append(out.Runs, CandidateRun{string(r.Period), r.State, r.Note})
	}
	if v.Answer != "" {
		out.Verdict = &v.Verdict
	}
	if v.Vote != nil {
		out.Vote = &CandidateVote{State: v.Vote.State, ClosesAt: at(v.Vote.ClosesAt), Electorate: v.Vote.Electorate, Needed: v.Vote.Needed, Voted: v.Voted,
			Yes: v.Vote.Yes, No: v.Vote.No, Abstain: v.Vote.Abstain}
	}
	if v.InForce > 0 {
		from := at(v.InForce)
		out.InForce = &from
	}
	return out
}

// All are the pairs that the caller was asked about, as they can be taken along.
func (a API) All(ctx context.Context, _ string) ([]any, string, error) {
	list, err := a.Market.SpotChecks(ctx, a.Member(ctx))
	return each(list, func(d marketplace.SpotCheck) any { return wireCheck(d) }), "", err
}

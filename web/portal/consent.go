package portal

import (
	"context"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// standing is the answer that governs a pool or a dataset now.
type standing struct {
	Record    consent.Record
	Found     bool
	Own       bool // the dataset has an answer of its own
	Stopped   bool // a later no for the whole pool counts as well
	Sentences []string
	Receipt   string // where the signed receipt is
}

// Given reports whether something is allowed at all.
func (s standing) Given() bool {
	return s.Found && !s.Stopped && s.Record.State == consent.StateGiven
}

// standing finds the governing answer: a dataset's own one, else the pool's.
// An empty dataset asks about the pool.
func (p *Portal) standing(ctx context.Context, m coop.MemberID, pool coop.PoolID, ds coop.DatasetID) (standing, error) {
	r, found, err := p.Consent.Pool(ctx, m, pool)
	if err != nil {
		return standing{}, err
	}
	s := standing{Record: r, Found: found, Receipt: "/v1/me/consents/pools/" + string(pool) + "/receipt"}
	if ds != "" {
		own, has, err := p.Consent.Dataset(ctx, m, ds)
		if err != nil {
			return standing{}, err
		}
		if has {
			s = standing{Record: own, Found: true, Own: true, Receipt: "/v1/me/consents/datasets/" + string(ds) + "/receipt",
				Stopped: found && r.State != consent.StateGiven && r.Seq > own.Seq}
		}
	}
	if s.Found {
		s.Sentences = s.Record.Sentences(p.Charter.Currency)
	}
	return s, nil
}

// answered is one pool on the list of answers.
type answered struct {
	coop.Pool
	Standing standing
}

// consents lists the member's answer for every pool.
func (p *Portal) consents(v *visit) error {
	var out []answered
	for _, pool := range p.Charter.Pools {
		s, err := p.standing(v.ctx(), v.me.ID, pool.ID, "")
		if err != nil {
			return err
		}
		out = append(out, answered{pool, s})
	}
	// What has an answer comes first, otherwise in the charter's order.
	slices.SortStableFunc(out, func(a, b answered) int {
		switch {
		case a.Standing.Found == b.Standing.Found:
			return 0
		case a.Standing.Found:
			return -1
		}
		return 1
	})
	return v.show("consents", out)
}

// scope is what an answer is for: a whole pool, or one dataset.
type scope struct {
	Pool    coop.Pool
	Dataset coop.DatasetID // "" for the pool
	Path    string         // of the form
	Back    string         // where it was opened from
}

// What is the word for the scope in a sentence.
func (s scope) What() string {
	if s.Dataset != "" {
		return "this dataset"
	}
	return "your " + s.Pool.Title + " data"
}

func (p *Portal) poolScope(v *visit) (scope, error) {
	pool, ok := p.Charter.Pool(coop.PoolID(v.id()))
	if !ok {
		return scope{}, errNotHere
	}
	return scope{Pool: pool, Path: "/consent/" + string(pool.ID), Back: "/consent"}, nil
}

func (p *Portal) datasetScope(v *visit) (scope, error) {
	d, err := p.find(v)
	if err != nil {
		return scope{}, err
	}
	if d.Over() {
		return scope{}, consent.ErrRevoked
	}
	pool, _ := p.Charter.Pool(d.Pool)
	path := "/data/" + string(d.ID)
	return scope{Pool: pool, Dataset: d.ID, Path: path + "/consent", Back: path}, nil
}

func (p *Portal) poolForm(v *visit) error {
	s, err := p.poolScope(v)
	if err != nil {
		return err
	}
	return p.answerForm(v, s)
}

func (p *Portal) datasetForm(v *visit) error {
	s, err := p.datasetScope(v)
	if err != nil {
		return err
	}
	return p.answerForm(v, s)
}

// answerForm asks what the data may be used for. Before anything is typed it
// shows the answer that stands.
func (p *Portal) answerForm(v *visit, s scope) error {
	now, err := p.standing(v.ctx(), v.me.ID, s.Pool.ID, s.Dataset)
	if err != nil {
		return err
	}
	if v.form == nil {
		v.form = p.typed(now)
	}
	return v.show("consent", struct {
		Scope    scope
		Standing standing
		Choices  choices
		Price    coop.Money // that researchers pay
	}{s, now, choicesWith(v.form.Get("days"), v.form.Get("keep")), s.Pool.Price})
}

func (p *Portal) poolAnswer(v *visit) error {
	s, err := p.poolScope(v)
	if err != nil {
		return err
	}
	return p.putAnswer(v, s)
}

func (p *Portal) datasetAnswer(v *visit) error {
	s, err := p.datasetScope(v)
	if err != nil {
		return err
	}
	return p.putAnswer(v, s)
}

// putAnswer goes through the three steps of an answer: fill in, check, save.
func (p *Portal) putAnswer(v *visit, s scope) error {
	form := func(v *visit) error { return p.answerForm(v, s) }
	if v.form.Get("step") == "change" {
		return form(v)
	}
	t, err := p.terms(v)
	if err == nil {
		err = t.Validate()
	}
	if err != nil {
		return v.again(err, form)
	}
	if v.form.Get("step") != "save" {
		return p.check(v, s, t)
	}
	if s.Dataset != "" {
		_, err = p.Consent.PutDataset(v.action(), v.me.ID, s.Dataset, t)
	} else {
		_, err = p.Consent.PutPool(v.action(), v.me.ID, s.Pool.ID, t)
	}
	if err != nil {
		return v.again(err, form)
	}
	return v.done(s.Back, note{Title: "Your answer is saved", Text: "It counts from the next request on. Your signed receipt is on this page."})
}

// check shows an answer in sentences before it counts.
func (p *Portal) check(v *visit, s scope, t consent.Terms) error {
	fields := map[string][]string{}
	for name, values := range v.form {
		if name != "step" && name != keyField {
			fields[name] = values
		}
	}
	return v.show("check", struct {
		Scope     scope
		Sentences []string
		Fields    map[string][]string
		Unpaid    bool
	}{s, t.Sentences(p.Charter.Currency), fields, t.MinPrice > s.Pool.Price})
}

func (p *Portal) poolWithdraw(v *visit) error {
	s, err := p.poolScope(v)
	if err == nil {
		_, err = p.Consent.WithdrawPool(v.action(), v.me.ID, s.Pool.ID)
	}
	return v.withdrawn(err, s)
}

func (p *Portal) datasetWithdraw(v *visit) error {
	s, err := p.datasetScope(v)
	if err == nil {
		_, err = p.Consent.WithdrawDataset(v.action(), v.me.ID, s.Dataset)
	}
	return v.withdrawn(err, s)
}

func (v *visit) withdrawn(err error, s scope) error {
	switch {
	case fault.KindOf(err) == fault.Conflict: // sent twice: what was asked for is so already
	case err != nil:
		return err
	}
	return v.done(s.Back, note{Title: "Your consent is withdrawn", Text: "From the next request on nobody gets " + s.What() + ". You can allow it again at any time."})
}

package portal

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/consenting"
	"distributed.ai/datacoop/web/portal/words"
)

// standing finds the governing answer: a dataset's own one, else the pool's.
// An empty dataset asks about the pool.
func (p *Portal) standing(ctx context.Context, m coop.MemberID, pool coop.PoolID, ds coop.DatasetID) (standing, error) {
	return consenting.Governing(ctx, p.Consent, p.Charter, m, pool, ds)
}

type standing = consenting.Standing

// choices are what the form about an answer offers.
func (p *Portal) choices(ctx context.Context, typed url.Values) (consenting.Choices, error) {
	vetted, err := p.Market.Researchers(ctx)
	users := make([]coop.Term, 0, len(vetted))
	for _, r := range vetted {
		users = append(users, coop.Term{Code: string(r.ID), Plain: r.Name + " (" + words.LabelOf(coop.RequesterKinds(), r.Kind) + ", " + r.Region + ")"})
	}
	return consenting.Offer(typed, users), err
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
	if v.form == nil && now.Found {
		v.form = consenting.Fill(now.Record.Terms, p.Charter.Currency)
	} else if v.form == nil {
		v.form = consenting.Start(p.Charter.Default(s.Pool.ID))
	}
	offer, err := p.choices(v.ctx(), v.form)
	if err != nil {
		return err
	}
	earlier, err := p.earlier(v.ctx(), v.me.ID, s)
	if err != nil {
		return err
	}
	before, err := p.Market.Outlook(v.ctx(), s.Pool)
	if err != nil {
		return err
	}
	return v.show("consent", struct {
		Scope    scope
		Standing standing
		Choices  consenting.Choices
		Price    coop.Money // that researchers pay
		Earlier  []consent.Record
		Outlook  marketplace.Outlook
	}{s, now, offer, s.Pool.Price, earlier, before[0]})
}

// earlier lists what the member answered before about the same, newest first.
func (p *Portal) earlier(ctx context.Context, m coop.MemberID, s scope) ([]consent.Record, error) {
	all, err := p.Consent.History(ctx, m)
	all = slices.DeleteFunc(all, func(r consent.Record) bool { return r.Pool != s.Pool.ID || r.Dataset != s.Dataset })
	slices.Reverse(all)
	return all, err
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
	t, err := consenting.Read(v.form, p.Charter.Currency)
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
	return v.done(s.Back, note{Title: "Your answer is saved", Text: "It counts from the next request on. Your signed receipt is on this page, and you can change or withdraw your answer at any time."})
}

// check shows an answer in sentences before it counts.
func (p *Portal) check(v *visit, s scope, t consent.Terms) error {
	fields := map[string][]string{}
	for name, values := range v.form {
		if name != "step" && name != keyField {
			fields[name] = values
		}
	}
	offer, err := p.choices(v.ctx(), v.form)
	if err != nil {
		return err
	}
	page := struct {
		Scope           scope
		Allows, Refuses []string
		Named           []string // researchers, where the answer is for named ones
		Fields          map[string][]string
		Unpaid          bool
	}{Scope: s, Fields: fields, Unpaid: t.MinPrice > s.Pool.Price}
	page.Allows, page.Refuses = consent.Split(t.Sentences(p.Charter.Currency))
	for _, id := range t.Users {
		page.Named = append(page.Named, coop.Label(offer.Users, id))
	}
	return v.show("check", page)
}

// asPoolForm says what taking a dataset's own answer back would mean.
func (p *Portal) asPoolForm(v *visit) error {
	s, err := p.datasetScope(v)
	if err != nil {
		return err
	}
	own, err := p.standing(v.ctx(), v.me.ID, s.Pool.ID, s.Dataset)
	if err != nil {
		return err
	}
	if !own.Own {
		return consent.ErrAsPool
	}
	pool, err := p.standing(v.ctx(), v.me.ID, s.Pool.ID, "")
	if err != nil {
		return err
	}
	return v.show("aspool", struct {
		Scope     scope
		Own, Pool standing
	}{s, own, pool})
}

func (p *Portal) asPool(v *visit) error {
	s, err := p.datasetScope(v)
	if err == nil {
		_, err = p.Consent.FollowPool(v.action(), v.me.ID, s.Dataset)
	}
	if err != nil && !errors.Is(err, consent.ErrAsPool) { // sent twice: what was asked for is so already
		return err
	}
	return v.done(s.Back, note{Title: "This dataset follows the pool again", Text: "Your answer for the whole pool counts for it from the next request on."})
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
	return v.done(s.Back, note{Title: "Your consent is withdrawn", Text: "Nobody gets " + s.What() + " any more, from the next file on. It is still here, encrypted: to have it destroyed, revoke it. You can allow it again at any time. Your signed receipt is on this page."})
}

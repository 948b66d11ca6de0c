package bereavement

import (
	"context"
	"errors"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/portal"
)

const page = "/steward/bereavement"

// Pages lists the pages that the portal serves for this package. They are for
// every steward, whatever their office.
func (s *Service) Pages() []portal.Page {
	const steward = "steward"
	return []portal.Page{
		{Method: "GET", Path: page, Door: steward, Handle: s.show},
		{Method: "POST", Path: page + "/check", Door: steward, Handle: s.check},
		{Method: "POST", Path: page, Door: steward, Handle: s.report},
		{Method: "POST", Path: page + "/{id}/confirm", Door: steward, Handle: s.confirm},
		{Method: "POST", Path: page + "/{id}/withdraw", Door: steward, Handle: s.withdraw},
		{Method: "POST", Path: page + "/{id}/letter", Door: steward, Handle: s.letter},
	}
}

// errSeen asks for the word that counts.
var errSeen = fault.New(fault.Invalid, "bereavement-seen", "Tick the box if you have seen the paper yourself. Nothing was changed.")

func days(d time.Duration) int { return int(d.Hours()) / 24 }

// line is a report on the page.
type line struct {
	Report
	Name, First, Second string // of the member and of the two stewards
	Mine, Signed        bool   // who looks reported it; is one of the two
	Until               int64
}

func (s *Service) show(g portal.Guest) error {
	all, err := s.All(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	data := struct {
		Standing, Closed, Over []line
		Papers                 []string
		Lapse, Waiting, Claim  int // days, days, years
	}{Papers: Papers(), Lapse: days(Lapse), Waiting: days(Waiting), Claim: days(ClaimFor) / 365}
	for _, r := range all {
		l := line{Report: r, Mine: r.ReportedBy == g.Me().ID, Signed: r.signed(g.Me().ID), Until: r.Until()}
		for id, into := range map[coop.MemberID]*string{r.Member: &l.Name, r.ReportedBy: &l.First, r.ConfirmedBy: &l.Second} {
			if *into, err = s.name(g.Context(), id); err != nil {
				return err
			}
		}
		switch {
		case r.Stands():
			data.Standing = append(data.Standing, l)
		case r.State == Closed:
			data.Closed = append(data.Closed, l)
		default:
			data.Over = append(data.Over, l)
		}
	}
	return g.Show("bereavement", data)
}

// name is what a member is called; "" where they have left.
func (s *Service) name(ctx context.Context, id coop.MemberID) (string, error) {
	if id == "" {
		return "", nil
	}
	m, err := s.Governance.Member(ctx, id)
	if errors.Is(err, governance.ErrMemberNotFound) {
		return "", nil
	}
	return m.Name, err
}

// check shows whose account it would be, before anything is noted.
func (s *Service) check(g portal.Guest) error {
	m, err := s.Named(g.Context(), g.Me(), g.Typed("account"))
	if err == nil && g.Typed("evidence") == "" {
		err = ErrEvidence
	}
	if err != nil {
		return g.Again(err, s.show)
	}
	return g.Show("bereavementcheck", struct {
		Member   governance.Member
		Evidence string
		Lapse    int
		Waiting  int
	}{m, g.Typed("evidence"), days(Lapse), days(Waiting)})
}

func (s *Service) report(g portal.Guest) error {
	if g.Typed("seen") != "yes" {
		return g.Again(errSeen, s.check)
	}
	var r Report
	m, err := s.Named(g.Context(), g.Me(), g.Typed("account"))
	if err == nil {
		r, err = s.Report(g.Action(), g.Me().ID, m.ID, g.Typed("evidence"))
	}
	if err != nil {
		return g.Again(err, s.show)
	}
	if r.Waits {
		return g.Done(page, "The death is noted", "It takes effect only when a second steward has seen the paper, since the member has stopped such a report before.")
	}
	return g.Done(page, "The death is noted", "Nobody gets anything of this member’s data from now on. A second steward has to see the paper.")
}

func (s *Service) confirm(g portal.Guest) error {
	if g.Typed("seen") != "yes" {
		return g.Again(errSeen, s.show)
	}
	if _, err := s.Confirm(g.Action(), g.Me().ID, g.Request().PathValue("id")); err != nil {
		return g.Again(err, s.show)
	}
	return g.Done(page, "The death is confirmed", "The account is closed when the waiting time is over. If the member signs in before, nothing is closed.")
}

func (s *Service) withdraw(g portal.Guest) error {
	if _, err := s.Withdraw(g.Action(), g.Me().ID, g.Request().PathValue("id")); err != nil {
		return g.Again(err, s.show)
	}
	return g.Done(page, "The report is withdrawn", "The member can sign in as before. Sharing goes on as they had left it.")
}

// letter shows, in this answer and nowhere else, where the heirs find the closing.
func (s *Service) letter(g portal.Guest) error {
	r, code, err := s.Letter(g.Context(), g.Me().ID, g.Request().PathValue("id"))
	if err != nil {
		return g.Again(err, s.show)
	}
	return g.Show("bereavementletter", struct {
		Report
		Address string
		Claim   int
	}{r, s.BaseURL + "/goodbye/" + code, days(ClaimFor) / 365})
}

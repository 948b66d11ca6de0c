package results

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/offer"
	"distributed.ai/datacoop/web/portal"
)

// Pages lists the pages that the portal serves for this package.
func (a API) Pages() []portal.Page {
	vetting := string(coop.Vetting)
	return []portal.Page{
		{Method: "GET", Path: "/reports", Door: "member", Handle: a.mine},
		{Method: "GET", Path: "/steward/vetting/reports", Door: vetting, Handle: a.steward},
		{Method: "POST", Path: "/steward/vetting/reports/{id}", Door: vetting, Handle: a.hide},
		{Method: "POST", Path: "/steward/vetting/researchers/{id}/related", Door: vetting, Handle: a.relate},
	}
}

// shown is how many reports a page lists.
const shown = 100

func (a API) mine(g portal.Guest) error {
	list, err := a.Market.MemberReports(g.Context(), g.Me().ID, g.Request().URL.Query().Get("before"), shown+1)
	if err != nil {
		return err
	}
	return g.Show("reports", cut(list))
}

// listing is a page of reports; Next is where the next begins, "" for none.
type listing struct {
	Reports []marketplace.Report
	Next    string
}

func cut(list []marketplace.Report) listing {
	if len(list) <= shown {
		return listing{Reports: list}
	}
	return listing{list[:shown], list[shown-1].ID}
}

func (a API) steward(g portal.Guest) error {
	owed, err := a.Market.DutiesOwed(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	list, err := a.Market.Reports(g.Context(), g.Me().ID, g.Request().URL.Query().Get("before"), shown+1)
	if err != nil {
		return err
	}
	return g.Show("stewardreports", struct {
		listing
		Owed []marketplace.ReportDuty
		At   string // whose form is shown again
	}{cut(list), owed, g.Request().PathValue("id")})
}

func (a API) hide(g portal.Guest) error {
	_, err := a.Market.HideReport(g.Context(), g.Me().ID, g.Request().PathValue("id"), g.Typed("reason"))
	if err != nil {
		return g.Again(err, a.steward)
	}
	return g.Done("/steward/vetting/reports", "The report is hidden", "Everybody reads your reason in its place, and the researcher owes a new one.")
}

func (a API) relate(g portal.Guest) error {
	behind := g.Typed("related") == "yes"
	if err := a.Market.Relate(g.Action(), g.Me().ID, coop.ResearcherID(g.Request().PathValue("id")), behind); err != nil {
		return err
	}
	if behind {
		return g.Done("/steward/vetting", "A member stands behind them", "The data they read earn nothing by it, from the beginning of the period that runs. Earlier statements stay as they are.")
	}
	return g.Done("/steward/vetting", "No member stands behind them", "The data they read earn by it again, from the beginning of the period that runs. Earlier statements stay as they are.")
}

// Offer mounts the routes of the API.
func (a API) Offer(d offer.Desk) {
	offer.On(d, offer.Operation{Method: "POST", Path: "/v1/requests/{id}/report", Summary: "Tell the members what came of it, or that the copies are deleted", Who: offer.Researchers, Status: 201}, a.Put)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/requests/{id}/report", Summary: "What a request owes the members, and its report", Who: offer.Researchers}, a.Duty)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/report-duties", Summary: "What my requests owe the members, newest first", Who: offer.Researchers}, a.Duties)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/pools/{id}/reports", Summary: "What came of the use of a pool, newest first"}, a.OfPool)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/me/reports", Summary: "What came of the requests that read my data, newest first", Who: offer.Members}, a.Mine)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/reports/owed", Summary: "What researchers owe now, for stewards of vetting", Who: offer.Members}, a.Owed)
	offer.On(d, offer.Operation{Method: "POST", Path: "/v1/reports/{id}/hide", Summary: "Hide an abusive report, with a reason", Who: offer.Members}, a.Hide)
	offer.On(d, offer.Operation{Method: "PUT", Path: "/v1/researchers/{id}/related", Summary: "Say whether a member stands behind a researcher, from the running period on, for stewards of vetting", Who: offer.Members}, a.Relate)
}

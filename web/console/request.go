package console

import (
	"errors"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/portal"
)

type guest = portal.Guest

// file is a granted file with what was said against it.
type file struct {
	marketplace.FileView
	Dispute *marketplace.Dispute
}

// requestPage is everything about one request.
type requestPage struct {
	Who       marketplace.Researcher
	Request   marketplace.Decided
	Reviewed  string // what the steward found, "" for none
	Quote     *marketplace.Quote
	Invoice   *marketplace.Invoice
	Files     []file
	Command   []string
	Duty      *marketplace.ReportDuty
	Done      string // what was just done
	At        string // the file whose form is shown again
	Reporting bool   // the report's form is shown again
}

// request shows one request.
func (c Console) request(d desk) error { return c.showRequest(d, coop.RequestID(d.id()), "", false) }

func (c Console) showRequest(d desk, id coop.RequestID, at string, reporting bool) error {
	ctx := d.Context()
	decided, err := c.Market.Request(ctx, d.who.ID, id)
	if err != nil {
		return err
	}
	page := requestPage{Who: d.who, Request: decided, Done: d.Request().URL.Query().Get("done"), At: at, Reporting: reporting}
	ask, err := c.Market.Asking(ctx, id)
	if err != nil {
		return err
	}
	page.Reviewed = ask.Wait.Reason
	if decided.State == marketplace.StateDecided {
		q, err := c.Market.Quote(ctx, d.who.ID, id)
		if err != nil {
			return err
		}
		page.Quote = &q
	}
	if page.Invoice, err = c.invoice(d, id); err != nil {
		return err
	}
	if decided.OpenedAt > 0 {
		if err := c.opened(d, &page); err != nil {
			return err
		}
	}
	return d.Show("consolerequest", page)
}

func (c Console) invoice(d desk, id coop.RequestID) (*marketplace.Invoice, error) {
	list, err := c.Market.Invoices(d.Context(), d.who.ID)
	if i := slices.IndexFunc(list, func(v marketplace.Invoice) bool { return v.Request == id }); i >= 0 {
		return &list[i], err
	}
	return nil, err
}

// opened adds what there is once the files can be fetched.
func (c Console) opened(d desk, page *requestPage) error {
	id := page.Request.ID
	views, err := c.Market.Files(d.Context(), d.who.ID, id)
	if err != nil {
		return err
	}
	disputes, err := c.Market.OwnDisputes(d.Context(), d.who.ID)
	if err != nil {
		return err
	}
	for _, v := range views {
		f := file{FileView: v}
		if i := slices.IndexFunc(disputes, func(x marketplace.Dispute) bool { return x.File == v.ID }); i >= 0 {
			f.Dispute = &disputes[i]
		}
		page.Files = append(page.Files, f)
	}
	page.Command = []string{"export DATACOOP_CLIENT_SECRET=…",
		"datacoop fetch --server " + c.BaseURL + " --client-id " + authserver.ResearcherClient(string(d.who.ID)) + " --identity lab.txt --out got " + string(id)}
	duty, err := c.Market.ReportDuty(d.Context(), d.who.ID, id)
	if errors.Is(err, marketplace.ErrNotFound) {
		return nil
	}
	page.Duty = &duty
	return err
}

func (c Console) accept(d desk) error {
	if _, err := c.Market.Accept(d.Action(), d.who.ID, coop.RequestID(d.id())); err != nil {
		return d.again(err, c.request)
	}
	return d.redirect("/console/requests/" + d.id() + "?done=accepted")
}

// report tells the members what came of a request.
func (c Console) report(d desk) error {
	draft := marketplace.ReportDraft{Summary: d.Typed("summary"), Link: d.Typed("link"), Deleted: d.Typed("deleted") == "yes"}
	if _, err := c.Market.PutReport(d.Context(), d.who.ID, coop.RequestID(d.id()), draft); err != nil {
		return d.again(err, func(d desk) error { return c.showRequest(d, coop.RequestID(d.id()), "", true) })
	}
	return d.redirect("/console/requests/" + d.id() + "?done=reported")
}

// dispute says that a file is no good. The form names the request it is of.
func (c Console) dispute(d desk) error {
	request := d.Typed("request")
	_, err := c.Market.OpenDispute(d.Action(), d.who.ID, coop.FileID(d.id()), d.Typed("kind"), d.Typed("text"))
	if err != nil {
		return d.again(err, func(d desk) error { return c.showRequest(d, coop.RequestID(request), d.id(), false) })
	}
	if !coop.ValidID(request) {
		return d.redirect("/console")
	}
	return d.redirect("/console/requests/" + request + "?done=disputed")
}

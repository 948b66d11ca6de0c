package messages

import (
	"net/http"
	"slices"

	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/web/offer"
	"distributed.ai/datacoop/web/portal"
)

// Pages lists the pages that the portal serves for this package.
func (a API) Pages() []portal.Page {
	return []portal.Page{
		{Method: "GET", Path: "/inbox", Door: "member", Handle: a.inbox},
		{Method: "POST", Path: "/inbox/read", Door: "member", Handle: a.read},
		{Method: "GET", Path: "/inbox/email", Door: "member", Handle: a.email},
		{Method: "POST", Path: "/inbox/email", Door: "member", Handle: a.putEmail},
		{Method: "POST", Path: "/inbox/email/drop", Door: "member", Handle: a.dropEmail},
		{Method: "GET", Path: "/email/confirm/{id}", Handle: a.confirmForm},
		{Method: "POST", Path: "/email/confirm/{id}", Handle: a.confirm},
		{Method: "GET", Path: "/email/stop/{id}", Handle: a.stopForm},
		{Method: "POST", Path: "/email/stop/{id}", Handle: a.stop},
	}
}

// shown is how many messages a page lists.
const shown = 50

// line is a message on the page.
type line struct {
	inbox.Item
	Link string
	Over bool // it is too late to act
}

func (a API) inbox(g portal.Guest) error {
	items, err := a.Inbox.List(g.Context(), g.Me().ID, g.Request().URL.Query().Get("before"), shown+1)
	if err != nil {
		return err
	}
	page := struct {
		Lines        []line
		Next, Newest string
		Unread       int
		Mails        bool
	}{Mails: a.Inbox.Mails()}
	if len(items) > shown {
		items, page.Next = items[:shown], items[shown-1].ID
	}
	now := a.Inbox.Clock().UnixMilli()
	for _, i := range items {
		page.Lines = append(page.Lines, line{i, Link(i), i.Until > 0 && now >= i.Until})
		if !i.Read {
			page.Unread++
		}
	}
	if len(items) > 0 {
		page.Newest = items[0].ID
	}
	return g.Show("inbox", page)
}

// read marks one message, or all that the page showed.
func (a API) read(g portal.Guest) error {
	var err error
	if through := g.Typed("through"); through != "" {
		err = a.Inbox.MarkAllRead(g.Context(), g.Me().ID, through)
	} else {
		err = a.Inbox.MarkRead(g.Context(), g.Me().ID, g.Values("id")...)
	}
	if err != nil {
		return err
	}
	http.Redirect(g.Writer(), g.Request(), "/inbox", http.StatusSeeOther)
	return nil
}

// choice is a topic with its box.
type choice struct {
	Topic inbox.Topic
	On    bool
}

func (a API) email(g portal.Guest) error {
	s, err := a.Inbox.Settings(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	page := struct {
		inbox.Settings
		Topics []choice
		Mails  bool
	}{Settings: s, Mails: a.Inbox.Mails()}
	wanted := g.Values("topic")
	for _, t := range inbox.Topics() {
		on := !slices.Contains(s.Muted, t)
		if g.Request().Method == http.MethodPost {
			on = slices.Contains(wanted, string(t))
		}
		page.Topics = append(page.Topics, choice{t, on})
	}
	return g.Show("email", page)
}

func (a API) putEmail(g portal.Guest) error {
	wanted := inbox.Settings{Address: g.Typed("address"), Cadence: g.Typed("cadence")}
	for _, t := range inbox.Topics() {
		if !slices.Contains(g.Values("topic"), string(t)) {
			wanted.Muted = append(wanted.Muted, t)
		}
	}
	got, err := a.Inbox.PutSettings(g.Context(), g.Me().ID, wanted)
	if err != nil {
		return g.Again(err, a.email)
	}
	if got.Confirmed {
		return g.Done("/inbox/email", "Your choice is saved", "")
	}
	return g.Done("/inbox/email", "Look into your mailbox", "A letter is on its way to you with a link that confirms the address. It is good for one day.")
}

func (a API) dropEmail(g portal.Guest) error {
	if err := a.Inbox.DropAddress(g.Context(), g.Me().ID); err != nil {
		return err
	}
	return g.Done("/inbox/email", "Your address is forgotten", "No more letters go to it. Your messages stay here.")
}

// step is what a link in a letter leads to: a button, or that it was pressed.
type step struct {
	Stop, Done bool
	Path       string
}

func (a API) confirmForm(g portal.Guest) error {
	if err := a.Inbox.Confirmable(g.Context(), g.Request().PathValue("id")); err != nil {
		return err
	}
	return g.Show("emaillink", step{Path: g.Request().URL.Path})
}

func (a API) confirm(g portal.Guest) error {
	if err := a.Inbox.Confirm(g.Context(), g.Request().PathValue("id")); err != nil {
		return err
	}
	return g.Show("emaillink", step{Done: true})
}

func (a API) stopForm(g portal.Guest) error {
	if err := a.Inbox.Stoppable(g.Context(), g.Request().PathValue("id")); err != nil {
		return err
	}
	return g.Show("emaillink", step{Stop: true, Path: g.Request().URL.Path})
}

// stop also answers the one click that mail programs offer (RFC 8058): whoever
// has the link may use it, signed in or not.
func (a API) stop(g portal.Guest) error {
	if err := a.Inbox.Stop(g.Context(), g.Request().PathValue("id")); err != nil {
		return err
	}
	return g.Show("emaillink", step{Stop: true, Done: true})
}

// Offer mounts the routes of the API.
func (a API) Offer(d offer.Desk) {
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/me/inbox", Summary: "What I am told, newest first", Who: offer.Members}, a.List)
	offer.On(d, offer.Operation{Method: "POST", Path: "/v1/me/inbox/read", Summary: "Mark messages as read", Who: offer.Members, Status: 204}, a.Read)
	offer.On(d, offer.Operation{Method: "GET", Path: "/v1/me/email", Summary: "How I hear by e-mail", Who: offer.Members}, a.Email)
	offer.On(d, offer.Operation{Method: "PUT", Path: "/v1/me/email", Summary: "Name an address and how often letters come", Who: offer.Members}, a.PutEmail)
	offer.On(d, offer.Operation{Method: "DELETE", Path: "/v1/me/email", Summary: "Forget my address", Who: offer.Members, Status: 204}, a.DropEmail)
}

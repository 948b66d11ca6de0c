package console

import (
	"net/http"
	"slices"
	"strconv"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
)

// keyPage is a researcher's keys. New is one that has just been registered.
type keyPage struct {
	Who  marketplace.Researcher
	Keys []marketplace.Recipient
	New  string // proven | "" says what was just done
}

func (c Console) keys(d desk) error {
	list, err := c.Market.Recipients(d.Context(), d.who.ID)
	if err != nil {
		return err
	}
	return d.Show("consolekeys", keyPage{d.who, list, d.Request().URL.Query().Get("done")})
}

// again shows a form once more with the reason.
func (d desk) again(err error, show func(desk) error) error {
	return d.Guest.Again(err, func(g guest) error { return show(desk{g, d.who}) })
}

func (d desk) redirect(path string) error {
	http.Redirect(d.Writer(), d.Request(), path, http.StatusSeeOther)
	return nil
}

func (c Console) addKey(d desk) error {
	if _, err := c.Market.RegisterRecipient(d.Context(), d.who.ID, d.Typed("recipient")); err != nil {
		return d.again(err, c.keys)
	}
	return d.redirect("/console/keys")
}

func (c Console) proveKey(d desk) error {
	if _, err := c.Market.ProveRecipient(d.Context(), d.who.ID, coop.RecipientID(d.id()), d.Typed("nonce")); err != nil {
		return d.again(err, c.keys)
	}
	return d.redirect("/console/keys?done=proven")
}

// askPage is the form of a request, and what a dry run of it says.
type askPage struct {
	Who       marketplace.Researcher
	Pools     []coop.Pool
	DUO, DPV  []coop.Term
	Diseases  []coop.Term
	Studies   []coop.Term
	Keys      []marketplace.Recipient
	Result    *marketplace.CheckResult
	PoolTitle string
}

var (
	errDays = fault.New(fault.Invalid, "bad-retention", "Say for how many days copies are kept: between 1 and 3650.")
	errKey  = fault.New(fault.Invalid, "console-key", "Name a key that you have proven to hold. Without one you can only try a request.")
)

func (c Console) askForm(d desk) error { return c.showAsk(d, nil) }

func (c Console) showAsk(d desk, result *marketplace.CheckResult) error {
	keys, err := c.Market.Recipients(d.Context(), d.who.ID)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(r marketplace.Recipient) bool { return r.ProvenAt == 0 })
	page := askPage{Who: d.who, Pools: c.Charter.Pools, DUO: coop.DUOPurposes(), DPV: coop.DPVPurposes(), Diseases: coop.Diseases(), Studies: coop.Studies(), Keys: keys, Result: result}
	return d.Show("consoleask", page)
}

func (d desk) draft() (marketplace.Draft, error) {
	days, err := strconv.ParseInt(d.Typed("days"), 10, 64)
	if err != nil {
		return marketplace.Draft{}, errDays
	}
	says := d.Values("says")
	has := func(what string) bool { return slices.Contains(says, what) }
	return marketplace.Draft{Pool: coop.PoolID(d.Typed("pool")), Title: d.Typed("title"), Purpose: coop.Purpose{DUO: d.Typed("duo"), DPV: d.Typed("dpv")},
		RetentionDays: days, Recipient: coop.RecipientID(d.Typed("recipient")), Researcher: d.who.ID,
		Study: policies.Study{Disease: d.Typed("disease"), Kinds: d.Values("study"), Project: d.Typed("project"),
			Ethics: has("ethics"), Publishes: has("publishes"), Returns: has("returns"), Collaborates: has("collaborates")}}, nil
}

// ask tries a request, or makes it.
func (c Console) ask(d desk) error {
	draft, err := d.draft()
	if err != nil {
		return d.again(err, c.askForm)
	}
	if d.Typed("step") != "submit" {
		result, err := c.Market.Check(d.Context(), draft)
		if err != nil {
			return d.again(err, c.askForm)
		}
		return c.showAsk(d, &result)
	}
	if draft.Recipient == "" {
		return d.again(errKey, c.askForm)
	}
	made, err := c.Market.Submit(d.Action(), draft)
	if err != nil {
		return d.again(err, c.askForm)
	}
	return d.redirect("/console/requests/" + string(made.ID) + "?done=asked")
}

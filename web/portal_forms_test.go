package web_test

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestAnAnswerIsCheckedBeforeItIsSaved(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/consent/wearables", nil).is(http.StatusUnprocessableEntity).says("Choose one of the answers")
	b.post("/consent/wearables", url.Values{"preset": {"own"}}).is(http.StatusUnprocessableEntity).says("Say which purposes are allowed.")
	own := url.Values{"preset": {"own"}, "purpose": {"DUO:0000006"}, "kind": {"university"}, "region": {"eu de"}, "price": {"nine"}}
	b.post("/consent/wearables", own).is(http.StatusUnprocessableEntity).says("Write the lowest price as a number")
	own.Set("price", "9,50")
	check := b.post("/consent/wearables", own).is(http.StatusOK)
	wellFormed(t, check.says("It is not saved yet", "What it allows You allow research about health.", "What it refuses You refuse commercial use. You refuse everybody outside EU, DE.", "less than 9.50 EUR"))
	b.get("/consent").says("You have given no answer").keepsQuiet("Withdraw for")
	own.Set("step", "change")
	if again := b.post("/consent/wearables", own).is(http.StatusOK); !strings.Contains(again.text, `value="9,50"`) {
		t.Error("what was typed is gone")
	}
	own.Set("step", "save")
	b.post("/consent/wearables", own).is(http.StatusOK).says("Your answer is saved", "less than 9.50 EUR")
	b.post("/consent/wearables/withdraw", nil).says("Your consent is withdrawn", "to have it destroyed, revoke it", "You withdrew this")
	b.post("/consent/wearables/withdraw", nil).is(http.StatusOK)
	b.post("/consent/wearables", url.Values{"preset": {"none"}, "step": {"save"}}).says("You refuse every use.")
}

func TestPausingSaysSoOnEveryPage(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/pause", nil).is(http.StatusOK).says("Everything is paused")
	for _, path := range []string{"/data", "/votes", "/about"} {
		if !strings.Contains(b.get(path).text, "Sharing is paused.") {
			t.Errorf("%s does not say that sharing is paused", path)
		}
	}
	b.post("/resume", nil).says("Sharing goes on")
	if strings.Contains(b.get("/data").text, "Sharing is paused.") {
		t.Error("still paused")
	}
}

func TestAProposalThatTheGateRefusesComesBackAsItWasTyped(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	draft := url.Values{"title": {"Everything <b>for</b> all"}, "text": {"Because."}, "policy": {"package coop.access\n\nallow := true\n"}}
	for _, step := range []string{"check", "propose"} {
		draft.Set("step", step)
		page := b.post("/votes/new", draft).says("The file must define forbid")
		if !strings.Contains(page.text, "Everything &lt;b&gt;for&lt;/b&gt; all") || !strings.Contains(page.text, "allow := true") {
			t.Errorf("%s: what was typed is gone", step)
		}
	}
	b.get("/votes").says("Nothing has been proposed yet")
	b.upload("/votes/new", url.Values{"step": {"check"}}, "file", narrow()).is(http.StatusOK).
		says("This rule can be proposed", "A request is refused if who asks is not a university or research institute.")
}

func TestMarkupIsShownAsItWasTyped(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	const hostile = `<img src=x onerror=alert(1)> "quoted" & more`
	b.post("/votes/new", url.Values{"step": {"propose"}, "title": {hostile}, "text": {hostile}, "policy": {narrow()}}).is(http.StatusOK)
	b.post("/work", url.Values{"kind": {"document"}, "title": {hostile}, "evidence": {"javascript:alert(1)"}, "text": {hostile}}).is(http.StatusOK)
	b.post("/tokens", url.Values{"label": {hostile}, "hours": {"1"}}).is(http.StatusOK)
	for _, path := range []string{"/", "/votes", "/work", "/tokens"} {
		page := h.browse("eva").get(path)
		wellFormed(t, page)
		if strings.Contains(page.text, "<img src=x") || strings.Contains(page.text, `href="javascript:`) {
			t.Errorf("%s holds markup of a member", path)
		}
	}
}

func TestVotingTwiceIsRefusedInASentence(t *testing.T) {
	h := openHouse(t)
	eva, finn := h.browse("eva"), h.browse("finn")
	at := eva.post("/votes/new", url.Values{"step": {"propose"}, "title": {"Universities"}, "text": {"Why not."}, "policy": {narrow()}}).
		is(http.StatusOK).says("Your proposal is before the members").path
	h.opened(path.Base(at))
	finn.get("/").says("Your vote is asked for", "Universities")
	wellFormed(t, finn.post(at, nil).is(http.StatusUnprocessableEntity).says("A ballot says yes, no or abstain."))
	cast := finn.post(at, url.Values{"choice": {"yes"}}).is(http.StatusOK)
	wellFormed(t, cast.says("Your vote is cast", "Your receipt"))
	wellFormed(t, finn.post(at, url.Values{"choice": {"no"}}).is(http.StatusConflict).says("You have voted on this proposal already."))
	finn.get(at).says("You have voted.").keepsQuiet("Cast my vote")
	finn.get("/").keepsQuiet("Your vote is asked for")
	h.browse("guel").post(at, url.Values{"choice": {"yes"}}).says("You became a member after this vote began")
}

func TestAFormSentTwiceCountsOnce(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	work := url.Values{"kind": {"design"}, "title": {"A poster"}, "evidence": {"The library"}, "text": {"For newcomers."},
		"key": {b.get("/work").hidden("key")}}
	first, again := b.post("/work", work).is(http.StatusOK), b.post("/work", work).is(http.StatusOK)
	if first.path != again.path {
		t.Errorf("two contributions: %s and %s", first.path, again.path)
	}
	work.Set("title", "Another poster")
	if other := b.post("/work", work).is(http.StatusOK); other.path == first.path {
		t.Error("another form was answered by the first one")
	}
}

func TestWorkIsReviewedByOthersOnly(t *testing.T) {
	h := openHouse(t)
	eva, ada, bea := h.browse("eva"), h.browse("ada"), h.browse("bea")
	eva.post("/work", url.Values{"kind": {"support"}, "title": {"Help desk"}}).is(http.StatusUnprocessableEntity).says("Say where the work can be seen")
	at := eva.post("/work", url.Values{"kind": {"support"}, "title": {"Help desk"}, "evidence": {"The library"}, "text": {"Mondays."}}).path
	eva.get(at).says("Nobody reviews their own work").keepsQuiet("Save my review")
	yes := url.Values{"accept": {"yes"}, "size": {"2"}}
	eva.post(at, yes).is(http.StatusForbidden).says("Nobody reviews their own work.")
	ada.post(at, url.Values{"size": {"2"}}).is(http.StatusUnprocessableEntity).says("Say whether you accept or decline")
	ada.post(at, url.Values{"accept": {"yes"}, "size": {"9"}}).is(http.StatusUnprocessableEntity).says("a size from 1 to 5")
	ada.post(at, url.Values{"accept": {"no"}}).is(http.StatusUnprocessableEntity).says("says why")
	ada.post(at, yes).is(http.StatusOK).says("Your review is saved")
	ada.post(at, yes).is(http.StatusConflict).says("You have reviewed this work already.")
	bea.post(at, yes).says("Accepted", "Size 2 of 5")
}

func TestSecretsAreShownOnce(t *testing.T) {
	h := openHouse(t)
	b := h.browse("ada")
	b.post("/tokens", url.Values{"hours": {"24"}}).is(http.StatusUnprocessableEntity).says("what the token is for")
	b.post("/tokens", url.Values{"label": {"Laptop"}, "hours": {"9999"}}).is(http.StatusUnprocessableEntity)
	b.post("/tokens", url.Values{"label": {"Laptop"}, "hours": {"24"}}).is(http.StatusOK).says("dcm_", "shown once")
	b.get("/tokens").says("Laptop").keepsQuiet("dcm_")
	b.post("/tokens/"+unknownID+"/drop", nil).is(http.StatusNotFound)
	b.post("/steward/vetting", url.Values{"name": {"Lab"}, "kind": {"cult"}, "region": {"DE"}}).is(http.StatusUnprocessableEntity)
	vetted := b.post("/steward/vetting", url.Values{"name": {"Lab <i>"}, "kind": {"university"}, "region": {"de"}}).is(http.StatusOK)
	wellFormed(t, vetted.says("Lab <i> is vetted", "Secret"))
	b.get("/steward/vetting").says("Lab <i>").keepsQuiet("Secret")
}

func TestTheTreasurersStepsAskFirst(t *testing.T) {
	h := openHouse(t)
	bea, eva := h.browse("bea"), h.browse("eva")
	bea.post("/steward/periods/P0001/close", nil).is(http.StatusUnprocessableEntity).says("Tick the box")
	bea.post("/steward/periods/P0001/explode", url.Values{"sure": {"yes"}}).is(http.StatusNotFound)
	bea.post("/steward/treasury", nil).is(http.StatusUnprocessableEntity).says("Choose a bank statement first.")
	bea.upload("/steward/treasury", nil, "statement", "<html>no</html>").is(http.StatusUnprocessableEntity).says("not a camt.053 statement")
	sure := url.Values{"sure": {"yes"}}
	bea.post("/steward/periods/P0001/close", sure).is(http.StatusOK).says("The period is closed")
	bea.post("/steward/periods/P0001/settle", sure).is(http.StatusConflict).says("Members can still contest")
	eva.post("/money/P0001", nil).is(http.StatusUnprocessableEntity).says("Say what is wrong")
	eva.post("/money/P0001", url.Values{"text": {"My <b>minutes</b>"}}).is(http.StatusOK).says("Your appeal is in", "My <b>minutes</b>")
	dan := h.browse("dan")
	dan.get("/steward/appeals").says("My <b>minutes</b>")
	answer := regexpAppeal(t, dan.get("/steward/appeals").text)
	dan.post(answer, url.Values{"answer": {"No."}}).is(http.StatusUnprocessableEntity).says("uphold or dismiss")
	dan.post(answer, url.Values{"decision": {"dismiss"}}).is(http.StatusUnprocessableEntity).says("Write an answer")
	dan.post(answer, url.Values{"decision": {"dismiss"}, "answer": {"They are in P0002."}}).is(http.StatusOK).says("The appeal is dismissed")
	eva.get("/money/P0001").says("Dismissed", "They are in P0002.")
}

func regexpAppeal(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `action="/steward/appeals/`)
	id, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("no appeal to answer")
	}
	return "/steward/appeals/" + id
}

func TestTheAccountIsNeverShownWhole(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	bad := b.post("/money/account", url.Values{"holder": {"Eva Example"}, "iban": {"DE00"}}).is(http.StatusUnprocessableEntity).says("not a valid IBAN")
	if !strings.Contains(bad.text, `value="Eva Example"`) {
		t.Error("what was typed is gone")
	}
	b.post("/money/account", url.Values{"holder": {"Eva Example"}, "iban": {"de89 3704 0044 0532 0130 00"}}).is(http.StatusOK).says("Ends in 3000")
	b.get("/money").says("Ends in 3000").keepsQuiet("37040044")
}

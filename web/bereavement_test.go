package web_test

import (
	"context"
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/bereavement"
	"distributed.ai/datacoop/web/client"
)

var heirs = regexp.MustCompile(`/goodbye/[a-z2-7]{26}`)

// sure sends a form that needs a proof of its own, gives the proof and goes on.
func (b *browser) sure(subject, path string, form url.Values) visited {
	b.h.t.Helper()
	b.post(path, form)
	return b.confirm(subject)
}

// mourned reports with a token that a member has died, and answers the report.
func (h *house) mourned(token, member string) (r bereavement.Bereavement) {
	h.t.Helper()
	a := h.call("POST", "/v1/bereavements", token, `{"member":"`+member+`","evidence":"court"}`)
	if a.status != http.StatusCreated {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	ok(h.t, json.Unmarshal(a.body, &r))
	return r
}

// reports lists what stewards read, by id.
func (h *house) reports(token string) map[string]string {
	h.t.Helper()
	a := h.call("GET", "/v1/bereavements", token, "")
	var list struct{ Items []bereavement.Bereavement }
	ok(h.t, json.Unmarshal(a.body, &list))
	out := map[string]string{}
	for _, r := range list.Items {
		out[r.ID] = r.State
	}
	return out
}

// TestADeathIsNotedByTwoStewardsAndTheAccountIsClosed goes from the relatives'
// paper to the page that the heirs get.
func TestADeathIsNotedByTwoStewardsAndTheAccountIsClosed(t *testing.T) {
	h := openHouse(t)
	members := map[string]*client.Client{}
	tokens := map[string]string{}
	for i, name := range []string{"eva", "finn", "guel"} {
		members[name], tokens[name] = h.member(name)
		h.share(members[name], uint64(i)+1)
	}
	s := h.study(30)
	request := s.ask().ID
	s.pay(request)
	ada, bea, dan, eva := h.browse("ada"), h.browse("bea"), h.browse("dan"), h.browse("eva")
	const page = "/steward/bereavement"
	paper := url.Values{"account": {"eva"}, "evidence": {"certificate"}}

	wellFormed(t, ada.get(page).is(http.StatusOK).says("When a member has died", "within 14 days", "After 30 more days", "No account was closed"))
	wellFormed(t, ada.post(page+"/check", url.Values{"account": {"nobody"}, "evidence": {"court"}}).is(http.StatusUnprocessableEntity).says("no open account of that name"))
	ada.post(page+"/check", url.Values{"account": {"ada"}, "evidence": {"court"}}).is(http.StatusConflict).says("your own account")
	wellFormed(t, ada.post(page+"/check", paper).is(http.StatusOK).says("Is it this member?", "Eva"))
	wellFormed(t, ada.sure("ada", page, paper).is(http.StatusUnprocessableEntity).says("Tick the box"))
	paper.Set("seen", "yes")
	paper.Set("evidence", "a rumour")
	ada.sure("ada", page, paper).is(http.StatusUnprocessableEntity).says("which paper you have seen")
	if a := h.call("GET", "/v1/me", tokens["eva"], ""); a.status != http.StatusOK {
		t.Fatalf("what was refused has an effect: %d", a.status)
	}
	paper.Set("evidence", "certificate")
	noted := ada.sure("ada", page, paper).is(http.StatusOK).says("The death is noted", "Needs a second steward", "A death certificate", "You noted this")
	wellFormed(t, noted)
	ada.sure("ada", page, paper).is(http.StatusConflict).says("reported before")

	// From now on nobody acts as eva, and nobody gets anything of hers.
	if a := h.call("GET", "/v1/me", tokens["eva"], ""); a.status != http.StatusUnauthorized {
		t.Errorf("a program of hers still runs: %d", a.status)
	}
	if at := eva.get("/data"); at.path == "/data" {
		t.Error("a browser is still signed in")
	}
	s.fetch(request, 2, 1)

	id := regexp.MustCompile(page + `/([0-9a-f-]{36})/withdraw`).FindStringSubmatch(noted.text)[1]
	seen := url.Values{"seen": {"yes"}}
	ada.sure("ada", page+"/"+id+"/confirm", seen).is(http.StatusConflict).says("A second steward has to see the paper")
	bea.sure("bea", page+"/"+id+"/confirm", url.Values{}).is(http.StatusUnprocessableEntity).says("Tick the box")
	ada.sure("ada", page+"/"+id+"/letter", url.Values{}).is(http.StatusConflict) // nothing is closed yet
	wellFormed(t, bea.sure("bea", page+"/"+id+"/confirm", seen).is(http.StatusOK).says("The death is confirmed", "If the member signs in before"))
	bea.sure("bea", page+"/"+id+"/confirm", seen).is(http.StatusConflict).says("does not stand any more")

	h.clock.Advance(bereavement.Waiting)
	h.eventually("the closing", func() bool { return strings.Contains(ada.get(page).said(), "Confirmed by Ada and Bea") })
	dan.get(page).is(http.StatusOK).keepsQuiet("Show the address for the heirs", "Eva")
	dan.sure("dan", page+"/"+id+"/letter", url.Values{}).is(http.StatusForbidden).says("Only the two stewards")
	letter := ada.sure("ada", page+"/"+id+"/letter", url.Values{}).is(http.StatusOK).says("The address for the heirs", "within 3 years")
	wellFormed(t, letter)
	path := heirs.FindString(letter.text)
	h.eventually("the end of the closing", func() bool {
		return strings.Contains(h.stranger().get(path).is(http.StatusOK).said(), "The account is closed")
	})
	if again := heirs.FindString(bea.sure("bea", page+"/"+id+"/letter", url.Values{}).text); again != path {
		t.Errorf("the second steward gets %s, not %s", again, path)
	}
	h.stranger().get("/goodbye/" + strings.Repeat("a", 26)).is(http.StatusNotFound)
	if h.holds("farewell_closings", strings.TrimPrefix(path, "/goodbye/")) {
		t.Error("the address can be read in the database")
	}
	h.verified(t)
}

// TestWhoSignsInLives: a wrong report ends in the moment in which its member signs
// in, before and after a second steward has confirmed it, and sharing is as they
// had left it.
func TestWhoSignsInLives(t *testing.T) {
	post := testkit.Mail(t)
	h := openHouse(t, func(h *house) {
		h.mail = &inbox.Server{Address: post.Addr, Roots: post.Roots, From: netmail.Address{Address: "post@coop.example"}}
	})
	_, ada := h.member("ada")
	_, bea := h.member("bea")
	letters := func(n int) string {
		t.Helper()
		h.eventually("the letter", func() bool { return len(post.Letters()) >= n })
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(post.Letters()[n-1].Text)))
		ok(t, err)
		return string(text)
	}
	eva := h.browse("eva") // who wants no letters
	eva.post("/inbox/email", url.Values{"address": {"eva@home.example"}, "cadence": {"off"}}).is(http.StatusOK)
	h.stranger().post(regexp.MustCompile(`/email/confirm/\S+`).FindString(letters(1)), url.Values{}).is(http.StatusOK)
	finn, _ := h.member("finn")
	ok(t, finn.Pause(context.Background()))

	first, other := h.mourned(ada, "eva"), h.mourned(ada, "finn")
	if a := h.call("POST", "/v1/bereavements/"+first.ID+"/confirm", bea, ""); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	h.clock.Advance(time.Minute)
	if text := letters(2); !strings.Contains(text, "about your account") || strings.Contains(text, "Eva") || strings.Contains(text, "died") {
		t.Errorf("the letter says %s", text)
	}
	for _, who := range []string{"eva", "finn"} {
		h.browse(who)
	}
	paused := func(who string) bool {
		api, _ := h.member(who)
		me, err := api.Me(context.Background())
		ok(t, err)
		return me.Paused
	}
	h.eventually("sharing again", func() bool { return !paused("eva") })
	if !paused("finn") {
		t.Error("a pause of their own is over")
	}
	if all := h.reports(ada); all[first.ID] != bereavement.Stopped || all[other.ID] != bereavement.Stopped {
		t.Errorf("%v", all)
	}
	h.browse("eva").get("/inbox").says("A steward noted that you had died", "It ended when you signed in")
	h.eventually("the stewards' message", func() bool {
		return strings.Contains(h.browse("bea").get("/inbox").said(), "A member who was noted as dead has signed in")
	})
	refused(t, h.call("POST", "/v1/bereavements/"+other.ID+"/confirm", bea, ""), http.StatusConflict, "bereavement-over")
	wellFormed(t, h.browse("bea").get("/steward/bereavement").is(http.StatusOK).says("Eva has signed in, so nothing was closed"))
	h.clock.Advance(bereavement.Waiting + time.Hour)
	h.eventually("the look at what stood for closing", func() bool { return h.waiting("bereavement.close", time.Time{}) == 0 })
	if all := h.reports(ada); all[first.ID] != bereavement.Stopped || paused("eva") {
		t.Errorf("%v", all)
	}
}

// TestAReportThatNobodyConfirmsIsOver, and so is one that a steward takes back.
func TestAReportThatNobodyConfirmsIsOver(t *testing.T) {
	h := openHouse(t)
	_, ada := h.member("ada")
	_, bea := h.member("bea")
	_, eva := h.member("eva")
	h.member("finn")
	refused(t, h.call("POST", "/v1/bereavements", eva, `{"member":"finn","evidence":"court"}`), http.StatusForbidden, "office-needed")
	refused(t, h.call("GET", "/v1/bereavements", eva, ""), http.StatusForbidden, "office-needed")
	first, other := h.mourned(ada, "eva"), h.mourned(ada, "finn")
	refused(t, h.call("POST", "/v1/bereavements/"+unknownID+"/withdraw", bea, ""), http.StatusNotFound, "not-found")
	if a := h.call("POST", "/v1/bereavements/"+other.ID+"/withdraw", bea, ""); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused(t, h.call("POST", "/v1/bereavements/"+other.ID+"/withdraw", bea, ""), http.StatusConflict, "bereavement-over")
	h.clock.Advance(bereavement.Lapse)
	h.eventually("the end of the report", func() bool { return h.reports(ada)[first.ID] == bereavement.Lapsed })
	if h.reports(ada)[other.ID] != bereavement.Withdrawn {
		t.Errorf("%v", h.reports(ada))
	}
	for _, who := range []string{"eva", "finn"} {
		api, _ := h.member(who) // which stops nothing any more
		h.eventually("sharing again", func() bool {
			me, err := api.Me(context.Background())
			ok(t, err)
			return !me.Paused
		})
	}
	if h.reports(ada)[first.ID] != bereavement.Lapsed {
		t.Error("what is over ends twice")
	}
	if again := h.mourned(bea, "eva"); again.ID == first.ID || again.State != bereavement.Reported {
		t.Errorf("%+v", again)
	}
}

// TestWhatNoHeirClaimsGoesToTheCommonPurpose, and what they claim does not.
func TestWhatNoHeirClaimsGoesToTheCommonPurpose(t *testing.T) {
	h, _, _ := earned(t)
	_, bea := h.member("bea")
	ada := h.browse("ada")
	_, token := h.member("ada")
	page := map[string]string{}
	for _, who := range []string{"eva", "finn"} {
		r := h.mourned(token, who)
		if a := h.call("POST", "/v1/bereavements/"+r.ID+"/confirm", bea, ""); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		page[who] = r.ID
	}
	h.clock.Advance(bereavement.Waiting)
	h.eventually("both closings", func() bool {
		all := h.reports(token)
		return all[page["eva"]] == bereavement.Closed && all[page["finn"]] == bereavement.Closed
	})
	for _, who := range []string{"eva", "finn"} {
		page[who] = heirs.FindString(ada.sure("ada", "/steward/bereavement/"+page[who]+"/letter", url.Values{}).text)
		h.eventually("the end of the closing", func() bool { return strings.Contains(h.stranger().get(page[who]).said(), "The account is closed") })
		h.stranger().get(page[who]).says("Money that is owed")
	}
	h.stranger().post(page["finn"]+"/account", url.Values{"holder": {"Heir Example"}, "iban": {evasIBAN}}).is(http.StatusOK)
	h.clock.Advance(bereavement.ClaimFor)
	h.eventually("the gift", func() bool { return !strings.Contains(h.stranger().get(page["eva"]).said(), "Money that is owed") })
	h.eventually("another look", func() bool { return h.waiting("bereavement.unclaimed", h.clock.Now()) == 2 }) // later
	h.stranger().get(page["finn"]).is(http.StatusOK).says("Money that is owed")
	h.verified(t)
}

// TestAReportThatLeavesMoneyOnItsWayIsLookedAtAgain: what the bank has still to
// carry can come back, when nobody asks for it any more.
func TestAReportThatLeavesMoneyOnItsWayIsLookedAtAgain(t *testing.T) {
	h, _, _ := earned(t)
	ctx := context.Background()
	finn, _ := h.member("finn")
	ok(t, finn.SetPayoutAccount(ctx, client.PayoutAccount{Holder: "Finn Example", IBAN: evasIBAN}))
	_, ada := h.member("ada")
	r := h.mourned(ada, "finn")
	bea, token := h.member("bea")
	h.confirmed(token, r.ID)
	h.clock.Advance(bereavement.Waiting)
	h.eventually("the closing", func() bool { return h.reports(ada)[r.ID] == bereavement.Closed })
	cem, _ := h.member("cem")
	for _, treasurer := range []*client.Client{bea, cem} {
		_, err := treasurer.ReleasePeriod(ctx, "P0001")
		ok(t, err)
	}
	_, err := bea.PayoutFile(ctx, "P0001")
	ok(t, err)
	h.clock.Advance(bereavement.ClaimFor)
	h.eventually("another look", func() bool { return h.waiting("bereavement.unclaimed", h.clock.Now()) == 1 })
}

// confirmed is the word of a second steward.
func (h *house) confirmed(token, id string) {
	h.t.Helper()
	if a := h.call("POST", "/v1/bereavements/"+id+"/confirm", token, ""); a.status != http.StatusOK {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
}

// TestAReportThatEndsAtTheLastMomentClosesNothing has the member sign in when the
// job has already read that the report stands.
func TestAReportThatEndsAtTheLastMomentClosesNothing(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	steward, ada := h.member("ada")
	_, bea := h.member("bea")
	h.member("eva")
	h.confirmed(bea, h.mourned(ada, "eva").ID)
	me, err := steward.Me(ctx)
	ok(t, err)
	read, err := h.web.Bereavement().All(ctx, coop.MemberID(me.ID))
	ok(t, err)
	eva, _ := h.member("eva")
	ok(t, h.web.Bereavement().Close(ctx, read[0]))
	if who, err := eva.Me(ctx); err != nil || who.Paused {
		t.Errorf("%+v %v", who, err)
	}
	if all := h.reports(ada); all[read[0].ID] != bereavement.Stopped {
		t.Errorf("%v", all)
	}
}

// TestAReportThatIsSentTwicePausesOnce: nor does one that follows another, and
// both end, keep the member paused.
func TestAReportThatIsSentTwicePausesOnce(t *testing.T) {
	h := openHouse(t)
	_, ada := h.member("ada")
	_, bea := h.member("bea")
	h.member("eva")
	h.member("finn")
	goesOn := func(who string) {
		t.Helper()
		api, _ := h.member(who)
		if me, err := api.Me(context.Background()); err != nil || me.Paused {
			t.Errorf("%s is paused: %v", who, err)
		}
	}
	for range 2 {
		a := h.call("POST", "/v1/bereavements", ada, `{"member":"eva","evidence":"court"}`, "Idempotency-Key", "only-once")
		if a.status != http.StatusCreated {
			t.Fatalf("%d %s", a.status, a.body)
		}
		goesOn("eva")
	}
	for _, steward := range []string{ada, bea} {
		r := h.mourned(steward, "finn")
		if !r.InEffect {
			t.Errorf("%+v", r)
		}
		h.call("POST", "/v1/bereavements/"+r.ID+"/withdraw", steward, "")
	}
	goesOn("finn")

	guel, _ := h.member("guel")
	me, err := guel.Me(context.Background())
	ok(t, err)
	h.mourned(ada, "guel")
	ok(t, h.web.Consent.Pause(context.Background(), coop.MemberID(me.ID))) // as a restore does
	guel, _ = h.member("guel")
	if me, err = guel.Me(context.Background()); err != nil || !me.Paused {
		t.Errorf("a later pause has ended with the report: %v", err)
	}
}

// TestAReportThatFollowsAStoppedOneWaits: for a second steward, and no steward
// repeats their own at once.
func TestAReportThatFollowsAStoppedOneWaits(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	_, ada := h.member("ada")
	_, bea := h.member("bea")
	h.member("eva")
	h.mourned(ada, "eva")
	eva, token := h.member("eva")
	refused(t, h.call("POST", "/v1/bereavements", ada, `{"member":"eva","evidence":"court"}`), http.StatusConflict, "bereavement-again")
	r := h.mourned(bea, "eva")
	if me, err := eva.Me(ctx); err != nil || me.Paused || r.InEffect {
		t.Errorf("one steward alone has paused who lives: %+v %v", me, err)
	}
	wellFormed(t, h.browse("bea").get("/steward/bereavement").says("takes effect only when a second steward confirms it"))
	_, err := eva.CloseAccount(ctx, "", false)
	refusedAs(t, err, "bereavement-stands") // the heirs' address would lead nowhere
	if held := h.takeaway(token)["death-reports.json"]; !strings.Contains(held, r.Reference) || !strings.Contains(held, bereavement.Stopped) {
		t.Errorf("held about eva: %s", held)
	}
	h.confirmed(ada, r.ID)
	if a := h.call("GET", "/v1/me", token, ""); a.status != http.StatusUnauthorized {
		t.Errorf("a program of hers still runs: %d", a.status)
	}
	eva, _ = h.member("eva")
	if me, err := eva.Me(ctx); err != nil || me.Paused || h.reports(ada)[r.ID] != bereavement.Stopped {
		t.Errorf("%+v %v", me, err)
	}
	h.clock.Advance(bereavement.Lapse)
	h.mourned(ada, "eva")
}

// TestAReportThatIsConfirmedTooLateIsOver, whether its end was noted or not.
func TestAReportThatIsConfirmedTooLateIsOver(t *testing.T) {
	h := openHouse(t)
	_, ada := h.member("ada")
	_, bea := h.member("bea")
	h.member("eva")
	r := h.mourned(ada, "eva")
	ok(t, h.db.Update(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec("DELETE FROM jobs_queue WHERE kind = 'bereavement.lapse'")
		return err
	}))
	h.clock.Advance(bereavement.Lapse)
	refused(t, h.call("POST", "/v1/bereavements/"+r.ID+"/confirm", bea, ""), http.StatusConflict, "bereavement-over")
}

// waiting counts the jobs of a kind that have still to be done, after a time.
func (h *house) waiting(kind string, after time.Time) (n int) {
	h.t.Helper()
	ok(h.t, h.db.View(context.Background(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT COUNT(*) FROM jobs_queue WHERE kind = ? AND done = 0 AND run_at > ?", kind, after.UnixMilli()).Scan(&n)
	}))
	return n
}

// TestTwoStewardsNoteADeathInTheBrowser: to the page that the heirs get, with a
// proof for each step, and nothing is closed by one of them or before its time.
func TestTwoStewardsNoteADeathInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	h.member("eva")
	_, token := h.member("dan")
	state := func() (state string) {
		for _, state = range h.reports(token) {
		}
		return state
	}
	last := h.play("bereaved", told{"shots": os.Getenv("DATACOOP_SHOTS")}, map[string]func(seen){
		"noted": func(seen) {
			if h.clock.Advance(bereavement.Waiting / 10); state() != bereavement.Reported {
				t.Errorf("after one steward it is %s", state())
			}
		},
		"confirmed": func(seen) {
			if state() != bereavement.Confirmed {
				t.Errorf("after two stewards it is %s", state())
			}
			h.clock.Advance(bereavement.Waiting)
			h.eventually("the closing", func() bool { return state() == bereavement.Closed })
		},
	})
	last.says(t, map[string]string{"whose": "Is it this member?", "proof": "show once more that it is you", "proven": "You are about to act for a member who has died.",
		"noted": "The death is noted", "confirmed": "The death is confirmed", "letter": "The address for the heirs", "heirs": "because its member has died"})
}

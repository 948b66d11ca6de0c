package inbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox/mail"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
)

// world is an inbox on a real database, with a mail server and a clock that tests
// move.
type world struct {
	*Service
	t     *testing.T
	clock *testkit.Clock
	queue *jobs.Queue
	gov   *governance.Service
	post  *testkit.MailServer
	log   *bytes.Buffer
}

func open(t *testing.T) *world {
	t.Helper()
	charter, err := coop.ParseCharter(governance.DemoCharter())
	w := &world{t: t, clock: testkit.NewClock(), post: testkit.Mail(t), log: &bytes.Buffer{}}
	w.ok(err)
	d, engine := testkit.DB(t), policies.NewEngine(nil)
	log := testkit.Audit(t, d)
	w.queue = testkit.Queue(t, d, w.clock.Now)
	con, err := consent.New(t.Context(), consent.Config{DB: d, Engine: engine, Log: log, Clock: w.clock.Now, Key: testkit.Key(), PermitFor: time.Minute, Charter: charter})
	w.ok(err)
	w.gov, err = governance.New(t.Context(), governance.Config{DB: d, Consent: con, Engine: engine, Log: log, Jobs: w.queue, Clock: w.clock.Now,
		Key: testkit.Key(), Charter: charter, CharterText: governance.DemoCharter()})
	w.ok(err)
	w.Service, err = New(t.Context(), Config{DB: d, Jobs: w.queue, Governance: w.gov, Clock: w.clock.Now, Name: "Demo co-op", BaseURL: "https://coop.example",
		Secret: bytes.Repeat([]byte("s"), 32), Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Mail: &mail.Server{Address: w.post.Addr, Roots: w.post.Roots, From: netmail.Address{Address: "post@coop.example"}}})
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(err, want error) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) member(name string) coop.MemberID {
	w.t.Helper()
	m, err := w.gov.Admit(w.t.Context(), governance.Identity{Issuer: "i", Subject: name, Name: name})
	w.ok(err)
	return m.ID
}

// work runs the queue after some time has passed.
func (w *world) work(later time.Duration) {
	w.t.Helper()
	w.clock.Advance(later)
	_, err := w.queue.RunDue(w.t.Context())
	w.ok(err)
}

func (w *world) tell(n coop.Notice) {
	w.t.Helper()
	w.ok(w.Tell(w.t.Context(), n))
	w.work(0)
}

func (w *world) to(m coop.MemberID, kind string) {
	w.t.Helper()
	w.tell(coop.Notice{Kind: kind, Occasion: coop.NewID(), To: []coop.Addressee{{Member: m}}})
}

func (w *world) items(m coop.MemberID) []Item {
	w.t.Helper()
	list, err := w.List(w.t.Context(), m, "", 100)
	w.ok(err)
	return list
}

func (w *world) unreadOf(m coop.MemberID) int {
	w.t.Helper()
	who, err := w.gov.Member(w.t.Context(), m)
	w.ok(err)
	n, err := w.Unread(w.t.Context(), who)
	w.ok(err)
	return n
}

func TestEachReadsWhatIsForThemAndNothingElse(t *testing.T) {
	w := open(t)
	ada, eva := w.member("ada"), w.member("eva") // the charter has ada vet
	w.to(eva, coop.NoticeAccount)
	w.tell(coop.Notice{Kind: coop.NoticeReview, Ref: coop.NewID(), Office: coop.Vetting})
	w.tell(coop.Notice{Kind: coop.NoticeJudge, Ref: coop.NewID(), Office: coop.Appeals})
	w.tell(coop.Notice{Kind: coop.NoticeVoteOpened, Ref: coop.NewID(), About: "Universities only"})
	w.work(time.Hour)
	late := w.member("late")
	for m, want := range map[coop.MemberID][]string{ada: {coop.NoticeVoteOpened, coop.NoticeReview}, eva: {coop.NoticeVoteOpened, coop.NoticeAccount}, late: nil} {
		list := w.items(m)
		if len(list) != len(want) {
			t.Fatalf("%+v, want %v", list, want)
		}
		for i, kind := range want {
			if list[i].Kind != kind || list[i].Read || list[i].Topic() == "" {
				t.Errorf("%+v, want %s", list[i], kind)
			}
		}
	}
	w.refused(w.MarkRead(t.Context(), ada, w.items(eva)[1].ID), ErrItem)
	w.refused(w.MarkRead(t.Context(), eva, w.items(eva)[0].ID, "none"), ErrItem)
	w.refused(w.MarkAllRead(t.Context(), late, w.items(eva)[0].ID), ErrItem)
	if w.unreadOf(eva) != 2 {
		t.Error("what was refused was marked")
	}
	w.ok(w.MarkRead(t.Context(), eva, w.items(eva)[1].ID))
	if list := w.items(eva); list[0].Read || !list[1].Read || w.unreadOf(eva) != 1 || w.unreadOf(ada) != 2 {
		t.Errorf("%+v", list)
	}
	newest := w.items(eva)[0].ID
	w.to(eva, coop.NoticeToken)
	w.ok(w.MarkAllRead(t.Context(), eva, newest))
	w.ok(w.MarkAllRead(t.Context(), eva, newest))
	if list := w.items(eva); list[0].Read || !list[1].Read || w.unreadOf(eva) != 1 {
		t.Errorf("what came after the page was made is read: %+v", list)
	}
}

func TestWhatIsToldTwiceIsThereOnce(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	n := coop.Notice{Kind: coop.NoticePaid, Ref: "P0001", To: []coop.Addressee{{Member: eva}, {Member: "gone"}}}
	w.tell(n)
	w.tell(n)
	payload := []byte(`{"kind":"payout.sent","ref":"P0001","to":[{"member":"` + string(eva) + `"}]}`)
	w.ok(w.deliver(payload))
	if list := w.items(eva); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	lost := errors.New("lost")
	err := w.DB.Update(t.Context(), func(tx *db.Tx) error {
		return errors.Join(w.queue.Tell(tx, coop.Notice{Kind: coop.NoticeToken, To: n.To}), lost)
	})
	w.refused(err, lost)
	w.work(time.Hour)
	if list := w.items(eva); len(list) != 1 {
		t.Errorf("what never happened is told: %+v", list)
	}
	for _, wrong := range []string{`{"kind":"gossip"}`, `[`} {
		if w.deliver([]byte(wrong)) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func (w *world) deliver(payload []byte) error { return w.Service.post(w.t.Context(), payload) }

func TestThatAVoteClosesIsNotToldAfterwards(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	soon := w.clock.Now().Add(time.Hour).UnixMilli()
	w.ok(w.Tell(t.Context(), coop.Notice{Kind: coop.NoticeVoteClosing, Ref: "P0001", At: soon - 1, Until: soon}))
	w.work(2 * time.Hour)
	if len(w.items(eva)) != 0 {
		t.Error("told too late")
	}
}

func TestWhoLeavesIsForgotten(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	w.to(eva, coop.NoticeToken)
	w.confirmed(eva, "eva@home.example", Daily)
	w.ok(w.MarkAllRead(t.Context(), eva, w.items(eva)[0].ID))
	w.ok(w.gov.CloseAccount(t.Context(), eva))
	w.ok(w.Forget(t.Context(), eva))
	w.ok(w.Forget(t.Context(), eva))
	w.to(eva, coop.NoticePaid)
	w.ok(w.DB.View(t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"inbox_items", "inbox_reads", "inbox_marks", "inbox_addresses"} {
			text, err := testkit.Dump(tx, "SELECT * FROM "+table)
			if err != nil || strings.Contains(text, string(eva)) || strings.Contains(text, "eva@") {
				t.Errorf("%s: %s %v", table, text, err)
			}
		}
		return nil
	}))
}

// links finds the addresses in the newest letter that was handed in.
func (w *world) links(what string) string {
	w.t.Helper()
	list := w.post.Letters()
	if len(list) == 0 {
		w.t.Fatal("no letter")
	}
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(list[len(list)-1].Text)))
	w.ok(err)
	found := regexp.MustCompile(`https://coop\.example/email/` + what + `/(\S+)`).FindSubmatch(text)
	if found == nil {
		w.t.Fatalf("no link to %s in %s", what, text)
	}
	return strings.TrimSuffix(string(found[1]), ">")
}

// confirmed has a member hear by e-mail.
func (w *world) confirmed(m coop.MemberID, address, cadence string) {
	w.t.Helper()
	_, err := w.PutSettings(w.t.Context(), m, Settings{Address: address, Cadence: cadence})
	w.ok(err)
	w.work(0)
	w.ok(w.Confirm(w.t.Context(), w.links("confirm")))
}

func TestAnAddressCountsOnceItIsConfirmed(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	got, err := w.PutSettings(t.Context(), eva, Settings{Address: " eva@home.example ", Cadence: Daily, Muted: []Topic{Votes}})
	w.ok(err)
	if got.Confirmed || got.DueAt != 0 || got.Address != "eva@home.example" {
		t.Errorf("%+v", got)
	}
	w.to(eva, coop.NoticePaid)
	w.work(20 * time.Hour)
	if list := w.post.Letters(); len(list) != 1 || strings.Contains(list[0].Text, "new message") {
		t.Fatalf("before it is confirmed: %+v", list)
	}
	token := w.links("confirm")
	for _, wrong := range []string{"", "x", token + "x", token[:len(token)-1] + "!", "A" + token, strings.Repeat("a", 500)} {
		w.refused(w.Confirm(t.Context(), wrong), ErrLink)
		w.refused(w.Confirmable(t.Context(), wrong), ErrLink)
	}
	w.refused(w.Stop(t.Context(), token), ErrLink) // good for one thing only
	w.ok(w.Confirmable(t.Context(), token))
	w.ok(w.Confirm(t.Context(), token))
	w.refused(w.Confirm(t.Context(), token), ErrLink)
	got, err = w.Settings(t.Context(), eva)
	w.ok(err)
	if !got.Confirmed || got.DueAt == 0 || got.Cadence != Daily || len(got.Muted) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestALinkThatNobodyFollowsLapses(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	_, err := w.PutSettings(t.Context(), eva, Settings{Address: "eva@home.example", Cadence: Daily})
	w.ok(err)
	w.work(0)
	token := w.links("confirm")
	w.clock.Advance(ConfirmWithin)
	w.refused(w.Confirmable(t.Context(), token), ErrLink)
	w.refused(w.Confirm(t.Context(), token), ErrLink)
	w.work(0)
	if got, err := w.Settings(t.Context(), eva); err != nil || got.Address != "" || got.Cadence != Off {
		t.Errorf("%+v %v", got, err)
	}
}

func TestNobodyIsBotheredThroughUs(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	put := func(s Settings) error {
		_, err := w.PutSettings(t.Context(), eva, s)
		return err
	}
	w.refused(put(Settings{Address: "eva@home.example\r\nBcc: all@home.example", Cadence: Daily}), ErrAddress)
	w.refused(put(Settings{Address: "eva@home.example", Cadence: "hourly"}), ErrCadence)
	w.refused(put(Settings{Address: "eva@home.example", Cadence: Daily, Muted: []Topic{"weather"}}), ErrTopic)
	for i := range mostAsks {
		w.ok(put(Settings{Address: "victim" + string(rune('a'+i)) + "@home.example", Cadence: Daily}))
		w.ok(w.DropAddress(t.Context(), eva))
	}
	w.refused(put(Settings{Address: "victim@home.example", Cadence: Daily}), ErrTooMany)
	w.work(ConfirmWithin)
	if n := len(w.post.Letters()); n != 0 {
		t.Errorf("%d letters to addresses that were taken back", n)
	}
	w.ok(put(Settings{Address: "victim@home.example", Cadence: Daily}))
	w.Mail = nil
	w.refused(put(Settings{Address: "eva@home.example", Cadence: Daily}), ErrNoMail)
}

func TestALetterCountsAndSaysNothingElse(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	w.to(eva, coop.NoticeToken) // from before the address
	w.confirmed(eva, "eva@home.example", Daily)
	title := "Do people with diabetes sleep less?"
	w.tell(coop.Notice{Kind: coop.NoticeQuestion, Ref: coop.NewID(), About: title, To: []coop.Addressee{{Member: eva}}})
	w.tell(coop.Notice{Kind: coop.NoticeVoteOpened, Ref: coop.NewID(), About: title})
	w.tell(coop.Notice{Kind: coop.NoticeVoteClosed, Ref: coop.NewID(), About: title})
	w.to(eva, coop.NoticePaid)
	w.ok(w.MarkRead(t.Context(), eva, w.items(eva)[0].ID)) // and what is read is no news
	w.work(24 * time.Hour)
	list := w.post.Letters()
	if len(list) != 2 {
		t.Fatalf("%d letters", len(list))
	}
	got, err := netmail.ReadMessage(strings.NewReader(list[1].Text))
	w.ok(err)
	text, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	w.ok(err)
	for _, want := range []string{"3 new messages", "1 waiting for you", "2 about votes", "https://coop.example/inbox"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	for _, secret := range []string{"diabetes", string(eva), "eva\n", "money", "account"} {
		if strings.Contains(list[1].Text, secret) || strings.Contains(string(text), secret) && secret != "account" {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if stop := got.Header.Get("List-Unsubscribe"); !strings.HasPrefix(stop, "<https://coop.example/email/stop/") || got.Header.Get("List-Unsubscribe-Post") == "" {
		t.Errorf("%q", stop)
	}
	w.work(24 * time.Hour)
	if n := len(w.post.Letters()); n != 2 {
		t.Errorf("a letter about nothing new: %d", n)
	}
	w.to(eva, coop.NoticeReturned)
	w.work(24 * time.Hour)
	if n := len(w.post.Letters()); n != 3 {
		t.Errorf("%d letters", n)
	}
	token := w.links("stop")
	w.refused(w.Stop(t.Context(), token+"x"), ErrLink)
	w.ok(w.Stoppable(t.Context(), token))
	w.ok(w.Stop(t.Context(), token))
	w.ok(w.Stop(t.Context(), token))
	w.to(eva, coop.NoticePaid)
	w.work(48 * time.Hour)
	if got, err := w.Settings(t.Context(), eva); err != nil || got.Address != "" || len(w.post.Letters()) != 3 {
		t.Errorf("after it was called off: %+v %v", got, err)
	}
}

func TestNothingIsLostWhileTheServerIsAway(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	w.confirmed(eva, "eva@home.example", Weekly)
	w.to(eva, coop.NoticePaid)
	w.post.Away(true)
	w.work(7 * 24 * time.Hour)
	before := w.post.Sessions()
	w.work(firstPause + time.Minute)
	if w.post.Sessions() != before+1 {
		t.Error("it is not tried again")
	}
	for range 3 * mostAttempts {
		w.work(24 * time.Hour / mostAttempts)
	}
	if n := w.post.Sessions() - before; n >= mostAttempts {
		t.Errorf("%d attempts", n)
	}
	w.post.Away(false)
	w.to(eva, coop.NoticeReturned)
	w.work(7 * 24 * time.Hour)
	list := w.post.Letters()
	if len(list) != 2 || !strings.Contains(list[1].Text, "2 new messages") {
		t.Errorf("%+v", list)
	}
	if strings.Contains(w.log.String(), "eva@") || !strings.Contains(w.log.String(), "was not taken") {
		t.Errorf("the log says %s", w.log)
	}
}

func TestAConfirmationIsTriedAgain(t *testing.T) {
	w := open(t)
	eva := w.member("eva")
	w.post.Away(true)
	_, err := w.PutSettings(t.Context(), eva, Settings{Address: "eva@home.example", Cadence: Daily})
	w.ok(err)
	w.work(0)
	w.work(time.Minute)
	w.post.Away(false)
	w.work(firstPause)
	w.ok(w.Confirm(t.Context(), w.links("confirm")))
	if w.post.Sessions() != 2 {
		t.Errorf("%d sessions", w.post.Sessions())
	}
}

func TestAnAddressThatLettersComeBackFromIsGivenUp(t *testing.T) {
	w := open(t)
	eva, dan := w.member("eva"), w.member("dan")
	w.confirmed(eva, "eva@home.example", Daily)
	w.confirmed(dan, "dan@home.example", Daily)
	w.to(eva, coop.NoticePaid)
	w.post.Refuse("550 no such mailbox")
	for range mostBounces {
		w.work(24 * time.Hour)
	}
	w.post.Refuse("")
	got, err := w.Settings(t.Context(), eva)
	w.ok(err)
	if list := w.items(eva); got.Address != "" || list[0].Kind != coop.NoticeMailStopped {
		t.Errorf("%+v, %+v", got, list)
	}
	if other, err := w.Settings(t.Context(), dan); err != nil || !other.Confirmed {
		t.Errorf("another's: %+v %v", other, err)
	}
}

func TestLettersAreWrittenInTheMorning(t *testing.T) {
	for at, want := range map[string][2]string{
		"2026-11-22T06:59:59Z": {"2026-11-22T07:00:00Z", "2026-11-23T07:00:00Z"}, // a Sunday
		"2026-11-22T07:00:00Z": {"2026-11-23T07:00:00Z", "2026-11-23T07:00:00Z"},
		"2026-11-23T07:00:00Z": {"2026-11-24T07:00:00Z", "2026-11-30T07:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if d, w := nextDue(Daily, now).Format(time.RFC3339), nextDue(Weekly, now).Format(time.RFC3339); d != want[0] || w != want[1] {
			t.Errorf("%s: %s, %s", at, d, w)
		}
	}
}

func TestEveryKindBelongsToATopicThatLettersHaveWordsFor(t *testing.T) {
	for _, k := range Kinds() {
		if topicWords[Item{Kind: k}.Topic()] == "" {
			t.Error(k)
		}
	}
	if _, err := New(context.Background(), Config{Secret: []byte("short")}); err == nil {
		t.Error("a short secret is taken")
	}
}

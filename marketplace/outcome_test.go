package marketplace

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/dispute"
	"distributed.ai/datacoop/marketplace/outcome"
)

// told collects what members are told from here on.
func (h *house) told() func(kind string) []coop.Notice {
	h.t.Helper()
	var mu sync.Mutex
	var all []coop.Notice
	h.queue.Handle(coop.NoticeJob, func(_ context.Context, payload []byte) error {
		var n coop.Notice
		err := json.Unmarshal(payload, &n)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, n)
		return err
	})
	return func(kind string) (out []coop.Notice) {
		h.t.Helper()
		_, err := h.queue.RunDue(h.ctx())
		h.ok(err)
		mu.Lock()
		defer mu.Unlock()
		for _, n := range all {
			if n.Kind == kind {
				out = append(out, n)
			}
		}
		return out
	}
}

// demanding is consent under the condition that results come back.
func (h *house) demanding(n int) {
	h.t.Helper()
	terms := yes()
	terms.Conditions = []string{"DUO:0000029"}
	for _, m := range h.members(n) {
		h.share(m, terms)
	}
}

// promise is a draft that promises results to the members.
func (s scientist) promise() Draft {
	d := s.draft()
	d.Study.Returns = true
	return d
}

// promised is a request that promised results, with everything fetched.
func (h *house) promised(s scientist) Request {
	h.t.Helper()
	req := must[Request](h.t)(h.Submit(h.ctx(), s.promise()))
	h.pay(must[Invoice](h.t)(h.Accept(h.ctx(), s.ID, req.ID)))
	h.fetchAll(s, must[[]FileView](h.t)(h.Files(h.ctx(), s.ID, req.ID)))
	return req
}

const finding = "People who walk at noon sleep eleven minutes longer."

func (h *house) reports(s scientist, id coop.RequestID, d ReportDraft) error {
	_, err := h.PutReport(h.ctx(), s.ID, id, d)
	return err
}

func TestMembersReadWhatCameOfTheirData(t *testing.T) {
	h := story(t)
	told := h.told()
	members, datasets := h.shared(3)
	stranger := h.member("stranger")
	s, other := h.scientist(), h.scientist()
	asked := must[Request](t)(h.Submit(h.ctx(), s.promise()))
	report := ReportDraft{Summary: "  " + finding + "\r\nThat is not much. ", Link: "https://example.org/a?b=c"}
	h.refused(h.reports(s, asked.ID, report), ErrNotFound) // nothing is owed before it is open
	h.pay(must[Invoice](t)(h.Accept(h.ctx(), s.ID, asked.ID)))
	h.refused(h.reports(s, asked.ID, report), outcome.ErrNothing)
	h.fetch(s, must[[]FileView](t)(h.Files(h.ctx(), s.ID, asked.ID))[0].ID)
	h.refused(h.reports(other, asked.ID, report), ErrNotFound)
	if d := must[ReportDuty](t)(h.ReportDuty(h.ctx(), s.ID, asked.ID)); d.Report != outcome.Owed || d.Deletion != outcome.Owed || d.Owes() {
		t.Errorf("after the first fetch: %+v", d)
	}
	d := must[ReportDuty](t)(h.PutReport(h.ctx(), s.ID, asked.ID, report))
	if d.Report != outcome.Done || d.Deletion != outcome.Owed || d.Published.Summary != finding+"\nThat is not much." {
		t.Errorf("published: %+v", d)
	}
	reached := 0
	for i, m := range members {
		list := must[[]Report](t)(h.DatasetReports(h.ctx(), m, datasets[i]))
		if len(list) > 0 {
			reached++
			if list[0].Title != asked.Title || list[0].Who != s.Name || list[0].Link != report.Link || len(told(coop.NoticeReport)[0].To) != 1 || told(coop.NoticeReport)[0].To[0].Member != m {
				t.Errorf("the member reads %+v", list[0])
			}
			if mine := must[[]Report](t)(h.MemberReports(h.ctx(), m, "", 10)); !slices.Equal(mine, list) {
				t.Errorf("among all: %+v", mine)
			}
		}
		if n := len(must[[]Report](t)(h.DatasetReports(h.ctx(), stranger, datasets[i]))); n != 0 {
			t.Errorf("a stranger reads %d", n)
		}
	}
	if n := len(must[[]Report](t)(h.PoolReports(h.ctx(), "wearables", "", 10))); reached != 1 || n != 1 {
		t.Errorf("%d members reached, %d in the catalogue", reached, n)
	}
	newer := ReportDraft{Summary: strings.ToUpper(finding)}
	h.ok(h.reports(s, asked.ID, newer))
	if list := must[[]Report](t)(h.PoolReports(h.ctx(), "wearables", "", 10)); len(list) != 1 || list[0].Summary != newer.Summary || list[0].Link != "" {
		t.Errorf("a newer report stands beside the older: %+v", list)
	}
}

func TestAReportThatIsNoneIsRefused(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, _ := h.fetched(s)
	for _, text := range []string{"Short.", "\xff" + finding, finding + "\x00", finding + "\u202e", strings.Repeat("x", outcome.MaxSummary+1)} {
		h.refused(h.reports(s, req.ID, ReportDraft{Summary: text, Deleted: true}), outcome.ErrSummary)
	}
	for _, link := range []string{"http://example.org/a", "javascript:alert(1)", "https://localhost/a", "https://user@example.org/", "https://example.org/a b", "https://еxample.org/",
		"https:example.org", "//example.org/a", "https://example.org/\"onclick", "https://example.org/" + strings.Repeat("a", outcome.MaxLink), "https://.", "https://[::1]/"} {
		h.refused(h.reports(s, req.ID, ReportDraft{Summary: finding, Link: link}), outcome.ErrLink)
	}
	h.refused(h.reports(s, req.ID, ReportDraft{Link: "https://example.org/a"}), outcome.ErrSummary)
	h.refused(h.reports(s, req.ID, ReportDraft{}), outcome.ErrEmpty)
	if n := len(must[[]Report](t)(h.PoolReports(h.ctx(), "wearables", "", 10))); n != 0 {
		t.Errorf("%d reports of what was refused", n)
	}
}

// TestWhatIsOverdueStopsNewRequests waits until the copies' time and the grace
// after it are over.
func TestWhatIsOverdueStopsNewRequests(t *testing.T) {
	h := story(t)
	told := h.told()
	h.demanding(3)
	s, other := h.scientist(), h.scientist()
	req := h.promised(s)
	asks := func(s scientist) error {
		_, err := h.Submit(h.ctx(), s.promise())
		return err
	}
	stands := func(report, deletion string) {
		t.Helper()
		if d := must[ReportDuty](t)(h.ReportDuty(h.ctx(), s.ID, req.ID)); d.Report != report || d.Deletion != deletion {
			t.Errorf("report %s, deletion %s; want %s, %s", d.Report, d.Deletion, report, deletion)
		}
	}
	h.clock.Advance(365*24*time.Hour - time.Millisecond)
	stands(outcome.Owed, outcome.Owed)
	h.clock.Advance(time.Millisecond)
	stands(outcome.Due, outcome.Due)
	h.ok(asks(s))
	if list := told(coop.NoticeOverdue); len(list) != 0 {
		t.Errorf("told before it is overdue: %+v", list)
	}
	h.clock.Advance(outcome.Grace)
	stands(outcome.Overdue, outcome.Overdue)
	h.refused(asks(s), outcome.ErrOverdue)
	if list := told(coop.NoticeOverdue); len(list) != 1 || list[0].Ref != string(req.ID) || list[0].Office != coop.Vetting {
		t.Errorf("stewards are told %+v", list)
	}
	h.ok(asks(other))
	if list := must[[]ReportDuty](t)(h.DutiesOwed(h.ctx(), h.ada)); len(list) != 1 || list[0].Request != req.ID || !list[0].Overdue() {
		t.Errorf("stewards read %+v", list)
	}
	for _, m := range []coop.MemberID{h.bea, h.dan, ""} {
		_, err := h.DutiesOwed(h.ctx(), m)
		h.refused(err, ErrOffice)
	}
	h.ok(h.reports(s, req.ID, ReportDraft{Deleted: true}))
	stands(outcome.Overdue, outcome.Done)
	h.refused(asks(s), outcome.ErrOverdue)
	h.ok(h.reports(s, req.ID, ReportDraft{Summary: finding}))
	stands(outcome.Done, outcome.Done)
	h.ok(asks(s))
}

func TestAnAbusiveReportIsHiddenAndOwedAgain(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req := h.promised(s)
	h.ok(h.reports(s, req.ID, ReportDraft{Summary: "The people of this pool are lazy, all of them.", Link: "https://example.org/a"}))
	one := must[[]Report](t)(h.PoolReports(h.ctx(), "wearables", "", 10))[0]
	hide := func(m coop.MemberID, id, reason string) error {
		_, err := h.HideReport(h.ctx(), m, id, reason)
		return err
	}
	h.refused(hide(h.dan, one.ID, "It insults."), ErrOffice)
	h.refused(hide(h.ada, one.ID, ""), outcome.ErrReason)
	h.refused(hide(h.ada, "none", "It insults."), ErrNotFound)
	h.ok(hide(h.ada, one.ID, "It insults."))
	h.refused(hide(h.ada, one.ID, "It insults."), outcome.ErrHidden)
	if one = must[Report](t)(h.Report(h.ctx(), one.ID)); one.Summary != "" || one.Link != "" || one.HiddenReason != "It insults." {
		t.Errorf("everybody reads %+v", one)
	}
	if d := must[ReportDuty](t)(h.ReportDuty(h.ctx(), s.ID, req.ID)); d.Report != outcome.Owed || d.Published.Summary == "" {
		t.Errorf("the researcher reads %+v", d)
	}
	h.ok(h.reports(s, req.ID, ReportDraft{Summary: finding}))
	if list := must[[]Report](t)(h.PoolReports(h.ctx(), "wearables", "", 10)); len(list) != 1 || list[0].Hidden() || list[0].Summary != finding {
		t.Errorf("a better one: %+v", list)
	}
}

func TestAFileFetchedAfterTheAttestationIsOwedAgain(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, files := h.paid(s)
	h.fetch(s, files[0].ID)
	h.ok(h.reports(s, req.ID, ReportDraft{Deleted: true}))
	h.clock.Advance(time.Hour)
	h.fetch(s, files[1].ID)
	if d := must[ReportDuty](t)(h.ReportDuty(h.ctx(), s.ID, req.ID)); d.Deletion != outcome.Owed || d.Report != outcome.None {
		t.Errorf("%+v", d)
	}
}

func TestMembersAreToldOfAFirstUseOnceAndNotToTheSecond(t *testing.T) {
	h := story(t)
	told := h.told()
	members, datasets := h.shared(3)
	s := h.scientist()
	h.fetched(s)
	if n := told(coop.NoticeFirstUse); len(n) != 0 {
		t.Fatalf("told at once: %+v", n)
	}
	h.clock.Advance(time.Hour)
	list := told(coop.NoticeFirstUse)
	if len(list) != 1 || len(list[0].To) != 3 || list[0].About != s.draft().Title {
		t.Fatalf("told %+v", list)
	}
	for _, a := range list[0].To {
		if i := slices.Index(datasets, coop.DatasetID(a.Ref)); i < 0 || members[i] != a.Member {
			t.Errorf("%s is told of %s", a.Member, a.Ref)
		}
	}
	h.fetched(h.scientist())
	h.clock.Advance(time.Hour)
	if list = told(coop.NoticeFirstUse); len(list) != 1 {
		t.Errorf("told again: %+v", list)
	}
}

func TestWhoIsToldOfDisputesAndMoney(t *testing.T) {
	h := story(t)
	told := h.told()
	h.shared(3)
	s := h.scientist()
	_, files := h.fetched(s)
	d := h.upheld(s, files[0].ID)
	for kind, office := range map[string]coop.Office{coop.NoticeDisputed: "", coop.NoticeJudge: coop.Appeals, coop.NoticeDisputeDecided: ""} {
		list := told(kind)
		if len(list) != 1 || list[0].Ref != d.ID || list[0].Office != office || office == "" && (len(list[0].To) != 1 || list[0].To[0].Member != d.Member) {
			t.Errorf("%s: %+v", kind, list)
		}
	}
	h.refused(func() error {
		_, err := h.OpenDispute(h.ctx(), s.ID, files[0].ID, dispute.Undecryptable, "Again.")
		return err
	}(), dispute.ErrTwice)
	if n := len(told(coop.NoticeDisputed)); n != 1 {
		t.Errorf("a dispute that was refused is told: %d", n)
	}
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), d.Member, "A Member", "DE02120300000000202051"))
	if list := told(coop.NoticeAccount); len(list) != 1 || list[0].To[0].Member != d.Member || list[0].About != "" {
		t.Errorf("%+v", list)
	}
	h.closed("P0001")
	if list := told(coop.NoticeStatement); len(list) != 1 || list[0].Ref != "P0001" || list[0].To != nil || list[0].Office != "" || list[0].Until <= h.clock.Now().UnixMilli() {
		t.Errorf("%+v", list)
	}
	h.settled("P0001")
	must[Period](t)(h.Release(h.ctx(), h.bea, "P0001"))
	if list := told(coop.NoticeSecondHuman); len(list) != 1 || list[0].Office != coop.Treasury {
		t.Errorf("%+v", list)
	}
}

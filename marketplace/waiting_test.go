package marketplace

import (
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/review"
	"distributed.ai/datacoop/policies"
)

func asking() *consent.Terms {
	t := yes()
	t.Mode = consent.ModeAsk
	return t
}

func ethical() *consent.Terms {
	t := yes()
	t.Conditions = []string{"DUO:0000021"}
	return t
}

// request reads one of the scientist's requests again.
func (h *house) request(s scientist, id coop.RequestID) Decided {
	h.t.Helper()
	return must[Decided](h.t)(h.Request(h.ctx(), s.ID, id))
}

func (h *house) inReview(s scientist, draft Draft) Request {
	h.t.Helper()
	req := must[Request](h.t)(h.Submit(h.ctx(), draft))
	if req.State != StateInReview || req.Granted != 0 || req.Refused != 0 {
		h.t.Fatalf("%+v", req)
	}
	_, err := h.Accept(h.ctx(), s.ID, req.ID)
	h.refused(err, ErrState)
	if n := h.rows("marketplace_files"); n != 0 {
		h.t.Fatalf("%d files before anybody has spoken", n)
	}
	return req
}

func TestMembersAnswersDecideARequest(t *testing.T) {
	h := story(t)
	s := h.scientist()
	members := h.members(5)
	datasets := map[coop.MemberID]coop.DatasetID{}
	for i, m := range members {
		terms := asking()
		if i == 0 {
			terms = yes()
		}
		datasets[m] = h.share(m, terms)
	}
	req := h.inReview(s, s.draft())
	h.refused(h.AnswerQuestion(h.ctx(), members[0], req.ID, datasets[members[0]], true), consent.ErrNoQuestion)
	h.refused(h.AnswerQuestion(h.ctx(), members[1], req.ID, datasets[members[2]], true), consent.ErrNoQuestion)
	for i, m := range members[1:] {
		if got := h.request(s, req.ID); got.State != StateInReview {
			t.Fatalf("after %d answers: %+v", i, got)
		}
		h.ok(h.AnswerQuestion(h.ctx(), m, req.ID, datasets[m], i < 3))
	}
	got := h.request(s, req.ID)
	if got.State != StateDecided || got.Granted != 4 || got.Refused != 1 {
		t.Fatalf("%+v", got)
	}
	h.pay(must[Invoice](t)(h.Accept(h.ctx(), s.ID, req.ID)))
	files := must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID))
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	h.fetchAll(s, files[:1])
	for _, m := range members[1:4] { // a yes can be taken back until the file is fetched
		h.ok(h.AnswerQuestion(h.ctx(), m, req.ID, datasets[m], false))
	}
	refusals := 0
	for _, f := range files[1:] {
		if _, err := h.Deliver(h.ctx(), s.ID, f.ID); err != nil {
			h.refused(err, ErrRefused)
			refusals++
		}
	}
	if refusals < 2 {
		t.Errorf("%d refusals", refusals)
	}
}

func TestSilenceIsANo(t *testing.T) {
	h := story(t)
	s := h.scientist()
	members := h.members(5)
	var first coop.DatasetID
	for i, m := range members {
		terms := yes()
		if i < 2 {
			terms = asking()
		}
		if ds := h.share(m, terms); i == 0 {
			first = ds
		}
	}
	req := h.inReview(s, s.draft())
	h.ok(h.AnswerQuestion(h.ctx(), members[0], req.ID, first, true))
	h.clock.Advance(review.Window - time.Millisecond)
	must[int](t)(h.queue.RunDue(h.ctx()))
	if got := h.request(s, req.ID); got.State != StateInReview {
		t.Fatalf("%+v", got)
	}
	h.clock.Advance(time.Millisecond)
	must[int](t)(h.queue.RunDue(h.ctx()))
	if got := h.request(s, req.ID); got.State != StateDecided || got.Granted != 4 || got.Refused != 1 {
		t.Errorf("%+v", got)
	}
	h.ok(h.AnswerQuestion(h.ctx(), members[0], req.ID, first, false)) // decides nothing anew
	if got := h.request(s, req.ID); got.Granted != 4 {
		t.Errorf("%+v", got)
	}
}

func TestAStewardReadsAnEthicsApproval(t *testing.T) {
	h := story(t)
	s := h.scientist()
	for _, m := range h.members(3) {
		h.share(m, ethical())
	}
	if req := must[Request](t)(h.Submit(h.ctx(), s.draft())); req.State != StateClosed {
		t.Errorf("nobody can say anything about a request without an approval: %+v", req)
	}
	draft := s.draft()
	draft.Study = policies.Study{Ethics: true}
	req := h.inReview(s, draft)
	stranger := h.members(1)[0]
	h.refused(h.Review(h.ctx(), stranger, req.ID, true, ""), ErrOffice)
	_, err := h.ToReview(h.ctx(), stranger)
	h.refused(err, ErrOffice)
	list := must[[]Asking](t)(h.ToReview(h.ctx(), h.ada))
	if len(list) != 1 || list[0].ID != req.ID || !list[0].Study.Ethics || !list[0].Waits() || list[0].Who.ID != s.ID {
		t.Fatalf("%+v", list)
	}
	_, err = h.UnderReview(h.ctx(), stranger, req.ID)
	h.refused(err, ErrOffice)
	_, err = h.UnderReview(h.ctx(), h.ada, coop.RequestID(coop.NewID()))
	h.refused(err, ErrNotFound)
	open := must[Case](t)(h.UnderReview(h.ctx(), h.ada, req.ID))
	if len(open.Judge) != 1 || open.Judge[0].Code != "ethics-unread" || open.Judge[0].Datasets != 3 || len(open.Other) != 0 || open.Wait.Spoken() {
		t.Errorf("%+v", open)
	}
	h.refused(h.Review(h.ctx(), h.ada, req.ID, true, strings.Repeat("x", 2001)), review.ErrReason)
	h.refused(h.Review(h.ctx(), h.ada, req.ID, true, "hidden \u202e text"), review.ErrReason)
	h.ok(h.Review(h.ctx(), h.ada, req.ID, true, "The approval is in date."))
	h.refused(h.Review(h.ctx(), h.ada, req.ID, false, ""), review.ErrNotAsked)
	if said := must[Case](t)(h.UnderReview(h.ctx(), h.ada, req.ID)); !said.Wait.Approved() || said.Wait.Reason != "The approval is in date." || said.Waits() {
		t.Errorf("%+v", said)
	}
	got := h.request(s, req.ID)
	if got.State != StateDecided || got.Granted != 3 || !got.Reviewed || len(got.Reasons) != 0 {
		t.Fatalf("%+v", got)
	}
	h.pay(must[Invoice](t)(h.Accept(h.ctx(), s.ID, req.ID)))
	h.fetchAll(s, must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)))

	refused := h.inReviewAgain(s, draft)
	h.ok(h.Review(h.ctx(), h.ada, refused.ID, false, "No approval was shown."))
	if got := h.request(s, refused.ID); got.State != StateClosed || got.Granted != 0 || !strings.Contains(got.Note, "minimum group") {
		t.Errorf("%+v", got)
	}
}

// inReviewAgain submits once more, where there are files of an earlier request.
func (h *house) inReviewAgain(_ scientist, draft Draft) Request {
	h.t.Helper()
	req := must[Request](h.t)(h.Submit(h.ctx(), draft))
	if req.State != StateInReview {
		h.t.Fatalf("%+v", req)
	}
	return req
}

func TestWhatLawForbidsMeanwhileIsNotReleased(t *testing.T) {
	h := story(t)
	s := h.scientist()
	members := h.members(3)
	datasets := map[coop.MemberID]coop.DatasetID{}
	for _, m := range members {
		datasets[m] = h.share(m, asking())
	}
	req := h.inReview(s, s.draft())
	must[consent.Record](t)(h.Consent.WithdrawDataset(h.ctx(), members[0], datasets[members[0]]))
	for _, m := range members {
		h.ok(h.AnswerQuestion(h.ctx(), m, req.ID, datasets[m], true))
	}
	if got := h.request(s, req.ID); got.State != StateClosed || got.Granted != 0 {
		t.Errorf("%+v", got)
	}
}

func TestOneTimeConsentIsSoldOnce(t *testing.T) {
	h := story(t)
	one, two := h.scientist(), h.scientist()
	terms := yes()
	terms.Mode = consent.ModeOnce
	for _, m := range h.members(3) {
		h.share(m, terms)
	}
	_, mine := h.paid(one)
	_, theirs := h.paid(two)
	h.fetchAll(one, mine)
	for _, f := range theirs {
		_, err := h.Deliver(h.ctx(), two.ID, f.ID)
		h.refused(err, ErrRefused)
	}
	_, err := h.Deliver(h.ctx(), one.ID, mine[0].ID)
	h.refused(err, ErrRefused)
}

func TestInstitutionsAreVettedByName(t *testing.T) {
	h := story(t)
	_, err := h.Vet(h.ctx(), h.ada, Researcher{Name: "Example University", Kind: "university", Region: "DE", Institution: "two words"})
	h.refused(err, ErrRequester)
	r := must[Researcher](t)(h.Vet(h.ctx(), h.ada, Researcher{Name: "Example University", Kind: "university", Region: "DE", Institution: "https://ror.org/00"}))
	if again := must[Researcher](t)(h.Researcher(h.ctx(), r.ID)); again.Institution != "https://ror.org/00" {
		t.Errorf("%+v", again)
	}
}

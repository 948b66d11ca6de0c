package governance

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"pgregory.net/rapid"
)

var work = Work{Kind: WorkDocument, Title: "How to join", Evidence: "https://coop.test/join", Text: "A page."}

func (w *world) submitted(by coop.MemberID) Contribution {
	w.t.Helper()
	c, err := w.Submit(w.t.Context(), by, work)
	must(w.t, err)
	return c
}

func (w *world) reviewed(id coop.ContributionID, v Verdict, by ...coop.MemberID) (c Contribution) {
	w.t.Helper()
	var err error
	for _, m := range by {
		c, err = w.Review(w.t.Context(), m, id, v)
		must(w.t, err)
	}
	return c
}

func yes(size int) Verdict { return Verdict{Accept: true, Size: size} }

var nope = Verdict{Note: "It is not finished."}

func TestTwoReviewersAcceptAndTheSmallerSizeCounts(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	c := w.submitted(ids[0])
	if c.State != Submitted || c.Size != 0 || c.Points != 0 {
		t.Fatalf("submitted as %+v", c)
	}
	if c = w.reviewed(c.ID, yes(5), ids[1]); c.State != Submitted {
		t.Errorf("one review made it %s", c.State)
	}
	w.clock.Advance(time.Hour)
	c = w.reviewed(c.ID, yes(3), ids[2])
	if c.State != Accepted || c.Size != 3 || c.Points != 3 || c.DecidedAt != w.now() {
		t.Errorf("decided as %+v", c)
	}
	again, err := w.Contribution(t.Context(), c.ID)
	must(t, err)
	if again.State != Accepted || again.Size != 3 || len(again.Reviews) != 2 || again.Work != work {
		t.Errorf("kept as %+v", again)
	}
}

func TestAThirdReviewerBreaksATie(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	up, down := w.submitted(ids[0]), w.submitted(ids[0])
	w.reviewed(up.ID, yes(2), ids[1])
	w.reviewed(up.ID, nope, ids[2])
	if c := w.reviewed(up.ID, yes(4), ids[3]); c.State != Accepted || c.Size != 2 {
		t.Errorf("%s, size %d", c.State, c.Size)
	}
	w.reviewed(down.ID, yes(2), ids[1])
	w.reviewed(down.ID, nope, ids[2])
	if c := w.reviewed(down.ID, nope, ids[3]); c.State != Declined || c.Size != 0 || c.Points != 0 || c.DecidedAt == 0 {
		t.Errorf("%+v", c)
	}
}

func TestAReviewThatIsRefused(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	c := w.submitted(ids[0])
	review := func(by coop.MemberID, id coop.ContributionID, v Verdict) error {
		_, err := w.Review(t.Context(), by, id, v)
		return err
	}
	refused(t, review(ids[0], c.ID, yes(1)), ErrOwnWork)
	refused(t, review("nobody", c.ID, yes(1)), ErrNotAMember)
	refused(t, review(ids[1], "x", yes(1)), ErrContributionNotFound)
	for _, size := range []int{-1, 0, 6, math.MaxInt} {
		refused(t, review(ids[1], c.ID, yes(size)), ErrSize)
	}
	refused(t, review(ids[1], c.ID, Verdict{}), ErrNote)
	refused(t, review(ids[1], c.ID, Verdict{Note: strings.Repeat("x", 2001)}), ErrNote)
	refused(t, review(ids[1], c.ID, Verdict{Accept: true, Size: 1, Note: "\x00"}), ErrNote)
	must(t, review(ids[1], c.ID, yes(1)))
	refused(t, review(ids[1], c.ID, yes(1)), ErrAlreadyReviewed)
	refused(t, review(ids[1], c.ID, nope), ErrAlreadyReviewed)
	must(t, review(ids[2], c.ID, yes(1)))
	refused(t, review(ids[2], c.ID, yes(1)), ErrAlreadyReviewed)
	refused(t, review(ids[3], c.ID, nope), ErrAlreadyDecided)
	got, err := w.Contribution(t.Context(), c.ID)
	must(t, err)
	if got.State != Accepted || len(got.Reviews) != 2 {
		t.Errorf("refused reviews changed it: %+v", got)
	}
}

func TestWorkThatIsRefused(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	for _, c := range []struct {
		change func(*Work)
		want   error
	}{
		{func(x *Work) { x.Kind = "" }, ErrWorkKind},
		{func(x *Work) { x.Kind = "vote" }, ErrWorkKind},
		{func(x *Work) { x.Title = " " }, ErrWorkTitle},
		{func(x *Work) { x.Title = "a\nb" }, ErrWorkTitle},
		{func(x *Work) { x.Title = strings.Repeat("x", 201) }, ErrWorkTitle},
		{func(x *Work) { x.Evidence = "" }, ErrWorkEvidence},
		{func(x *Work) { x.Evidence = strings.Repeat("x", 2001) }, ErrWorkEvidence},
		{func(x *Work) { x.Text = strings.Repeat("x", 8001) }, ErrWorkText},
		{func(x *Work) { x.Text = "\x1b[31m" }, ErrWorkText},
	} {
		bad := work
		c.change(&bad)
		_, err := w.Submit(t.Context(), eva, bad)
		refused(t, err, c.want)
	}
	_, err := w.Submit(t.Context(), "nobody", work)
	refused(t, err, ErrNotAMember)
	for range mostOpenWork {
		w.submitted(eva)
	}
	_, err = w.Submit(t.Context(), eva, work)
	refused(t, err, ErrTooManyOpen)
	_, err = w.Contribution(t.Context(), "x")
	refused(t, err, ErrContributionNotFound)
}

func TestARepeatedCallCountsOnce(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	first, err := w.Submit(keyed(t.Context(), ids[0], "k"), ids[0], work)
	must(t, err)
	again, err := w.Submit(keyed(t.Context(), ids[0], "k"), ids[0], work)
	must(t, err)
	if first.ID != again.ID {
		t.Error("the same call submitted twice")
	}
	for range 2 {
		c, err := w.Review(keyed(t.Context(), ids[1], "k"), ids[1], first.ID, yes(1))
		must(t, err)
		if len(c.Reviews) != 1 {
			t.Errorf("%d reviews", len(c.Reviews))
		}
	}
}

func TestWhatCountsAsEvidence(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	accepted, declined, open := w.submitted(ids[0]), w.submitted(ids[0]), w.submitted(ids[0])
	duty, err := w.Submit(t.Context(), ids[3], Work{Kind: WorkDuty, Title: "Sat on the panel", Evidence: "minutes of 2 March"})
	must(t, err)
	from := w.now()
	w.reviewed(accepted.ID, yes(5), ids[1], ids[2])
	w.reviewed(duty.ID, yes(5), ids[1], ids[2])
	w.clock.Advance(time.Hour)
	to := w.now()
	w.reviewed(declined.ID, nope, ids[1], ids[2])
	w.reviewed(open.ID, yes(1), ids[3])

	got, err := w.AcceptedWork(t.Context(), from, to)
	must(t, err)
	want := []AcceptedWork{{Contribution: accepted.ID, Member: ids[0], Kind: WorkDocument, Size: 5, Points: 8, AcceptedAt: from}}
	if !slices.Equal(got, want) {
		t.Errorf("work %+v, want %+v", got, want)
	}
	duties, err := w.Duties(t.Context(), from, to)
	must(t, err)
	points := map[coop.MemberID]int64{}
	for _, d := range duties {
		points[d.Member] += d.Points
	}
	if len(duties) != 5 || points[ids[1]] != 2 || points[ids[2]] != 2 || points[ids[3]] != dutyPoints {
		t.Errorf("duties %+v", duties)
	}
	if later, err := w.Duties(t.Context(), to, to+1); err != nil || len(later) != 3 {
		t.Errorf("after the period: %+v, %v", later, err)
	}
	if none, err := w.AcceptedWork(t.Context(), to, math.MaxInt64); err != nil || len(none) != 0 {
		t.Errorf("work of the next period: %+v, %v", none, err)
	}
}

func TestVotingNeverEarns(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	w.enact(narrower("no-companies"), ids...)
	duties, err := w.Duties(t.Context(), 0, math.MaxInt64)
	must(t, err)
	done, err := w.AcceptedWork(t.Context(), 0, math.MaxInt64)
	must(t, err)
	if len(duties)+len(done) != 0 {
		t.Errorf("a vote earned %+v %+v", duties, done)
	}
}

func TestContributionsAreListedAndFiltered(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	a, b, c := w.submitted(ids[0]), w.submitted(ids[1]), w.submitted(ids[0])
	w.reviewed(b.ID, yes(1), ids[2], ids[3])
	for _, q := range []struct {
		filter Filter
		page   Page
		want   []coop.ContributionID
	}{
		{Filter{}, Page{}, []coop.ContributionID{c.ID, b.ID, a.ID}},
		{Filter{}, Page{Limit: 1, Before: string(c.ID)}, []coop.ContributionID{b.ID}},
		{Filter{}, Page{Limit: 1, After: string(a.ID)}, []coop.ContributionID{b.ID}},
		{Filter{Member: ids[0]}, Page{}, []coop.ContributionID{c.ID, a.ID}},
		{Filter{State: Accepted}, Page{}, []coop.ContributionID{b.ID}},
		{Filter{Member: ids[0], State: Accepted}, Page{}, nil},
		{Filter{Member: "' OR '1'='1"}, Page{}, nil},
	} {
		list, err := w.Contributions(t.Context(), q.filter, q.page)
		must(t, err)
		var got []coop.ContributionID
		for _, x := range list {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, q.want) {
			t.Errorf("%+v %+v: %v, want %v", q.filter, q.page, got, q.want)
		}
	}
	_, err := w.Contributions(t.Context(), Filter{}, Page{Before: "x"})
	refused(t, err, errCursor)
}

// TestReviewsDecideByTwos plays random reviews: two of one mind decide, at the
// smaller size, and nothing moves afterwards.
func TestReviewsDecideByTwos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Contribution{Work: work, State: Submitted}
		var sizes []int
		declined := 0
		for now := int64(1); c.State == Submitted; now++ {
			v := Verdict{Accept: rapid.Bool().Draw(t, "accept")}
			if v.Accept {
				v.Size = rapid.IntRange(1, 5).Draw(t, "size")
				sizes = append(sizes, v.Size)
			} else {
				declined++
			}
			c.Reviews = append(c.Reviews, Review{Verdict: v})
			if c.decide(now) != (len(sizes) == 2 || declined == 2) {
				t.Fatalf("decided wrongly after %+v", c.Reviews)
			}
			if now > 3 {
				t.Fatal("three reviews did not decide")
			}
		}
		switch {
		case c.State == Accepted && (len(sizes) != 2 || c.Size != min(sizes[0], sizes[1]) || c.Points != sizePoints[c.Size]):
			t.Fatalf("accepted %+v", c)
		case c.State == Declined && (declined != 2 || c.Size != 0 || c.Points != 0):
			t.Fatalf("declined %+v", c)
		}
	})
}

func TestTheLowerMedianIsOneOfTheSizesAndNeverAboveTheMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 9).Draw(t, "sizes")
		m := lowerMedian(sizes)
		below, above := 0, 0
		for _, s := range sizes {
			if s < m {
				below++
			}
			if s > m {
				above++
			}
		}
		if !slices.Contains(sizes, m) || 2*below >= len(sizes) || 2*above > len(sizes) {
			t.Fatalf("lower median of %v is %d", sizes, m)
		}
	})
}

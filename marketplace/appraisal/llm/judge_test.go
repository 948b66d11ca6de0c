package llm

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

func TestAnHonestJudgePrefersWhatTheEvidenceShows(t *testing.T) {
	m := testkit.NewModel(t)
	task := ordinary(t)
	op, _ := weighed(t, configFor(m, testkit.NewModel(t)), task)
	full, half, empty := score(t, op, workID(0)), score(t, op, workID(1)), score(t, op, workID(2))
	if !(full.Score > half.Score && half.Score > empty.Score) || empty.Score > 200 || full.Score < 900 {
		t.Errorf("full %v, half %v, empty %v", full, half, empty)
	}
	if ann, bob := score(t, op, dataID("d-ann")), score(t, op, dataID("d-bob")); ann.Score <= bob.Score {
		t.Errorf("the better dataset scores %v, the worse %v", ann, bob)
	}
	if s := score(t, op, workID(4)); s.Flag != appraisal.FlagAbstained || s.Score != neutral {
		t.Errorf("work without a text scores %v", s)
	}
	if len(op.Scores) != len(task.Dossiers) || len(op.Split) != 3 || len(op.Models) != 2 {
		t.Errorf("%d scores, %d parts, %d models", len(op.Scores), len(op.Split), len(op.Models))
	}
	if m := op.Models[0]; m.Family != "family-a" || m.Name != "scripted" || m.Digest != "scripted fp_scripted" {
		t.Errorf("model %+v", m)
	}
	st := settledWith(t, &op)
	up, _ := st.Share("m0")
	down, _ := st.Share("m2")
	if up.Moved <= 0 || down.Moved >= 0 {
		t.Errorf("full evidence moved by %d, none by %d", up.Moved, down.Moved)
	}
	if !strings.Contains(strings.Join(st.Sentences, " "), "2 model families") {
		t.Errorf("the statement says %q", st.Sentences)
	}
}

// TestOneFamilyAloneRaisesNoText: neither a co-op that asks only one model, nor
// one whose other families were ruled out, counts a text above neutral; it says
// so, and what it lowers stays lowered.
func TestOneFamilyAloneRaisesNoText(t *testing.T) {
	task := ordinary(t)
	for name, c := range map[string]Config{
		"asked alone": configFor(testkit.NewModel(t)),
		"left alone":  configFor(testkit.NewModel(t), testkit.NewModel(t, fakellm.InvalidJSON), testkit.NewModel(t, fakellm.Injectable())),
	} {
		op, _ := weighed(t, c, task)
		if full, empty := score(t, op, workID(0)), score(t, op, workID(2)); full.Score != neutral || !strings.Contains(full.Reason, "alone raises nothing") || empty.Score > 200 {
			t.Errorf("%s: full %v, empty %v", name, full, empty)
		}
		if ann := score(t, op, dataID("d-ann")); ann.Score <= neutral {
			t.Errorf("%s: figures are nobody's words, and score %v", name, ann)
		}
		st := settledWith(t, &op)
		if !strings.Contains(strings.Join(st.Sentences, " "), "One model family") || !strings.Contains(strings.Join(st.Sentences, " "), "never raises it") {
			t.Errorf("%s: the statement says %q", name, st.Sentences)
		}
	}
}

func TestTheOpinionNamesItsTaskAndItsRecord(t *testing.T) {
	task := ordinary(t)
	op, record := weighed(t, configFor(testkit.NewModel(t)), task)
	want, err := task.SHA256()
	if err != nil || op.Commitment != want || op.Trace != digest(record) {
		t.Errorf("commitment %s, trace %s, %v", op.Commitment, op.Trace, err)
	}
}

func TestReasonsAreOurOwnSentences(t *testing.T) {
	op, _ := weighed(t, configFor(testkit.NewModel(t), testkit.NewModel(t)), ordinary(t))
	reason := score(t, op, workID(1)).Reason
	for _, part := range []string{"family-a 5 of 11", "family-b 5 of 11", "the lowest counts", "Not found by all: a measured effect"} {
		if !strings.Contains(reason, part) {
			t.Errorf("%q lacks %q", reason, part)
		}
	}
	for _, s := range op.Split {
		if s.Reason == "" || s.Score < 0 || s.Score > 1000 {
			t.Errorf("part %+v", s)
		}
	}
}

func TestTheJudgeNeverSeesProse(t *testing.T) {
	m := testkit.NewModel(t)
	weighed(t, configFor(m), taskOf(t, fullText+" Xylophones were involved.", "Xylophones need care for consent."))
	judged, extracted := 0, 0
	for _, turn := range m.Turns() {
		switch turn.Prompt.Task {
		case "judge":
			judged++
			if text := strings.ToLower(turn.System + turn.User); strings.Contains(text, "xylophone") {
				t.Fatalf("a judge reads %q", turn.User)
			}
			for _, d := range turn.Prompt.Dossiers {
				if len(d.ID) != 5 {
					t.Errorf("a dossier goes by %q", d.ID)
				}
			}
		case "extract":
			extracted++
			if strings.Contains(turn.User, `"dossiers"`) || strings.Contains(turn.User, "Work that helps") {
				t.Errorf("an extractor reads more than a text: %q", turn.User)
			}
		}
	}
	if judged == 0 || extracted == 0 {
		t.Errorf("%d judged, %d extracted", judged, extracted)
	}
}

func TestNothingSentNamesADossierTwiceOrAMember(t *testing.T) {
	m := testkit.NewModel(t)
	task := ordinary(t)
	weighed(t, configFor(m), task)
	aliases := map[string]bool{}
	for _, turn := range m.Turns() {
		for _, d := range task.Dossiers {
			if strings.Contains(turn.User, d.ID) {
				t.Fatalf("a question holds the pseudonym %s", d.ID)
			}
		}
		for _, d := range turn.Prompt.Dossiers {
			if aliases[d.ID] {
				t.Errorf("%s comes back in another call", d.ID)
			}
			aliases[d.ID] = true
		}
	}
}

func TestTextsAreMarkedWithWhatTheyDoNotHold(t *testing.T) {
	m := testkit.NewModel(t)
	weighed(t, configFor(m), taskOf(t, fullText+" ˆ¦¬¤‡¶˜¸ all marks at once"))
	markers := map[string]bool{}
	for _, turn := range m.Turns() {
		if turn.Prompt.Task != "extract" {
			continue
		}
		p := turn.Prompt
		if markers[p.Marker] || len(p.Marker) != 12 {
			t.Errorf("marker %q", p.Marker)
		}
		markers[p.Marker] = true
		for _, s := range p.Segments {
			inner := strings.TrimSuffix(strings.TrimPrefix(s.Text, p.Marker+p.Mark), p.Mark+p.Marker)
			if len(inner) != len(s.Text)-2*len(p.Marker)-2*len(p.Mark) || strings.Contains(inner, " ") || strings.Contains(inner, p.Marker) {
				t.Errorf("segment %q", s.Text)
			}
		}
		if !strings.Contains(turn.System, p.Marker) {
			t.Error("the instruction does not name the marker")
		}
	}
}

func TestBothOrdersAreAskedAndDisagreementsAThirdTime(t *testing.T) {
	m := testkit.NewModel(t)
	_, record := weighed(t, configFor(m), ordinary(t))
	if third := regexp.MustCompile(`"call":"(judge|extract)/[^"]*/3"`).FindAll(record, -1); len(third) > 0 {
		t.Errorf("an honest judge was asked a third time: %s", third)
	}
	var orders [][]string
	for _, turn := range m.Turns() {
		if turn.Prompt.Kind == kindSplit {
			var ids []string
			for _, q := range turn.Prompt.Questions {
				ids = append(ids, q.ID)
			}
			orders = append(orders, append(ids, turn.Prompt.Dossiers[0].Class))
		}
	}
	if len(orders) != 2 || orders[0][0] == orders[1][0] || orders[0][len(orders[0])-1] == orders[1][len(orders[1])-1] {
		t.Errorf("questions, then the first dossier: %v", orders)
	}
	noisy := testkit.NewModel(t, fakellm.Noisy(1, 60))
	_, record = weighed(t, configFor(noisy), ordinary(t))
	if !regexp.MustCompile(`"call":"judge/[^"]*/3"`).Match(record) {
		t.Error("a noisy judge was never asked again")
	}
}

func TestWeighingAgainAsksNobodyAndSaysTheSame(t *testing.T) {
	m := testkit.NewModel(t, fakellm.NonDeterministic(50))
	c := configFor(m)
	c.Recorder = newMemory()
	j, task := judge(t, c), ordinary(t)
	first, err := j.Weigh(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	asked := len(m.Turns())
	second, err := j.Weigh(t.Context(), task)
	if err != nil || encode(first) != encode(second) || len(m.Turns()) != asked {
		t.Errorf("%d more calls, %v", len(m.Turns())-asked, err)
	}
}

func TestCancellingStopsAndTheNextRunTakesItUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls atomic.Int32
	m := testkit.NewModel(t, func(*fakellm.Turn) {
		if calls.Add(1) == 40 {
			cancel()
		}
	})
	c, mem := configFor(m), newMemory()
	c.Recorder = mem
	j, task := judge(t, c), ordinary(t)
	if _, err := j.Weigh(ctx, task); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	if len(mem.records) != 0 {
		t.Error("an interrupted run was finished")
	}
	before := len(m.Turns())
	op, err := j.Weigh(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := judge(t, configFor(testkit.NewModel(t))).Estimate(task)
	if err != nil {
		t.Fatal(err)
	}
	if again := len(m.Turns()) - before; again >= fresh.Families[0].Calls || again == 0 {
		t.Errorf("%d calls after the interruption, %d in all", again, fresh.Families[0].Calls)
	}
	same(t, op, mem.only(t), task)
}

func TestWhatCannotBeRecordedDoesNotCount(t *testing.T) {
	c, mem := configFor(testkit.NewModel(t)), newMemory()
	mem.broken = errors.New("disk full")
	c.Recorder = mem
	if _, err := judge(t, c).Weigh(t.Context(), ordinary(t)); !errors.Is(err, mem.broken) {
		t.Errorf("weighed without a record: %v", err)
	}
}

func TestNothingIsAskedBeforeTheCommitment(t *testing.T) {
	m := testkit.NewModel(t)
	c := configFor(m)
	refused := errors.New("the log is closed")
	var seen Plan
	c.Commit = func(_ context.Context, p Plan) error {
		seen = p
		return refused
	}
	task := ordinary(t)
	if _, err := judge(t, c).Weigh(t.Context(), task); !errors.Is(err, refused) || len(m.Turns()) != 0 {
		t.Errorf("%v after %d calls", err, len(m.Turns()))
	}
	want, _ := task.SHA256()
	if seen.Commitment != want || !digestPattern.MatchString(seen.Run) || len(seen.Families) != 1 {
		t.Errorf("committed to %+v", seen)
	}
}

func TestTheEstimateIsWhatIsAsked(t *testing.T) {
	m := testkit.NewModel(t)
	c := configFor(m)
	c.Families[0].PromptPrice, c.Families[0].AnswerPrice = 300, 1500
	var last atomic.Pointer[Progress]
	c.Progress = func(p Progress) { last.Store(&p) }
	task := ordinary(t)
	plan, err := judge(t, c).Estimate(task)
	if err != nil {
		t.Fatal(err)
	}
	weighed(t, c, task)
	// Of the four probes an able endpoint needs two.
	f := plan.Families[0]
	if got := len(m.Turns()); got != f.Calls-2 || f.Most < f.Calls {
		t.Errorf("%d calls of %+v", got, f)
	}
	if p := last.Load(); p.Done > p.Total || p.Family != "family-a" {
		t.Errorf("progress %+v", p)
	}
	read := int64(0)
	for _, turn := range m.Turns() {
		read += int64(len(turn.System)+len(turn.User)) / bytesPerToken
	}
	if f.PromptTokens < read || f.PromptTokens > 2*read || f.Cost <= 0 {
		t.Errorf("%d tokens of %d, cost %d", f.PromptTokens, read, f.Cost)
	}
	if s := f.Sentence("EUR"); !strings.Contains(s, "calls, at most") || !strings.Contains(s, "EUR") {
		t.Error(s)
	}
}

func TestRatesAreKept(t *testing.T) {
	m := testkit.NewModel(t)
	c := configFor(m)
	c.PerMinute = 6000
	own := c.Families[0]
	own.PerMinute = 60
	for name, e := range map[string]*endpoint{"of all": newEndpoint(c.Families[0], Config{PerMinute: 60, Parallel: 1, PerCall: c.PerCall}),
		"of one family": newEndpoint(own, Config{PerMinute: 6000, Parallel: 1, PerCall: c.PerCall})} {
		ctx, cancel := context.WithTimeout(t.Context(), 200_000_000)
		defer cancel()
		q := ask{kind: "models", model: "scripted"}
		if got := e.send(ctx, q, ""); got.raw == nil {
			t.Errorf("%s: first call: %q", name, got.outcome)
		}
		if got := e.send(ctx, q, ""); got.outcome != Cancelled {
			t.Errorf("%s: second call within the same second: %q", name, got.outcome)
		}
	}
	weighed(t, c, taskOf(t, fullText))
}

package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// banning is the law the co-op starts with and one rule more.
func banning(t testing.TB, condition string) *policies.Revision {
	t.Helper()
	return compiled(t, string(policies.Default())+fmt.Sprintf(
		"\nforbid contains {\n\t\"code\": \"coop-not-this\",\n\t\"sentence\": \"The co-op does not release data for this.\",\n} if %s\n", condition))
}

func compiled(t testing.TB, text string) *policies.Revision {
	t.Helper()
	laid, err := policies.Format([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	law, err := policies.Compile(t.Context(), laid)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

func compare(t *testing.T, was, now *policies.Revision, o Options) Result {
	t.Helper()
	result, err := Compare(t.Context(), was, now, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestTheSameLawChangesNothing(t *testing.T) {
	law := banning(t, "input.request.price_minor < 500")
	result := compare(t, law, law, Options{Pairs: true})
	if len(result.Findings) > 0 || result.Asked < 50 {
		t.Errorf("%d asked: %+v", result.Asked, result.Findings)
	}
	if s := result.Sentences(); len(s) != 1 || !strings.Contains(s[0], "answered alike") {
		t.Errorf("%q", s)
	}
}

// narrowed are rules that refuse something, and a sentence somebody who would
// lose by them, or would gain if they were given up, has to read.
var narrowed = map[string]struct{ rule, scene string }{
	"no companies":      {`input.request.requester.kind == "company"`, "When a company in Germany asks for glucose"},
	"no commercial use": {`input.request.commercial`, "(research by or for a company)"},
	"a lowest price":    {`input.request.price_minor < 500`, "at a price of 4.99 EUR"},
	"a highest price":   {`input.request.price_minor > 20000`, "at a price of 200.01 EUR"},
	"a year at most":    {`input.request.retention_days > 365`, "keeping the data for 366 days"},
	"one country less":  {`input.request.requester.region == "PL"`, "a university or research institute in Poland"},
	"only the EU":       {`not "EU" in data.terms.covering.region[input.request.requester.region]`, "in Norway"},
	"one purpose less":  {`input.request.duo == "DUO:0000011"`, "research about where populations come from"},
	"one use less":      {`input.request.dpv == "PublicPolicyMaking"`, "helping public bodies decide"},
	"a closed pool":     {`input.request.pool == "bank"`, "asks for bank"},
	"its datasets":      {`input.dataset.pool == "bank"`, "asks for bank"},
	"nothing of places": {`"Location" in input.dataset.categories`, "of datasets with places"},
	"members of Malta":  {`input.dataset.region == "MT"`, "of members in Malta"},
	"two kinds of data": {`count(input.dataset.categories) > 1`, "and other kinds of data"},
	"behind a helper":   {"cheap\n\ncheap if input.request.price_minor < 777", "at a price of 7.76 EUR"},
	"behind a name":     {"{\n\tp := input.request.price_minor\n\tp < 123\n}", "at a price of 1.22 EUR"},
}

func TestWhoeverLosesIsTold(t *testing.T) {
	before := compiled(t, string(policies.Default()))
	for name, c := range narrowed {
		t.Run(name, func(t *testing.T) {
			found := compare(t, before, banning(t, c.rule), Options{Currency: "EUR"}).Findings
			if !slices.ContainsFunc(found, func(f Finding) bool {
				return !f.Gain && strings.Contains(f.Sentence, c.scene) &&
					strings.Contains(f.Sentence, "today released; under the proposal refused (“The co-op does not release data for this.”).")
			}) {
				t.Errorf("not told: %+v", found)
			}
			if slices.ContainsFunc(found, func(f Finding) bool { return f.Gain }) {
				t.Errorf("a narrower law lets somebody in: %+v", found)
			}
		})
	}
}

func TestWhoeverGainsIsTold(t *testing.T) {
	after := compiled(t, string(policies.Default()))
	for name, c := range narrowed {
		t.Run(name, func(t *testing.T) {
			found := compare(t, banning(t, c.rule), after, Options{Currency: "EUR"}).Findings
			if !slices.ContainsFunc(found, func(f Finding) bool {
				return f.Gain && strings.Contains(f.Sentence, c.scene) &&
					strings.Contains(f.Sentence, "today refused (“The co-op does not release data for this.”); under the proposal released.")
			}) {
				t.Errorf("not told: %+v", found)
			}
		})
	}
}

func TestAnUnvettedRequesterIsNeverLetIn(t *testing.T) {
	open := compiled(t, "package coop.access\n\nforbid contains {\n\t\"code\": \"coop-no-japan\",\n\t\"sentence\": \"The co-op does not release data to Japan.\",\n} if input.request.requester.region == \"JP\"\n")
	found := compare(t, compiled(t, string(policies.Default())), open, Options{}).Findings
	for _, f := range found {
		if f.Gain {
			t.Errorf("base law is not the members' to give up: %s", f.Sentence)
		}
	}
	if len(found) == 0 {
		t.Error("nobody in Japan loses")
	}
}

func TestARuleAboutTwoThingsNeedsPairs(t *testing.T) {
	before := compiled(t, string(policies.Default()))
	after := banning(t, "{\n\tinput.request.retention_days > 500\n\tinput.dataset.region == \"PT\"\n}")
	if found := compare(t, before, after, Options{}).Findings; len(found) > 0 {
		t.Fatalf("the rule is not about two things: %+v", found)
	}
	var last, most int64
	found := compare(t, before, after, Options{Pairs: true, Progress: func(done, total int64) {
		if done < last || done > total {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last, most = done, total
	}}).Findings
	if len(found) != 1 || !strings.Contains(found[0].Sentence, "keeping the data for 501 days, of members in Portugal: today released") {
		t.Errorf("%+v", found)
	}
	if last != most || most == 0 {
		t.Errorf("it ended at %d of %d", last, most)
	}
}

func TestAPairThatShowsNothingNewIsNotTold(t *testing.T) {
	before := compiled(t, string(policies.Default()))
	after := banning(t, "{\n\tinput.request.retention_days > 500\n\tinput.request.price_minor < 1000000000\n}")
	one, two := compare(t, before, after, Options{}), compare(t, before, after, Options{Pairs: true})
	if !reflect.DeepEqual(one.Findings, two.Findings) || two.Asked <= one.Asked {
		t.Errorf("%d asked: %+v\n%d asked: %+v", one.Asked, one.Findings, two.Asked, two.Findings)
	}
}

// Where the laws differ about a request, what else is changed of it is no news.
func TestOnlyWhatMakesTheDifferenceIsTold(t *testing.T) {
	dear := "input.request.price_minor < 500"
	after := compiled(t, string(banning(t, dear).Source())+
		"\nforbid contains {\n\t\"code\": \"coop-no-companies\",\n\t\"sentence\": \"No companies.\",\n} if input.request.requester.kind == \"company\"\n")
	found := compare(t, banning(t, dear), after, Options{}).Findings
	if len(found) == 0 {
		t.Fatal("nothing is told")
	}
	for _, f := range found {
		if strings.Contains(f.Sentence, "at a price") {
			t.Errorf("the price makes no difference: %s", f.Sentence)
		}
	}
}

func TestALawThatReleasesAlmostNothingIsStillCompared(t *testing.T) {
	narrow := banning(t, "not polish\n\npolish if {\n\tinput.request.requester.region == \"PL\"\n\tinput.request.price_minor > 70000\n\tinput.request.pool == \"bank\"\n\tinput.request.retention_days < 11\n\tinput.request.requester.kind in {\"company\", \"non-profit\"}\n}")
	result := compare(t, narrow, narrow, Options{})
	if result.Asked < 20 {
		t.Errorf("only %d questions", result.Asked)
	}
	narrower := strings.Replace(string(narrow.Source()), "70000", "80000", 1)
	found := compare(t, narrow, compiled(t, narrower), Options{}).Findings
	if len(found) == 0 || !strings.Contains(found[0].Sentence, "in Poland asks for bank") {
		t.Errorf("%+v", found)
	}
}

func TestPeopleWhoLookFirstAreTold(t *testing.T) {
	before := compiled(t, string(policies.Default()))
	after := compiled(t, string(policies.Default())+"\nreview contains {\n\t\"code\": \"coop-look-first\",\n\t\"sentence\": \"Somebody looks at requests of companies.\",\n} if input.request.requester.kind == \"company\"\n")
	lost := compare(t, before, after, Options{}).Findings
	if len(lost) == 0 || lost[0].Gain || !strings.Contains(lost[0].Sentence, "under the proposal people look at it first (“Somebody looks at requests of companies.”).") {
		t.Errorf("%+v", lost)
	}
	won := compare(t, after, before, Options{}).Findings
	if len(won) == 0 || !won[0].Gain || !strings.Contains(won[0].Sentence, "today people look at it first") {
		t.Errorf("%+v", won)
	}
}

func TestFindingsAreTheSameEveryTime(t *testing.T) {
	before, after := banning(t, `input.request.requester.region == "PL"`), banning(t, "input.request.price_minor < 500")
	want, err := json.Marshal(compare(t, before, after, Options{Pairs: true}))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 3} {
		was := runtime.GOMAXPROCS(n)
		got, err := json.Marshal(compare(t, before, after, Options{Pairs: true}))
		runtime.GOMAXPROCS(was)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("with %d processors: %v\n%s\n%s", n, err, want, got)
		}
	}
}

func TestWhoGainsIsToldFirstAndNotWithoutEnd(t *testing.T) {
	r := Result{Asked: 1}
	g := grouping{}
	law := compiled(t, string(policies.Default()))
	for _, s := range stories {
		b := base{in: s.question()}
		yes, err := law.Decide(t.Context(), b.in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			no := policies.Outcome{Reasons: []policies.Reason{{Code: fmt.Sprint(s.kind, s.pool, i), Sentence: fmt.Sprint("No", i, ".")}}}
			was, now := yes, no
			if i == 4 {
				was, now = no, yes
			}
			g.add(b, asked{was: was, now: now})
		}
	}
	r.Findings = findings(g.kinds(""))
	if !r.Findings[0].Gain || !slices.IsSortedFunc(r.Findings, func(a, b Finding) int { return rank(a) - rank(b) }) {
		t.Errorf("%+v", r.Findings)
	}
	if s := r.Sentences(); len(s) != mostFindings+1 || !strings.Contains(s[mostFindings], "6 more kinds") {
		t.Errorf("%d sentences, the last: %s", len(s), s[len(s)-1])
	}
}

func TestAComparisonThatIsLeftSaysNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	law := banning(t, "input.request.price_minor < 500")
	_, err := Compare(ctx, law, law, Options{Pairs: true, Progress: func(int64, int64) { cancel() }})
	if err == nil {
		t.Error("no error")
	}
	if _, err := Compare(t.Context(), nil, law, Options{}); err == nil {
		t.Error("compared with no law")
	}
}

func TestTextsAreComparedAsLaws(t *testing.T) {
	law, other := policies.Default(), banning(t, "input.request.commercial").Source()
	if r, err := CompareTexts(t.Context(), law, other, "EUR"); err != nil || len(r.Findings) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := CompareTexts(t.Context(), law, []byte("package coop\n"), "EUR"); err == nil {
		t.Error("compared with what is no law")
	}
}

func TestAComparisonIsRememberedOnceItSaidSomething(t *testing.T) {
	asked, answer := 0, Result{}
	compare := Remember(func(context.Context, []byte, []byte, coop.Currency) (Result, error) {
		asked++
		return answer, nil
	})
	try := func(was, now string, want int) {
		t.Helper()
		if _, err := compare(t.Context(), []byte(was), []byte(now), "EUR"); err != nil || asked != want {
			t.Errorf("%s and %s: asked %d times, want %d: %v", was, now, asked, want, err)
		}
	}
	try("a", "b", 1)
	answer.Asked = 1
	try("a", "b", 2) // without questions there was no answer
	try("a", "b", 2)
	try("b", "a", 3)
	try("a b", "", 4)
	try("a", " b", 5)
	for i := range mostRemembered {
		try("a", fmt.Sprint(i), 6+i)
	}
	try("a", "b", 6+mostRemembered) // forgotten meanwhile
	if s := (Result{}).Sentences(); len(s) != 1 || !strings.Contains(s[0], "No request could be tried") {
		t.Errorf("%q", s)
	}
}

// The stories are what they are called: requests the first law releases.
func TestEveryStoryIsReleased(t *testing.T) {
	law := compiled(t, string(policies.Default()))
	for _, s := range stories {
		if out, err := law.Decide(t.Context(), s.question()); err != nil || !out.Allow {
			t.Errorf("%+v: %v %v", s, out.Reasons, err)
		}
		if !coop.ValidSlug(s.pool) || !(coop.Purpose{DUO: s.duo, DPV: s.dpv}).Valid() {
			t.Errorf("%+v says what nobody can ask", s)
		}
	}
}

// Whatever an access policy may read can be varied, and has words.
func TestEveryPartOfTheVocabularyIsVaried(t *testing.T) {
	known := named{texts: []string{"PL", "bank", "MONDO:0004975"}, numbers: []int64{500}, reads: map[string]bool{}}
	for _, leaf := range policies.Vocabulary() {
		known.reads[leaf.Path] = true
	}
	in := stories[0].question()
	varied := map[string]bool{pathHeldPool: true} // with the pool that is asked for
	for _, a := range axesOf(in, known) {
		varied[a.leaf.Path] = len(a.values) > 0
		for _, v := range a.values {
			s := step{&a, v}
			b := base{in: in}
			if got := part(ptr(b.with([]step{s})), a.leaf.Path).Interface(); !reflect.DeepEqual(got, v) {
				t.Errorf("%s is %v, not %v", a.leaf.Path, got, v)
			}
			if !slices.Contains(always, a.leaf.Path) && strings.TrimSpace(s.words("EUR")) == "" {
				t.Errorf("%s has no words for %v", a.leaf.Path, v)
			}
		}
	}
	for _, leaf := range policies.Vocabulary() {
		if !varied[leaf.Path] {
			t.Errorf("%s is never varied", leaf.Path)
		}
	}
	if !reflect.DeepEqual(in, stories[0].question()) {
		t.Error("a step changed the base itself")
	}
}

func ptr[T any](v T) *T { return &v }

func TestPlacesHaveNames(t *testing.T) {
	for code, want := range map[string]string{"DE": "Germany", "MT": "Malta", "EU": "the European Union", "XQ": "XQ", "?": "?"} {
		if got := placeName(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

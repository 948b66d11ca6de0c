package policies

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// Questions nobody should put, and what the law says to each. None is an error:
// they are refused like any other, so that they are recorded like any other.
func TestBadQuestionsAreRefusedWithAReason(t *testing.T) {
	ours := compiled(t, Default())
	for name, c := range map[string]struct {
		change func(*Input)
		code   string
	}{
		"an unknown purpose":             {func(in *Input) { in.Request.DUO = "DUO:0000099" }, "purpose-unknown"},
		"a purpose that is a heading":    {func(in *Input) { in.Request.DUO = "DUO:0000001" }, "purpose-unknown"},
		"an unknown use":                 {func(in *Input) { in.Request.DPV = "Curiosity" }, "purpose-unknown"},
		"a forbidden use":                {func(in *Input) { in.Request.DPV = Forbidden()[0] }, "purpose-forbidden"},
		"no purpose":                     {func(in *Input) { in.Request.DUO = "" }, "purpose-missing"},
		"no use":                         {func(in *Input) { in.Request.DPV = "" }, "purpose-missing"},
		"neither":                        {func(in *Input) { in.Request.DUO, in.Request.DPV = "", "" }, "purpose-missing"},
		"a purpose its study denies":     {func(in *Input) { in.Request.Study.Kinds = []string{"ancestry"} }, "purpose-contradictory"},
		"care that is a study":           {func(in *Input) { in.Request.DUO, in.Request.Study.Kinds = "DUO:0000043", []string{"genetic"} }, "purpose-contradictory"},
		"a study nobody knows":           {func(in *Input) { in.Request.Study.Kinds = []string{"magic"} }, "study-unknown"},
		"a disease that is not named":    {func(in *Input) { in.Request.DUO = "DUO:0000007" }, "disease-missing"},
		"a price below zero":             {func(in *Input) { in.Request.PriceMinor = -1 }, "price-missing"},
		"no time to keep the data":       {func(in *Input) { in.Request.RetentionDays = 0 }, "retention-missing"},
		"a window that has passed":       {func(in *Input) { in.Records[0].Expires = testNow }, "consent-expired"},
		"a window that has not begun":    {func(in *Input) { in.Records[0].NotBefore = testNow + 1 }, "consent-not-yet"},
		"a window that ends as it opens": {func(in *Input) { in.Records[0].NotBefore, in.Records[0].Expires = testNow, testNow }, "consent-expired"},
		"no records":                     {func(in *Input) { in.Records = nil }, "no-consent"},
		"a record without purposes":      {func(in *Input) { in.Records[0].Purposes = nil }, "purpose-not-allowed"},
		"a record for nobody":            {func(in *Input) { in.Records[0].RequesterKinds = nil }, "requester-kind-not-allowed"},
		"a record without an end":        {func(in *Input) { in.Records[0].Expires = 0 }, "consent-expired"},
		"a record withdrawn at once":     {func(in *Input) { in.Records[0].Withdrawn = 0 }, "consent-withdrawn"},
		"a refusal that says no more":    {func(in *Input) { in.Records = append(in.Records, Record{Effect: Refused}) }, "consent-refused"},
		"a dataset without a pool":       {func(in *Input) { in.Dataset.Pool, in.Request.Pool = "", "" }, "pool-mismatch"},
	} {
		in := released()
		c.change(&in)
		out, err := ours.Decide(t.Context(), in)
		if err != nil || out.Allow || !slices.ContainsFunc(out.Reasons, func(r Reason) bool { return r.Code == c.code }) {
			t.Errorf("%s: %+v (%v)", name, out, err)
		}
		explained(t, out)
		if yes, err := ours.Allows(t.Context(), in); err != nil || yes {
			t.Errorf("%s is allowed where nobody asks why (%v)", name, err)
		}
	}
}

// The kernel is ours; should it ever answer nothing, or not in its own form, that
// is a refusal.
func TestAnUndefinedOrMisshapenDecisionRefuses(t *testing.T) {
	const path, result = "kernel/decision.rego", "result := {"
	for name, c := range map[string]struct{ old, new string }{
		"no result at all":        {result, "resolt := {"},
		"a result by condition":   {"	\"obligations\": obligations,\n}", "	\"obligations\": obligations,\n} if input.request.pool == \"elsewhere\""},
		"no answer":               {"	\"allow\": allow,\n", ""},
		"an answer that is text":  {"	\"allow\": allow,", "	\"allow\": \"true\","},
		"nobody knows who looks":  {"	\"needs_review\": needs_review,", "	\"needs_review\": null,"},
		"no reasons":              {"	\"reasons\": reasons,\n", ""},
		"reasons that are text":   {"	\"reasons\": reasons,", "	\"reasons\": \"none\","},
		"a reason that is text":   {"	\"reasons\": reasons,", "	\"reasons\": [\"none\"],"},
		"a reason without words":  {"	\"reasons\": reasons,", "	\"reasons\": [{\"code\": \"a\", \"layer\": \"base\"}],"},
		"a duty without a code":   {"	\"obligations\": obligations,", "	\"obligations\": [{\"sentence\": \"Do this.\"}],"},
		"duties that are none":    {"	\"obligations\": obligations,", "	\"obligations\": {},"},
		"people that are numbers": {"	\"asks\": asks,", "	\"asks\": [7],"},
		"one more than a list":    {"	\"asks\": asks,", "	\"asks\": {\"steward\": true},"},
	} {
		sources := Base()
		sources[accessPath] = Default()
		changed := bytes.Replace(sources[path], []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, sources[path]) {
			t.Fatalf("%s: nothing was changed", name)
		}
		sources[path] = changed
		revision, err := compile(t.Context(), sources)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out, err := revision.Decide(t.Context(), released())
		if !errors.Is(err, errUndefined) || out.Allow || len(out.Reasons) != 1 || out.Reasons[0].Code != CodeUnavailable || len(out.Rules) != 0 {
			t.Errorf("%s: %+v (%v)", name, out, err)
		}
	}
}

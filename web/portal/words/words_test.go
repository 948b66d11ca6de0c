package words

import (
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

const hour = int64(3_600_000)

func TestTimeLeftIsNeverOverstated(t *testing.T) {
	for _, c := range []struct {
		to   int64
		want string
	}{
		{-1, "now"}, {0, "now"}, {1, "in less than an hour"}, {hour - 1, "in less than an hour"}, {hour, "in 1 hour"},
		{47 * hour, "in 47 hours"}, {48 * hour, "in 2 days"}, {72*hour - 1, "in 2 days"},
	} {
		if got := Left(5, 5+c.to); got != c.want {
			t.Errorf("%d ms: %q, want %q", c.to, got, c.want)
		}
	}
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		Count(0, "dataset", "datasets"):  "no datasets",
		Count(1, "dataset", "datasets"):  "1 dataset",
		Count(12, "dataset", "datasets"): "12 datasets",
		bytesize(999):                    "999 bytes",
		bytesize(1000):                   "1.0 kB",
		bytesize(2_500_000):              "2.5 MB",
		percent(850):                     "85\u00a0%",
		percent(875):                     "87.5\u00a0%",
		month("2026-03"):                 "March 2026",
		month("sometime"):                "sometime",
		Contact("mailto:a@b.example"):    "mailto:a@b.example",
		Contact("a@b.example"):           "mailto:a@b.example",
		Contact("coop.example/help"):     "https://coop.example/help",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What was signed counts "1 days"; people read "1 day", in English.
func TestSignedSentencesThatCountToOneAreMended(t *testing.T) {
	for said, want := range map[string]string{
		"This dataset could be asked for on 1 days, used or not.":                    "This dataset could be asked for on 1 day, used or not.",
		"This dataset could be asked for on 11 days, used or not.":                   "This dataset could be asked for on 11 days, used or not.",
		"Work (git) accepted with 1 size points.":                                    "Work (git) accepted with 1 size point.",
		"A duty (review) completed, worth 1 fixed points.":                           "A duty (review) completed, worth 1 fixed point.",
		"1 dossiers were flagged for people to look at; they cost nobody anything.":  "1 dossier was flagged for people to look at; it cost nobody anything.",
		"21 dossiers were flagged for people to look at; they cost nobody anything.": "21 dossiers were flagged for people to look at; they cost nobody anything.",
	} {
		if got := Signed(said, "en"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := Signed(said, "de"); got != said {
			t.Errorf("what is said in another language was changed: %q", got)
		}
	}
}

func TestEveryStateHasWords(t *testing.T) {
	for _, s := range []string{vault.StateOpen, vault.StateUploading, vault.StateReceived, vault.StateAvailable, vault.StateShredding, vault.StateShredded} {
		if _, ok := datasetStates[s]; !ok {
			t.Errorf("dataset %s", s)
		}
	}
	for _, s := range []string{consent.StateGiven, consent.StateRefused, consent.StateWithdrawn, consent.StateExpired, consent.StateAsPool} {
		if _, ok := consentStates[s]; !ok {
			t.Errorf("consent %s", s)
		}
	}
	for _, k := range governance.WorkKinds() {
		if workKinds[string(k)] == "" {
			t.Errorf("work %s", k)
		}
	}
	for _, o := range coop.Offices() {
		if offices[o] == "" {
			t.Errorf("office %s", o)
		}
	}
	for _, name := range []string{appraisal.StepCommission, appraisal.StepReserve, appraisal.StepPurpose, appraisal.StepMembers,
		appraisal.StepUnclaimed, appraisal.StepInvestors} {
		if lines[name] == "" {
			t.Errorf("step %s", name)
		}
	}
}

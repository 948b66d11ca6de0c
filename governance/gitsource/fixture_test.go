package gitsource

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
)

// answer is what git itself says of a fixture.
type answer struct {
	Tip      string  `json:"tip"`
	Commits  int     `json:"commits"`
	Merges   int     `json:"merges"`
	Emails   int     `json:"author_emails"`
	Names    int     `json:"author_names"`
	Bots     int     `json:"commits_by_bots"`
	Signed   int     `json:"commits_with_signed_off_by_trailer"`
	Together int     `json:"commits_with_co_authored_by_trailer"`
	TopThree float64 `json:"top3_author_share_excluding_bots"`
	First    string  `json:"first_commit"`
	Last     string  `json:"last_commit"`
}

func answers(t *testing.T) map[string]answer {
	var file struct {
		F9 struct {
			Expected map[string]answer `json:"expected"`
		} `json:"F9_contribution_history"`
	}
	must(t, json.Unmarshal(testkit.FixtureBytes(t, "answers.json"), &file))
	if len(file.F9.Expected) == 0 {
		t.Fatal("there are no answers")
	}
	return file.F9.Expected
}

// imported makes a bare repository of a fixture.
func imported(t testing.TB, name string) string {
	t.Helper()
	in, err := gzip.NewReader(bytes.NewReader(testkit.FixtureBytes(t, "14-contribution-git/"+name+".fi.gz")))
	must(t, err)
	stream, err := io.ReadAll(in)
	must(t, err)
	dir := filepath.Join(t.TempDir(), name+".git")
	command(t, ".", nil, "init", "--quiet", "--bare", "--initial-branch=main", dir)
	command(t, dir, stream, "fast-import", "--quiet")
	return dir
}

func TestRealHistoriesGiveTheFiguresThatGitGives(t *testing.T) {
	for name, want := range answers(t) {
		h, err := Read(t.Context(), imported(t, name), Options{})
		must(t, err)
		got := answer{h.Tip, h.Commits, h.Merges, h.AuthorEmails, h.AuthorNames, h.BotCommits, h.SignedOff, h.CoAuthored,
			h.TopThreeShare(), h.First.Format(time.RFC3339), h.Last.Format(time.RFC3339)}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

// However git keeps the objects, the history is the same.
func TestAHistoryDoesNotDependOnHowItIsStored(t *testing.T) {
	dir := imported(t, "standard-webhooks")
	o := Options{Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	want, err := Read(t.Context(), dir, o)
	must(t, err)
	stored := map[string]string{"imported": dir}
	for how, args := range map[string][]string{
		"repacked":      {"clone", "--quiet", "--bare", "--no-local"},
		"with worktree": {"clone", "--quiet", "--no-checkout"},
		"borrowing":     {"clone", "--quiet", "--bare", "--shared"},
	} {
		to := filepath.Join(t.TempDir(), "clone")
		command(t, ".", nil, append(args, dir, to)...)
		stored[how] = to
	}
	command(t, stored["repacked"], nil, "repack", "-adfq", "--depth=50", "--window=50")
	loose := filepath.Join(t.TempDir(), "loose")
	command(t, ".", nil, "clone", "--quiet", "--bare", "--no-local", dir, loose)
	packs, err := filepath.Glob(filepath.Join(loose, "objects", "pack", "*.pack"))
	must(t, err)
	moved := filepath.Join(t.TempDir(), "moved.pack")
	for _, p := range packs {
		must(t, os.Rename(p, moved))
		pack, err := os.ReadFile(moved)
		must(t, err)
		command(t, loose, pack, "unpack-objects", "-q")
	}
	stored["loose"] = loose
	for how, at := range stored {
		got, err := Read(t.Context(), at, o)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another history: %d contributions instead of %d", how, len(got.Contributions), len(want.Contributions))
		}
	}
	if len(want.Contributions) < 10 {
		t.Errorf("only %d contributions", len(want.Contributions))
	}
}

// Every commit by a person is in at most one contribution, and the commands
// that show a contribution show as many commits as it says.
func TestAReviewerCanLookAContributionUp(t *testing.T) {
	for name := range answers(t) {
		dir := imported(t, name)
		h, err := Read(t.Context(), dir, Options{})
		must(t, err)
		seen, total := map[string]bool{}, 0
		for _, c := range h.Contributions {
			if seen[c.ID] || len(c.Authors) == 0 || c.Title == "" || len(c.Areas) == 0 {
				t.Errorf("%s: %+v", name, c)
			}
			seen[c.ID] = true
			total += c.Commits
		}
		if total == 0 || total > h.Commits-h.Merges {
			t.Errorf("%s: %d commits in contributions, %d in the history", name, total, h.Commits)
		}
		for _, c := range h.Contributions[max(0, len(h.Contributions)-20):] {
			shown := command(t, dir, nil, append(strings.Fields(c.Check)[1:], "--format=%H")...)
			if lines := strings.Fields(shown); len(lines) < c.Commits || !strings.Contains(c.Evidence, lines[len(lines)-1][:12]) {
				t.Errorf("%s: %q shows %d commits of %d, evidence %q", name, c.Check, len(lines), c.Commits, c.Evidence)
			}
		}
	}
}

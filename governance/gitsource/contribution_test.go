package gitsource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"pgregory.net/rapid"
)

func TestAMergeIsOneContributionOfWhatItBroughtIn(t *testing.T) {
	w := newWorld(t)
	root := w.commit(ann, "Begin")
	side := w.commit(ben, "Count the steps", root)
	main := w.commit(ann, "Tidy up", root)
	side = w.commit(cleo, "Test the counting", w.commit(ann, "Merge branch 'main' into steps", side, main))
	merge := w.commit(ann, "Merge pull request #7 from ben/steps\n\nSteps are counted", main, side)
	h := w.read(w.commit(ann, "Later", merge))
	wantTitles(t, h, "Begin, and 1 more", "Steps are counted", "Later")
	c := h.Contributions[1]
	if c.Commits != 2 || c.Kind != KindGit || len(c.Authors) != 2 || !c.By("ben@coop.test") || !c.By("CLEO@coop.test") || c.By("ann@coop.test") {
		t.Errorf("%+v by %d: the merger is no author", c, len(c.Authors))
	}
	if want := fmt.Sprintf("git:%.12s:", h.Tip); !strings.HasPrefix(c.Evidence, want) || !strings.HasSuffix(c.Evidence, " 2 commits") {
		t.Errorf("evidence %q", c.Evidence)
	}
}

func TestDirectCommitsOfADayAreOneContribution(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "One")
	for range 20 {
		at = w.commit(ann, "A twentieth of the change", at)
	}
	w.now = w.now.Add(longestPause)
	at = w.commit(ann, "After the weekend", at)
	at = w.commit(ben, "Somebody else", at)
	at = w.commit(ann, "Back again", at)
	h := w.read(at)
	wantTitles(t, h, "One, and 20 more", "After the weekend", "Somebody else", "Back again")
}

func TestARunLastsAWeekAtMost(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "Day 0")
	for day := 1; day < 15; day++ {
		w.now = w.now.Add(23 * time.Hour) // and the hour of the commit itself
		at = w.commit(ann, fmt.Sprint("Day ", day), at)
	}
	wantTitles(t, w.read(at), "Day 0, and 7 more", "Day 8, and 6 more")
}

func TestARunThatMayStillGrowIsMarked(t *testing.T) {
	w := newWorld(t)
	old := w.commit(ann, "Done")
	w.now = w.now.Add(48 * time.Hour)
	at := w.commit(pip, "Bump", w.commit(ann, "Doing", old))
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{time.Hour, true}, {22 * time.Hour, true}, {24 * time.Hour, false}, {1000 * time.Hour, false}} {
		h, err := w.try(at, Options{Now: w.now.Add(c.after)})
		must(t, err)
		wantTitles(t, h, "Done", "Doing")
		if h.Contributions[0].Growing || h.Contributions[1].Growing != c.want {
			t.Errorf("%v later: growing %v", c.after, h.Contributions[1].Growing)
		}
	}
}

func TestAContributionKeepsItsIDWhileTheHistoryGrows(t *testing.T) {
	w := newWorld(t)
	root := w.commit(ann, "Begin")
	side := w.commit(ben, "Side", root)
	merge := w.commit(ann, "Merge branch 'side'", w.commit(cleo, "Direct", root), side)
	at := w.commit(ann, "End", merge)
	before := w.read(at)
	w.now = w.now.Add(longestPause)
	after := w.read(w.commit(ann, "Sequel", w.commit(ben, "More", at)))
	if len(before.Contributions) != 4 || len(after.Contributions) != 6 {
		t.Fatalf("%q, then %q", titles(before), titles(after))
	}
	for i, c := range before.Contributions {
		if d := after.Contributions[i]; d.ID != c.ID || d.Title != c.Title || d.Commits != c.Commits {
			t.Errorf("%+v became %+v", c, d)
		}
	}
}

func TestCoAuthorsAreAuthorsAndBotsAreNot(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "Together\n\nWhy.\n\nCo-authored-by: Ben <BEN@coop.test>\nco-authored-by: Pip <1+pip[bot]@users.noreply.test>\n"+
		"Co-Authored-By: Nobody\nCo-authored-by: X <not an address>\nCo-authored-by: Model <noreply@models.test>\nCo-authored-by: Ann <ann@coop.test>\nSigned-off-by: "+ann)
	h := w.read(at)
	c := h.Contributions[0]
	if len(c.Authors) != 2 || !c.By("ben@coop.test") || !c.By("ann@coop.test") {
		t.Errorf("%d authors", len(c.Authors))
	}
	if h.CoAuthored != 1 || h.SignedOff != 1 {
		t.Errorf("%+v", h)
	}
}

func TestBotsAreSetAside(t *testing.T) {
	w := newWorld(t)
	root := w.commit(ann, "Begin")
	at := w.commit(pip, "Bump", root)
	at = w.commit("renovate-bot <bot@renovate.test>", "Bump", at)
	at = w.commit("github-actions <actions@users.noreply.test>", "Publish", at)
	at = w.commit(ann, "Go on", at)
	at = w.commit(ann, "Merge branch 'bump'", at, w.commit(pip, "Bump more", root))
	h := w.read(at)
	wantTitles(t, h, "Begin, and 1 more")
	if h.Aside.Bots != 4 || h.BotCommits != 4 {
		t.Errorf("%+v", h)
	}
}

func TestPeopleWhoseNamesEndLikeABotsAreNone(t *testing.T) {
	for who, want := range map[string]bool{
		"Fox Talbot <fox@coop.test>": false, "Bot <b@coop.test>": false, "Abbot <a@coop.test>": false,
		"Robot Jones <r@coop.test>": false, "Robin <robin@noreply.test>": false,
		"Snyk bot <s@snyk.test>": true, "x <NoReply@host.test>": true, "deploy <deploy-bot@coop.test>": true, "a[bot] <a@b.test>": true,
	} {
		if got := parsePerson([]byte(who)).bot(); got != want {
			t.Errorf("%s: %v", who, got)
		}
	}
}

func TestVendoredAndGeneratedFilesAreNobodysWork(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{"src/a.go": "1"}
	at := w.change(ann, "Begin", files)
	for i, name := range []string{"vendor/x/y.go", "web/node_modules/z/index.js", "go.sum", "web/package-lock.json", "web/app.min.js",
		"api/user.pb.go", "THIRD_PARTY/lib.c", "docs/dist/all.js", "k8s/zz_generated.deepcopy.go", "web/schema.generated.ts", "Cargo.lock"} {
		w.now = w.now.Add(longestPause)
		files[name] = fmt.Sprint(i)
		at = w.change(ben, "Churn "+name, files, at)
	}
	w.now = w.now.Add(longestPause)
	files["go.mod"], files["go.sum"], files["vendor/q/q.go"], files["cmd/main.go"] = "1", "2", "2", "2"
	at = w.change(ben, "Use a library", files, at)
	h := w.read(at)
	wantTitles(t, h, "Begin", "Use a library")
	if got := h.Contributions[1].Areas; !slices.Equal(got, []string{".", "cmd"}) {
		t.Errorf("areas %q", got)
	}
	if h.Aside.Vendored != 11 {
		t.Errorf("aside %+v", h.Aside)
	}
}

func TestWhatChangesNothingIsNoContribution(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{"a": "1"}
	root := w.change(ann, "Begin", files)
	at := w.change(ben, "Nothing", files, root)
	at = w.change(ben, "Merge nothing", files, at, w.change(cleo, "Same", files, root))
	at = w.change(ben, "Merge what is there", files, at, root)
	h := w.read(at)
	wantTitles(t, h, "Begin")
	if h.Aside.Empty != 3 {
		t.Errorf("aside %+v", h.Aside)
	}
}

func TestARevertIsNotedOnBothSides(t *testing.T) {
	w := newWorld(t)
	root := w.commit(ann, "Begin")
	wrong := w.commit(ben, "Wrong", root)
	at := w.commit(ann, "Revert \"Wrong\"\n\nThis reverts commit "+wrong.String()+".", wrong)
	at = w.commit(cleo, "Revert of what is not here\n\nThis reverts commit "+strings.Repeat("a", 40)+".", at)
	h := w.read(at)
	got := [][2]int{}
	for _, c := range h.Contributions {
		got = append(got, [2]int{c.Reverts, c.Reverted})
	}
	if !slices.Equal(got, [][2]int{{0, 0}, {0, 1}, {1, 0}, {0, 0}}) {
		t.Errorf("reverts and reverted: %v", got)
	}
}

func TestACrowdIsSetAside(t *testing.T) {
	w := newWorld(t)
	message := "Everybody\n\nThanks to all.\n\n"
	for i := range MostAuthors {
		message += fmt.Sprintf("Co-authored-by: N%d <n%d@coop.test>\n", i, i)
	}
	h := w.read(w.commit(ben, "After", w.commit(ann, message)))
	wantTitles(t, h, "After")
	if h.Aside.Crowds != 1 {
		t.Errorf("aside %+v", h.Aside)
	}
}

func TestOneAuthorWithTwoAddressesGoesOnWithTheSameRun(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "At home")
	at = w.commit("ann <ann@work.test>", "At work", at)
	h := w.read(at)
	wantTitles(t, h, "At home, and 1 more")
	if c := h.Contributions[0]; !c.By("ann@coop.test") || !c.By("ann@work.test") {
		t.Error("one of the addresses is lost")
	}
}

func TestAnIdentityPrintsAsNothing(t *testing.T) {
	w := newWorld(t)
	h := w.read(w.commit(ann, "Begin"))
	text, err := json.Marshal(h)
	must(t, err)
	all := fmt.Sprintf("%v %+v %#v %v %q %s", h, h, h, h.Contributions, h.Contributions[0].Authors, text)
	if strings.Contains(strings.ToLower(all), "ann") {
		t.Errorf("an author shows in %s", all)
	}
	if h.Contributions[0].Authors[0].Email() != "ann@coop.test" {
		t.Error("the address cannot be matched")
	}
}

func TestMergeTitlesSayWhatWasDone(t *testing.T) {
	first := &commit{subject: "Count the steps"}
	for _, c := range []struct {
		subject, detail, want string
		commits               int
	}{
		{"Merge pull request #1 from x/y", "Steps", "Steps", 3},
		{"Merge pull request #1 from x/y", "", "Count the steps, and 2 more", 3},
		{"Merge branch 'x'", "Conflicts:", "Count the steps", 1},
		{"Land the counting of steps", "", "Land the counting of steps", 3},
		{"", "", "Count the steps", 1},
	} {
		if got := mergeTitle(&commit{subject: c.subject, detail: c.detail}, first, c.commits); got != c.want {
			t.Errorf("%q: %q, want %q", c.subject, got, c.want)
		}
	}
}

// TestEveryCommitIsGroupedOnce makes histories of random shape: contributions
// share no commit, and hold nothing that is no person's work.
func TestEveryCommitIsGroupedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &graph{index: map[plumbing.Hash]int{}}
		n := rapid.IntRange(1, 40).Draw(t, "commits")
		for i := range n { // oldest last, as the tip is first
			c := commit{id: plumbing.Hash{byte(i + 1)}, tree: plumbing.Hash{}, committed: start.Add(time.Duration(n-i) * time.Hour)}
			c.author = person{name: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "who"))}
			if i < n-1 {
				for range rapid.IntRange(1, 3).Draw(t, "parents") {
					c.parents = append(c.parents, plumbing.Hash{byte(rapid.IntRange(i+1, n-1).Draw(t, "parent") + 1)})
				}
			}
			g.index[c.id] = i
			g.commits = append(g.commits, c)
		}
		w := &grouping{graph: g, out: &History{}, owner: slices.Repeat([]int{unowned}, n)}
		seen := map[int]bool{}
		for _, at := range g.chain() {
			if seen[at] || w.owner[at] != unowned {
				t.Fatal("the chain meets a commit that a merge brought in before")
			}
			seen[at] = true
			w.owner[at] = nobody
			if !g.commits[at].merge() {
				continue
			}
			for _, i := range w.brought(at) {
				if seen[i] {
					t.Fatal("a commit was brought in twice")
				}
				seen[i] = true
			}
		}
	})
}

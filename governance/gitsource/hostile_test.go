package gitsource

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"

	"distributed.ai/datacoop/internal/fault"
)

func TestOddEncodingsBecomeOneCleanLine(t *testing.T) {
	w := newWorld(t)
	for message, want := range map[string]string{
		"Caf\xe9 \xff\xfe":                    "Caf\uFFFD \uFFFD",
		"Pay \u202emoc.live\u202c now":        "Pay moc.live now",
		"a\x00b\x07c\x1b[31m":                 "a b c [31m",
		"zero\u200bwidth\ufefftag\U000e0041s": "zerowidthtags",
		"  \t blanks\u00a0 and\u2028lines ":   "blanks and lines",
		"<script>alert(1)</script>":           "<script>alert(1)</script>", // the portal's templates escape
		"\u202e\u200b":                        "Work without a title",
		"":                                    "Work without a title",
		strings.Repeat("ä", 5000):             strings.Repeat("ä", 199) + "…",
		"\r\nWindows\r\n\r\nbody":             "Windows",
		"Fix\n\nCo-authored-by: \xff\xfe <\xff@coop.test>": "Fix",
	} {
		h := w.read(w.commit(ann, message))
		wantTitles(t, h, want)
		if !utf8.ValidString(h.Contributions[0].Title) {
			t.Errorf("%q is not valid", h.Contributions[0].Title)
		}
	}
	latin := "tree %s\nauthor Ren\xe9 <rene@coop.test> 1 +0000\ncommitter x <x@x.test> 1 +0000\nencoding ISO-8859-1\n\nCaf\xe9\n"
	h := w.read(w.put(plumbing.CommitObject, fmt.Appendf(nil, latin, w.tree(map[string]string{"a": "1"}))))
	wantTitles(t, h, "Café")
}

func TestAbsurdTimesAreNoTimes(t *testing.T) {
	w := newWorld(t)
	var tree, at plumbing.Hash
	for _, when := range []string{"99999999999999999999 +0000", "-1 +0000", "9223372036854775807 +9999", "253402214400 +0000",
		"", "yesterday", "0x10 +0000"} {
		parents := []plumbing.Hash{}
		if !at.IsZero() {
			parents = append(parents, at)
		}
		tree = w.tree(map[string]string{"a": when})
		at = w.raw(tree, ann, when, "Undated", parents...)
	}
	h := w.read(at)
	if !h.First.IsZero() || len(h.Contributions) != h.Commits {
		t.Errorf("first %v, %d contributions of %d commits: without times nothing is close in time", h.First, len(h.Contributions), h.Commits)
	}
	late := w.raw(w.tree(map[string]string{"a": "2"}), ann, "253402214399 +1400", "The last day", at)
	h = w.read(late)
	if last := h.Contributions[len(h.Contributions)-1]; h.Last.UTC().Year() != 9999 || last.Growing {
		t.Errorf("last %v, growing %v", h.Last, last.Growing)
	}
	if _, err := h.Last.MarshalText(); err != nil {
		t.Error(err)
	}
}

func TestSymbolicLinksAndSubmodulesAreNotFollowed(t *testing.T) {
	w := newWorld(t)
	missing := plumbing.NewHash(strings.Repeat("12", 20))
	tree := w.rawTree(
		gitobject.TreeEntry{Name: "..", Mode: filemode.Symlink, Hash: missing},
		gitobject.TreeEntry{Name: ".git", Mode: filemode.Submodule, Hash: missing},
		gitobject.TreeEntry{Name: "C:\\x", Mode: filemode.Regular, Hash: missing},
		gitobject.TreeEntry{Name: "a/b", Mode: filemode.Regular, Hash: missing},
		gitobject.TreeEntry{Name: "etc", Mode: filemode.Symlink, Hash: missing},
	)
	h := w.read(w.raw(tree, ann, "1 +0000", "Links"))
	wantTitles(t, h, "Links")
}

func TestAFolderNameIsCleanedBeforeItIsShown(t *testing.T) {
	w := newWorld(t)
	h := w.read(w.change(ann, "Begin", map[string]string{"\u202egnp\xff\x1b/x.go": "1", strings.Repeat("long", 100) + "/y.go": "1"}))
	for _, area := range h.Contributions[0].Areas {
		if clean(area, longestArea) != area {
			t.Errorf("area %q", area)
		}
	}
}

func TestDamageIsToldAndNeverPanics(t *testing.T) {
	damage := map[string]func(w *world) plumbing.Hash{
		"missing parent": func(w *world) plumbing.Hash {
			return w.commit(ann, "Orphan", plumbing.NewHash(strings.Repeat("ab", 20)))
		},
		"missing tree": func(w *world) plumbing.Hash {
			return w.raw(plumbing.NewHash(strings.Repeat("ab", 20)), ann, "1 +0000", "x", w.commit(ann, "Begin"))
		},
		"tip is a tree": func(w *world) plumbing.Hash { return w.tree(map[string]string{"a": "1"}) },
		"tree is a commit": func(w *world) plumbing.Hash {
			c := w.commit(ann, "Begin")
			return w.raw(c, ann, "1 +0000", "x", c)
		},
		"no tree": func(w *world) plumbing.Hash {
			return w.put(plumbing.CommitObject, []byte("author x <x> 1 +0000\n\nx\n"))
		},
		"empty": func(w *world) plumbing.Hash { return w.put(plumbing.CommitObject, nil) },
		"bad parent": func(w *world) plumbing.Hash {
			return w.put(plumbing.CommitObject, []byte("tree "+strings.Repeat("0", 40)+"\nparent zz\n\nx\n"))
		},
		"two trees": func(w *world) plumbing.Hash {
			return w.put(plumbing.CommitObject, []byte(strings.Repeat("tree "+strings.Repeat("1", 40)+"\n", 2)+"\nx\n"))
		},
		"truncated tree": func(w *world) plumbing.Hash {
			return w.raw(w.put(plumbing.TreeObject, []byte("100644 a\x00123")), ann, "1 +0000", "x")
		},
		"nameless entry": func(w *world) plumbing.Hash {
			return w.raw(w.put(plumbing.TreeObject, []byte("100644 \x00"+strings.Repeat("x", 20))), ann, "1 +0000", "x")
		},
		"truncated file": func(w *world) plumbing.Hash {
			c := w.commit(ann, "Begin")
			must(w.t, os.Chmod(w.object(c), 0o600))
			must(w.t, os.Truncate(w.object(c), 20))
			return c
		},
		"another's content": func(w *world) plumbing.Hash { // as a cycle would have to be made
			a := w.commit(ann, "Begin")
			b := w.commit(ann, "Next", a)
			content, err := os.ReadFile(w.object(b))
			must(w.t, err)
			must(w.t, os.Chmod(w.object(a), 0o600))
			must(w.t, os.WriteFile(w.object(a), content, 0o600))
			return b
		},
	}
	for what, make := range damage {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.try(make(w), Options{})
			refused(t, err, ErrCorrupt)
		})
	}
}

// deflated writes a loose object with any head.
func (w *world) deflated(id plumbing.Hash, head string, content func(*zlib.Writer)) {
	w.t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, err := z.Write([]byte(head))
	must(w.t, err)
	content(z)
	must(w.t, z.Close())
	must(w.t, os.MkdirAll(filepath.Dir(w.object(id)), 0o700))
	must(w.t, os.WriteFile(w.object(id), out.Bytes(), 0o600))
}

func TestASizeThatIsALieEndsTheReading(t *testing.T) {
	zeros := make([]byte, 1<<20)
	many := func(z *zlib.Writer) {
		for range 17 {
			_, _ = z.Write(zeros)
		}
	}
	for head, want := range map[string]error{
		"commit 10\x00":                   ErrCorrupt,
		"commit 99999999999\x00":          ErrTooLarge,
		"commit 99999999999999999999\x00": ErrCorrupt,
		"commit -1\x00":                   ErrCorrupt,
		"commit":                          ErrCorrupt,
		strings.Repeat("commit ", 100):    ErrCorrupt,
		"nonsense 5\x00":                  ErrCorrupt,
		"tree 67108864\x00":               ErrTooLarge,
		"commit 16777216\x00":             ErrCorrupt,
	} {
		w := newWorld(t)
		id := plumbing.NewHash(strings.Repeat("cd", 20))
		w.deflated(id, head, many)
		_, err := w.try(id, Options{})
		refused(t, err, want)
	}
}

func TestAFolderThatHoldsItselfEnds(t *testing.T) {
	w := newWorld(t)
	id := plumbing.NewHash(strings.Repeat("cd", 20))
	content := "40000 a\x00" + string(id[:])
	w.deflated(id, fmt.Sprintf("tree %d\x00", len(content)), func(z *zlib.Writer) { _, _ = z.Write([]byte(content)) })
	_, err := w.try(w.raw(id, ann, "1 +0000", "Endless"), Options{})
	refused(t, err, ErrCorrupt)
}

func TestLimitsAreKept(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "Begin")
	var parents []plumbing.Hash
	for range 30 {
		parents = append(parents, at)
		at = w.commit(ann, "More", at)
	}
	for want, o := range map[string]Options{
		tooManyCommits: {Limits: Limits{Commits: 30}},
		tooManyObjects: {Limits: Limits{Objects: 40}},
		tooLargeObject: {Limits: Limits{Object: 100}},
	} {
		_, err := w.try(at, o)
		refused(t, err, ErrTooLarge)
		var f *fault.Error
		if !errors.As(err, &f) || f.Detail[0] != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	h, err := w.try(at, Options{Limits: Limits{Commits: 31}})
	must(t, err)
	if h.Commits != 31 {
		t.Errorf("%d commits", h.Commits)
	}
	for len(parents) <= mostParents {
		parents = append(parents, parents...)
	}
	_, err = w.try(w.commit(ann, "Octopus", parents...), Options{})
	refused(t, err, ErrTooLarge)
}

func TestAHugeMessageIsRefusedAndALongOneIsNot(t *testing.T) {
	w := newWorld(t)
	h := w.read(w.commit(ann, strings.Repeat("word ", 1<<18)+"\n\n"+strings.Repeat("line: of text\n", 1<<16)))
	if n := utf8.RuneCountInString(h.Contributions[0].Title); n != longestTitle {
		t.Errorf("a title of %d characters", n)
	}
	_, err := w.try(w.commit(ann, strings.Repeat("x", 17<<20)), Options{})
	refused(t, err, ErrTooLarge)
}

func TestReadingStopsWhenItTakesTooLong(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "Begin")
	_, err := w.try(at, Options{Limits: Limits{Time: 1}})
	refused(t, err, ErrTooSlow)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, w.dir, Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTooSlow) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestLocationsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.tip(w.commit(ann, "Begin"))
	for location, want := range map[string]error{
		"":                                 ErrLocation,
		" ":                                ErrLocation,
		"a\x00b":                           ErrLocation,
		"file://" + w.dir:                  ErrLocation,
		"ssh://git@host.test/x":            ErrLocation,
		"git@host.test:x/y.git":            ErrLocation,
		"host.test:x":                      ErrLocation,
		"git://host.test/x":                ErrLocation,
		"http://host.test/x":               ErrLocation,
		"HTTP://host.test/x":               ErrLocation,
		"ext::sh -c touch% /tmp/x":         ErrLocation,
		"https://":                         ErrLocation,
		"https://user:secret@host.test/x":  ErrLocation,
		"https://host.test/x?token=secret": ErrLocation,
		"https://host.test/x":              ErrRemote,
		"/nowhere/at/all":                  ErrNoRepository,
		t.TempDir():                        ErrNoRepository,
	} {
		_, err := Read(t.Context(), location, Options{})
		refused(t, err, want)
	}
	for _, name := range []string{"nowhere", "../HEAD", "-x", "a b", "main~1"} {
		_, err := Read(t.Context(), w.dir, Options{Branch: name})
		refused(t, err, ErrNoBranch)
	}
	_, err := Read(t.Context(), newWorld(t).dir, Options{})
	refused(t, err, ErrNoBranch)
}

func TestAShallowCloneIsRefused(t *testing.T) {
	w := newWorld(t)
	at := w.commit(ann, "Begin")
	must(t, os.WriteFile(filepath.Join(w.dir, "shallow"), []byte(at.String()+"\n"), 0o600))
	_, err := w.try(at, Options{})
	refused(t, err, ErrShallow)
}

func TestAFormatThatIsNotReadIsTold(t *testing.T) {
	w := newWorld(t)
	must(t, os.WriteFile(filepath.Join(w.dir, "config"), []byte("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"), 0o600))
	_, err := w.try(w.commit(ann, "Begin"), Options{})
	refused(t, err, ErrFormat)
}

func TestAnotherBranchIsReadWhereItIsAskedFor(t *testing.T) {
	w := newWorld(t)
	main := w.commit(ann, "On main")
	w.tip(main)
	must(t, w.repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName("next"), w.commit(ben, "On next", main))))
	h, err := Read(t.Context(), w.dir, Options{Branch: "next", Now: w.now.Add(999 * time.Hour)})
	must(t, err)
	wantTitles(t, h, "On main", "On next")
	must(t, w.repo.Storer.RemoveReference(plumbing.Main))
	must(t, w.repo.Storer.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.NewBranchReferenceName("next"))))
	h, err = Read(t.Context(), w.dir, Options{})
	must(t, err)
	wantTitles(t, h, "On main", "On next")
}

func TestSettingsAreWhatGitWouldUse(t *testing.T) {
	w := newWorld(t)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if a, b := Configured(w.dir), Configured(t.TempDir()); a != (Settings{}) || b != (Settings{}) {
		t.Errorf("%q and %q out of nothing", a, b)
	}
	if got := Configured("https://host.test/coop/steps.git"); got != (Settings{Origin: "host.test/coop/steps"}) {
		t.Errorf("%q", got)
	}
	must(t, os.WriteFile(filepath.Join(os.Getenv("HOME"), ".gitconfig"), []byte("[user]\n\temail = ann@coop.test\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(w.dir, "config"), []byte("[remote \"origin\"]\n\turl = git@host.test:coop/steps.git\n"), 0o600))
	if got := Configured(w.dir); got != (Settings{"ann@coop.test", "host.test/coop/steps"}) {
		t.Errorf("%q", got)
	}
}

func TestWhereARepositoryIsKnownHoldsNoSecretAndNoPathOfThisMachine(t *testing.T) {
	for url, want := range map[string]string{
		"https://user:token@host.test/coop/steps.git": "host.test/coop/steps",
		"https://host.test/coop/steps?token=x":        "host.test/coop/steps",
		"ssh://git@host.test:2222/coop/steps.git":     "host.test/coop/steps",
		"git@host.test:coop/steps.git":                "host.test/coop/steps",
		"host.test:coop/steps":                        "host.test/coop/steps",
		"/home/ann/steps.git":                         "",
		"../steps":                                    "",
		"file:///home/ann/steps":                      "",
		"C:\\steps":                                   "",
		"":                                            "",
		"https://host.test/\u202e" + strings.Repeat("x", 999): "host.test/" + strings.Repeat("x", longestOrigin-11) + "…",
	} {
		if got := known(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}

func TestSentencesSayWhatAReviewerNeeds(t *testing.T) {
	w := newWorld(t)
	root := w.commit(ann, "Begin")
	at := w.commit(ann, "Back\n\nThis reverts commit "+root.String()+".\n\nCo-authored-by: "+ben, root)
	text := w.read(at).Contributions[0].Text()
	for _, want := range []string{"2 commits by 2 people", "in src", "from 2026-03-02 to 2026-03-02", "takes back", "taken back later", "git log --first-parent " + at.String()} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	undated := w.read(w.raw(w.tree(map[string]string{"a": "1"}), ann, "", "Undated")).Contributions[0].Text()
	if strings.Contains(undated, "0001") || !strings.Contains(undated, "1 commit by 1 person, at the top") {
		t.Errorf("%q", undated)
	}
}

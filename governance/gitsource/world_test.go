package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// start is when the tests' histories begin.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// People of the tests' histories.
const (
	ann  = "Ann <ann@coop.test>"
	ben  = "Ben <ben@coop.test>"
	cleo = "Cleo <cleo@coop.test>"
	pip  = "pip[bot] <1+pip[bot]@users.noreply.test>"
)

// world builds a repository object by object, so that it can hold what git
// itself would never write.
type world struct {
	t    testing.TB
	dir  string
	repo *git.Repository
	now  time.Time
	made int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	repo, err := git.PlainInit(dir, true)
	must(t, err)
	return &world{t: t, dir: dir, repo: repo, now: start}
}

func (w *world) put(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	w.t.Helper()
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	_, err := o.Write(data)
	must(w.t, err)
	id, err := w.repo.Storer.SetEncodedObject(o)
	must(w.t, err)
	return id
}

// tree writes a tree of files; names with slashes make folders.
func (w *world) tree(files map[string]string) plumbing.Hash {
	w.t.Helper()
	folders := map[string]map[string]string{}
	var entries []gitobject.TreeEntry
	for name, content := range files {
		if top, rest, nested := strings.Cut(name, "/"); nested {
			if folders[top] == nil {
				folders[top] = map[string]string{}
			}
			folders[top][rest] = content
			continue
		}
		id := plumbing.ComputeHash(plumbing.BlobObject, []byte(content)) // nobody reads it
		entries = append(entries, gitobject.TreeEntry{Name: name, Mode: filemode.Regular, Hash: id})
	}
	for name, inside := range folders {
		entries = append(entries, gitobject.TreeEntry{Name: name, Mode: filemode.Dir, Hash: w.tree(inside)})
	}
	slices.SortFunc(entries, func(a, b gitobject.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	return w.rawTree(entries...)
}

func (w *world) rawTree(entries ...gitobject.TreeEntry) plumbing.Hash {
	w.t.Helper()
	var out bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&out, "%o %s\x00%s", uint32(e.Mode), e.Name, e.Hash[:])
	}
	return w.put(plumbing.TreeObject, out.Bytes())
}

func (w *world) raw(tree plumbing.Hash, author, when, message string, parents ...plumbing.Hash) plumbing.Hash {
	w.t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&out, "parent %s\n", p)
	}
	fmt.Fprintf(&out, "author %s %s\ncommitter %s %s\n\n%s", author, when, author, when, message)
	return w.put(plumbing.CommitObject, out.Bytes())
}

// commit changes a file of its own in a folder and goes on an hour.
func (w *world) commit(author, message string, parents ...plumbing.Hash) plumbing.Hash {
	w.t.Helper()
	w.made++
	return w.change(author, message, map[string]string{"src/main.go": fmt.Sprint(w.made)}, parents...)
}

func (w *world) change(author, message string, files map[string]string, parents ...plumbing.Hash) plumbing.Hash {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	return w.raw(w.tree(files), author, fmt.Sprintf("%d +0000", w.now.Unix()), message+"\n", parents...)
}

func (w *world) tip(id plumbing.Hash) {
	w.t.Helper()
	must(w.t, w.repo.Storer.SetReference(plumbing.NewHashReference(plumbing.Main, id)))
}

// read reads the history up to id, a month later.
func (w *world) read(id plumbing.Hash) History {
	w.t.Helper()
	h, err := w.try(id, Options{})
	must(w.t, err)
	return h
}

func (w *world) try(id plumbing.Hash, o Options) (History, error) {
	w.t.Helper()
	w.tip(id)
	if o.Now.IsZero() {
		o.Now = w.now.AddDate(0, 1, 0)
	}
	return Read(w.t.Context(), w.dir, o)
}

func (w *world) object(id plumbing.Hash) string {
	return filepath.Join(w.dir, "objects", id.String()[:2], id.String()[2:])
}

// titles lists the titles of a history's contributions.
func titles(h History) (list []string) {
	for _, c := range h.Contributions {
		list = append(list, c.Title)
	}
	return list
}

func wantTitles(t testing.TB, h History, want ...string) {
	t.Helper()
	if got := titles(h); !slices.Equal(got, want) {
		t.Fatalf("contributions %q, want %q", got, want)
	}
}

// command runs git, or skips where there is none.
func command(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@coop.test", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@coop.test")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

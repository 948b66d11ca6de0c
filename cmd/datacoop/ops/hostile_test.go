package ops

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/vault"
)

// small is a co-op with one dataset and its backup as an archive.
func small(t *testing.T) (*world, string) {
	w := newWorld(t)
	w.share(t, 100)
	return w, w.backup("backup.tar")
}

// refused fails if a backup is taken, or if anything is left of the attempt.
func (w *world) refused(what string, c Restore) {
	w.t.Helper()
	c.Data = w.path("target")
	if err := w.restore(c); err == nil {
		w.t.Errorf("%s was restored", what)
		w.check(os.RemoveAll(c.Data))
	}
	if left := listing(w.t, c.Data); len(left) > 0 {
		w.t.Errorf("%s: left %v", what, left)
	}
}

func TestAnArchiveThatIsCutShortIsRefused(t *testing.T) {
	w, b := small(t)
	whole, err := os.ReadFile(b)
	w.check(err)
	cut := w.path("cut.tar")
	for at := len(whole) - 1024 - 512; at > 0; at -= len(whole)/23 + 1 { // what follows is zeros that end an archive
		w.check(os.WriteFile(cut, whole[:at], 0o600))
		w.refused("a cut archive", Restore{From: cut})
	}
	w.check(os.WriteFile(cut, nil, 0o600))
	w.refused("an empty file", Restore{From: cut})
}

func TestAnArchiveWithAChangedByteRestoresNothingElse(t *testing.T) {
	w, b := small(t)
	quiet := func(int64, int64) {}
	sound, err := survey(t.Context(), fromTarball{path: b}, quiet)
	w.check(err)
	info, err := os.Stat(b)
	w.check(err)
	caught := 0
	for at := int64(0); at < info.Size(); at += info.Size()/400 + 1 {
		flip(t, b, at)
		m, err := survey(t.Context(), fromTarball{path: b}, quiet)
		if err != nil {
			caught++
		} else if !same(t, m, sound) {
			t.Errorf("byte %d: another backup passed", at)
		}
		flip(t, b, at)
	}
	if caught < 300 { // what is not caught is filling between the files, which nobody reads
		t.Errorf("%d changes were caught", caught)
	}
}

func same(t *testing.T, a, b Manifest) bool {
	t.Helper()
	one, err := a.text()
	must(t, err)
	other, err := b.text()
	must(t, err)
	return bytes.Equal(one, other)
}

func TestAFolderWithAChangedByteOrFileIsRefused(t *testing.T) {
	w := newWorld(t)
	w.share(t, 100)
	b := w.backup("backup")
	for _, name := range listing(t, b) {
		if name == manifestFile {
			continue
		}
		path := filepath.Join(b, filepath.FromSlash(name))
		flip(t, path, 3)
		w.refused("a changed "+name, Restore{From: b})
		flip(t, path, 3)
		w.check(os.Rename(path, path+".away"))
		w.refused("another name for "+name, Restore{From: b})
		w.check(os.Rename(path+".away", path))
	}
	extra := filepath.Join(b, "vault.shares.json")
	w.check(os.WriteFile(extra, []byte("{}"), 0o600))
	w.refused("a file that nobody listed", Restore{From: b})
	w.check(os.Remove(extra))

	manifest := filepath.Join(b, manifestFile)
	w.check(os.Rename(manifest, w.path("kept.json")))
	w.refused("a folder without a manifest", Restore{From: b})
	w.check(os.Symlink(w.path("kept.json"), manifest))
	w.refused("a manifest that is a link", Restore{From: b})
	w.check(os.Remove(manifest))
	w.check(os.Rename(w.path("kept.json"), manifest))

	keys := filepath.Join(b, keysFile)
	w.check(os.Rename(keys, w.path("kept.keys")))
	w.check(os.Symlink(w.path("kept.keys"), keys))
	w.refused("a link to the same bytes", Restore{From: b})
	w.check(os.Remove(keys))
	w.check(os.Rename(w.path("kept.keys"), keys))
	w.check(w.restore(Restore{From: b, Check: true}))
	w.check(w.restore(Restore{From: b, Data: w.path("target"), NothingNewer: true}))
}

// rewrite makes an archive out of another one, entry by entry.
func rewrite(t *testing.T, from, to string, change func(h *tar.Header, body []byte, put func(*tar.Header, []byte))) {
	t.Helper()
	in, err := os.Open(from)
	must(t, err)
	defer in.Close()
	out, err := os.Create(to)
	must(t, err)
	w := tar.NewWriter(out)
	put := func(h *tar.Header, body []byte) {
		h.Size = int64(len(body))
		if h.Typeflag != tar.TypeReg {
			h.Size = 0
		}
		must(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := w.Write(body)
			must(t, err)
		}
	}
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		body, err := io.ReadAll(r)
		must(t, err)
		change(h, body, put)
	}
	must(t, errors.Join(w.Close(), out.Close()))
}

func TestNamesAndKindsThatNoBackupHasAreRefused(t *testing.T) {
	w, b := small(t)
	bad := w.path("bad.tar")
	outside := w.path("outside")
	entry := func(h tar.Header) {
		rewrite(t, b, bad, func(was *tar.Header, body []byte, put func(*tar.Header, []byte)) {
			if was.Name == manifestFile {
				put(&h, []byte("planted"))
			}
			put(was, body)
		})
		w.refused(h.Name, Restore{From: bad})
	}
	for _, name := range []string{"../outside", "/etc/outside", outside, "blobs/../../outside", "blobs/payload/00/../../../../outside",
		"./datacoop.db", "epochs/epoch-00000001.age", "vault.passphrase", "restored.json", "server.lock", "judge/../x.log", "judge/.log",
		"blobs/payload/00/11aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "blobs/partial/00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "datacoop.db-wal", "Datacoop.db", "",
		"blobs/payload/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "datacoop.db", keysFile} {
		entry(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600})
	}
	for _, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeDir, tar.TypeFifo, tar.TypeChar} {
		entry(tar.Header{Typeflag: kind, Name: "judge/x.log", Linkname: outside, Mode: 0o600})
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("something was written outside")
	}
	for what, spoil := range map[string]func(m map[string]any){
		"another form":        func(m map[string]any) { m["type"] = "datacoop-backup/2" },
		"an unknown field":    func(m map[string]any) { m["run"] = "rm" },
		"a name that escapes": func(m map[string]any) { m["files"].([]any)[0].(map[string]any)["name"] = "../outside" },
		"no database":         func(m map[string]any) { m["files"] = []any{} },
		"another epoch":       func(m map[string]any) { m["epoch"] = 2 },
		"a name twice":        func(m map[string]any) { m["files"] = append(m["files"].([]any), m["files"].([]any)[0]) },
	} {
		rewrite(t, b, bad, func(h *tar.Header, body []byte, put func(*tar.Header, []byte)) {
			if h.Name == manifestFile {
				m := map[string]any{}
				must(t, json.Unmarshal(body, &m))
				spoil(m)
				body, _ = json.Marshal(m)
			}
			put(h, body)
		})
		w.refused("a manifest with "+what, Restore{From: bad})
	}
}

func TestOnlyTheNamesOfABackupAreAllowed(t *testing.T) {
	for name, want := range map[string]bool{
		"datacoop.db": true, "server.keys": true, "judge/" + strings.Repeat("a", 64) + ".jsonl": true, "blobs/payload/0a/0a" + strings.Repeat("1", 30): true,
		"": false, "../datacoop.db": false, "/datacoop.db": false, "datacoop.db/x": false, "x/datacoop.db": false, "datacoop.db\n": false, "datacoop.db\x00": false,
		"epochs/epoch-00000001.age": false, "vault.passphrase": false, "restored.json": false, "manifest.json": false, "judge/..jsonl": false, "judge/a/b.log": false,
		"blobs/payload/0a/0b" + strings.Repeat("1", 30): false, "blobs/payload/0A/0A" + strings.Repeat("1", 30): false, "blobs/payload/0a/0a" + strings.Repeat("1", 31): false,
	} {
		if allowed(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestAnEncryptedArchiveOpensForItsRecipientAlone(t *testing.T) {
	w := newWorld(t)
	o := w.share(t, 1_000)
	id, err := age.GenerateHybridIdentity()
	w.check(err)
	other, err := age.GenerateX25519Identity()
	w.check(err)
	w.check(os.WriteFile(w.path("id.txt"), []byte(id.String()+"\n"), 0o600))
	w.check(os.WriteFile(w.path("other.txt"), []byte(other.String()+"\n"), 0o600))
	b := w.path("backup.tar.age")
	w.check((&Backup{Data: w.data, To: b, Recipient: id.Recipient().String()}).Run(t.Context(), w.lent()))
	text, err := os.ReadFile(b)
	w.check(err)
	if bytes.Contains(text, []byte("SQLite format 3")) || bytes.Contains(text, []byte(keysFile)) {
		t.Error("it is not encrypted")
	}
	w.refused("an encrypted archive without identity", Restore{From: b})
	w.refused("an encrypted archive for somebody else", Restore{From: b, Identity: w.path("other.txt")})
	w.refused("an encrypted archive with a backup for identity", Restore{From: b, Identity: b})
	for at := int64(len(text)) - 1; at > 0; at -= int64(len(text))/40 + 1 {
		flip(t, b, at)
		w.refused("a changed byte", Restore{From: b, Identity: w.path("id.txt")})
		flip(t, b, at)
	}
	w.check(os.WriteFile(w.path("cut.tar.age"), text[:len(text)-1], 0o600))
	w.refused("the last byte cut off", Restore{From: w.path("cut.tar.age"), Identity: w.path("id.txt")})
	w.check(w.restore(Restore{From: b, Identity: w.path("id.txt"), Data: w.path("fresh"), Epochs: filepath.Join(w.data, "epochs"), NothingNewer: true}))
	s := w.start(w.path("fresh"))
	defer s.Close()
	s.delivers(t, o)
}

func TestARestoreNeverTouchesWhatIsThere(t *testing.T) {
	w, b := small(t)
	before := listing(t, w.data)
	if err := w.restore(Restore{From: b, Data: w.data, NothingNewer: true}); err == nil {
		t.Error("a living co-op was restored over")
	}
	if after := listing(t, w.data); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("%v became %v", before, after)
	}
	busy := w.path("busy")
	w.check(os.MkdirAll(busy, 0o700))
	w.check(os.WriteFile(filepath.Join(busy, "mine.txt"), []byte("mine"), 0o600))
	if err := w.restore(Restore{From: b, Data: busy, NothingNewer: true}); err == nil || len(listing(t, busy)) != 1 {
		t.Errorf("%v, %v", err, listing(t, busy))
	}
	for what, c := range map[string]Restore{"no directory": {From: b}, "both a log and none": {From: b, Data: w.path("x"), Log: "y", NothingNewer: true},
		"nothing at all": {Data: w.path("x")}, "a check of nothing": {Check: true}, "a backup that is not there": {From: w.path("none"), Data: w.path("x")}} {
		if err := w.restore(c); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

func TestABackupGoesWhereItDoesNoHarm(t *testing.T) {
	w := newWorld(t)
	w.share(t, 100)
	w.check(os.Symlink(w.data, w.path("link")))
	w.check(os.WriteFile(w.path("there.tar"), []byte("mine"), 0o600))
	w.check(os.Mkdir(w.path("there"), 0o700))
	before := len(listing(t, w.root))
	for what, c := range map[string]Backup{
		"into the data directory":           {To: filepath.Join(w.data, "backup")},
		"as the data directory":             {To: w.data},
		"into it by another name":           {To: filepath.Join(w.path("link"), "backup.tar")},
		"around it":                         {To: w.root},
		"over a file":                       {To: w.path("there.tar")},
		"over a folder":                     {To: w.path("there")},
		"nowhere":                           {To: w.path("none/backup")},
		"encrypted, by another name":        {To: w.path("b.tar"), Recipient: "age1"},
		"unencrypted, by an encrypted name": {To: w.path("b.tar.age")},
		"a folder, encrypted":               {To: w.path("b"), Recipient: "age1"},
		"for a recipient that is none":      {To: w.path("b.tar.age"), Recipient: "age1nobody"},
		"an archive with links":             {To: w.path("b.tar"), Link: true},
		"of PostgreSQL":                     {To: w.path("b.tar"), Database: "postgres://db/coop"},
		"of a folder without a co-op":       {To: w.path("b.tar"), Data: w.path("there")},
	} {
		if c.Data == "" {
			c.Data = w.data
		}
		if err := c.Run(t.Context(), w.lent()); err == nil {
			t.Errorf("a backup was made %s", what)
		}
	}
	if after := listing(t, w.root); len(after) != before {
		t.Errorf("something was left: %v", after)
	}
}

func TestOfTwoBackupsOfOneNameOneIsMade(t *testing.T) {
	for _, name := range []string{"twice", "twice.tar"} {
		w := newWorld(t)
		for range 3 {
			w.share(t, 100_000)
		}
		made := make(chan error, 4)
		for range cap(made) {
			go func() { made <- (&Backup{Data: w.data, To: w.path(name)}).Run(context.Background(), w.lent()) }()
		}
		won := 0
		for range cap(made) {
			if <-made == nil {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%s: %d were made", name, won)
		}
		w.check(w.restore(Restore{From: w.path(name), Check: true}))
		entries, err := os.ReadDir(w.root)
		w.check(err)
		for _, e := range entries {
			if strings.Contains(e.Name(), "unfinished") {
				t.Errorf("left %s", e.Name())
			}
		}
	}
}

func TestABackupIsWholeWhileMembersUploadAndRevoke(t *testing.T) {
	for _, name := range []string{"busy", "busy.tar"} {
		w := newWorld(t)
		var stay []owned
		for range 4 {
			stay = append(stay, w.share(t, 50_000))
		}
		stop, revoked := make(chan struct{}), make(chan struct{}, 3)
		var busy sync.WaitGroup
		for range 3 {
			busy.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						w.revoke(t, w.share(t, 20_000))
					}
					select {
					case revoked <- struct{}{}:
					default:
					}
				}
			})
		}
		<-revoked
		err := (&Backup{Data: w.data, To: w.path(name)}).Run(t.Context(), w.lent())
		close(stop)
		busy.Wait()
		w.check(err)
		fresh := w.path("fresh-" + name)
		w.check(w.restore(Restore{From: w.path(name), Data: fresh, Epochs: filepath.Join(w.data, "epochs"), Log: w.mirror(t, w.path("mirror-"+name))}))
		s := w.start(fresh)
		s.resume(t, stay...)
		s.delivers(t, stay...)
		inventory, err := vault.TakeInventory(t.Context(), s.DB, w.clock.Now())
		w.check(err)
		if n := len(inventory.Payloads); n != len(stay) {
			t.Errorf("%s: %d datasets, %d are not revoked", name, n, len(stay))
		}
		w.check(s.Close())
	}
}

func TestDamageIsNamedAndTheRestIsSaved(t *testing.T) {
	w := newWorld(t)
	whole, flipped, gone, cut := w.share(t, 100), w.share(t, 100), w.share(t, 100), w.share(t, 100)
	flip(t, w.payloadOf(flipped), 20)
	w.check(os.Truncate(w.payloadOf(cut), 20))
	w.check(os.Remove(w.payloadOf(gone)))
	for _, name := range []string{"hurt", "hurt.tar"} {
		err := (&Backup{Data: w.data, To: w.path(name)}).Run(t.Context(), w.lent())
		if err == nil || !strings.Contains(err.Error(), "3 datasets") {
			t.Errorf("%s: %v", name, err)
		}
		from, err := openSource(w.path(name), "")
		w.check(err)
		m, err := survey(t.Context(), from, func(int64, int64) {})
		if err != nil || len(m.Damaged) != 3 {
			t.Errorf("%v, %v", m.Damaged, err)
		}
		fresh := w.path("fresh-" + name)
		if err := w.restore(Restore{From: w.path(name), Data: fresh, NothingNewer: true}); err == nil {
			t.Error("damage was restored in silence")
		}
		s, err := w.open(t.Context(), fresh, nil)
		w.check(err)
		if c, err := s.vault.Verify(t.Context(), nil); err != nil || c.Datasets != 4 || len(c.Wrong) != 3 || len(whole.id) == 0 {
			t.Errorf("%+v, %v", c, err)
		}
		w.check(s.Close())
	}
}

func TestALinkedBackupOutlivesARevocationInTheDark(t *testing.T) {
	w := newWorld(t)
	o := w.share(t, 1_000)
	path := w.payloadOf(o)
	w.check((&Backup{Data: w.data, To: w.path("linked"), Link: true}).Run(t.Context(), w.lent()))
	live, err := os.Stat(path)
	w.check(err)
	copied, err := os.Stat(filepath.Join(w.path("linked"), "blobs", "payload", filepath.Base(filepath.Dir(path)), filepath.Base(path)))
	if err != nil || !os.SameFile(live, copied) {
		t.Errorf("it was not linked: %v", err)
	}
	w.revoke(t, o)
	w.check(w.restore(Restore{From: w.path("linked"), Check: true}))
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"type":"datacoop-backup/1","files":[{"name":"../x","size":1,"sha256":""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if !filepath.IsLocal(file.Name) || !inside.MatchString(file.Name) || file.Size < 0 {
				t.Errorf("%+v", file)
			}
		}
	})
}

func TestWhatIsRevokedWhileABackupIsMadeIsNotInIt(t *testing.T) {
	for _, name := range []string{"backup", "backup.tar"} {
		w := newWorld(t)
		byBlob := map[string]owned{}
		for range 3 {
			o := w.share(t, 200_000)
			byBlob[w.payloadOf(o)] = o
		}
		order := slices.Sorted(maps.Keys(byBlob)) // as they are copied
		house, calls := w.lent(), 0
		house.Bar = func(string) (func(int64, int64), func()) {
			return func(done, _ int64) {
				calls++
				switch {
				case calls == 1: // the last one is named by the copied database, and gone before its turn
					w.revoke(t, byBlob[order[2]])
				case done > 250_000 && len(byBlob) == 3: // the first one is in the backup already
					w.revoke(t, byBlob[order[0]])
					delete(byBlob, order[0])
				}
			}, func() {}
		}
		w.check((&Backup{Data: w.data, To: w.path(name)}).Run(t.Context(), house))
		from, err := openSource(w.path(name), "")
		w.check(err)
		m, err := survey(t.Context(), from, func(int64, int64) {})
		w.check(err)
		if len(byBlob) != 2 || m.Datasets != 1 || len(m.Damaged) > 0 {
			t.Errorf("%s: %d datasets, damaged %v", name, m.Datasets, m.Damaged)
		}
		w.check(w.restore(Restore{From: w.path(name), Data: w.path("fresh"), Epochs: filepath.Join(w.data, "epochs"), NothingNewer: true}))
		s := w.start(w.path("fresh"))
		s.delivers(t, byBlob[order[1]])
		w.check(s.Close())
		for _, dir := range []string{"fresh", name} {
			held := slices.DeleteFunc(listing(t, w.path(dir)), func(n string) bool { return !strings.HasPrefix(n, "blobs/payload/") })
			if !isArchive(dir) && len(held) != 1 {
				t.Errorf("%s holds %v", dir, held)
			}
		}
	}
}

package audit_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

const member = "0190f3c2-7a1b-7c3d-8e4f-001122334455"

func fresh(t testing.TB) (*audit.Log, *db.DB) {
	t.Helper()
	d := testkit.DB(t)
	return testkit.Audit(t, d), d
}

func event(i int64) audit.Event {
	return audit.Event{
		Kind: "dataset.sealed", Verdict: "allow", Revision: strings.Repeat("a", 64),
		Record: map[string]any{"member": member, "n": i},
	}
}

func grow(t testing.TB, l *audit.Log, d *db.DB, n int) {
	t.Helper()
	err := d.Update(context.Background(), func(tx *db.Tx) error {
		for i := range n {
			if _, err := l.Append(tx, event(int64(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// head opens the checkpoint with stock tools.
func head(t testing.TB, l *audit.Log) tlog.Tree {
	t.Helper()
	text, err := l.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(l.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	body, ok := strings.CutPrefix(n.Text, "coop.test/log\n")
	if !ok {
		t.Fatalf("checkpoint begins %q", n.Text)
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + body))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// tiles reads the published log as a stranger does: by its paths alone.
type tiles struct {
	t testing.TB
	l *audit.Log
}

func (r tiles) Height() int { return 8 }
func (r tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range want {
		data, err := r.l.Tile(context.Background(), strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
func (r tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// leaves reads and splits the published entries of a tree.
func leaves(t testing.TB, l *audit.Log, size int64) (out [][]byte) {
	t.Helper()
	for from := int64(0); from < size; from += 256 {
		path := fmt.Sprintf("tile/entries/%03d", from/256)
		if w := size - from; w < 256 {
			path += fmt.Sprintf(".p/%d", w)
		}
		data, err := l.Tile(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		for len(data) > 0 {
			n := int(binary.BigEndian.Uint16(data))
			out, data = append(out, data[2:2+n]), data[2+n:]
		}
	}
	return out
}

func TestStrangerVerifiesTheLogFromTilesAlone(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 300)
	old := head(t, l)
	grow(t, l, d, 273)
	tree := head(t, l)
	if tree.N != 573 {
		t.Fatalf("tree of %d", tree.N)
	}
	reader := tlog.TileHashReader(tree, tiles{t, l})
	all := leaves(t, l, tree.N)
	if int64(len(all)) != tree.N {
		t.Fatalf("%d leaves", len(all))
	}
	for i, leaf := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(i), reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(leaf)); err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
	}
	extension, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(extension, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		t.Fatalf("the newer checkpoint does not extend the older: %v", err)
	}
}

func TestTilesAreWhatTheSpecificationSays(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 300)
	hashes := make([]tlog.Hash, 0, 600) // an independent log of the same leaves
	mirror := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	for i, leaf := range leaves(t, l, 300) {
		more, err := tlog.StoredHashes(int64(i), leaf, mirror)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	for path, tile := range map[string]tlog.Tile{
		"tile/0/000":      {H: 8, L: 0, N: 0, W: 256},
		"tile/0/001.p/44": {H: 8, L: 0, N: 1, W: 44},
		"tile/0/001.p/5":  {H: 8, L: 0, N: 1, W: 5},
		"tile/1/000.p/1":  {H: 8, L: 1, N: 0, W: 1},
	} {
		want, err := tlog.ReadTileData(tile, mirror)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Tile(t.Context(), path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
}

func TestPathsThatAreNoTilesAreNotFound(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 300)
	for _, path := range []string{
		"", "tile", "tile/", "checkpoint", "tile/0", "tile/0/", "/tile/0/000", "tile/0/000/", "tile//000",
		"tile/0/001", "tile/0/002.p/1", "tile/0/001.p/45", "tile/0/001.p/0", "tile/0/001.p/05", "tile/0/001.p/256",
		"tile/0/000.p/256", "tile/00/000", "tile/-1/000", "tile/+0/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000",
		"tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1", "tile/63/000.p/1", "tile/64/000.p/1", "tile/8/0/000",
		"tile/data/000", "tile/entries/001", "tile/entries/000.p/", "tile/entries/../000", "tile/0/000.p/-1",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/x036/x028/x797/x018/x963/968", "tile/0/" + strings.Repeat("x000/", 30) + "000",
	} {
		if data, err := l.Tile(t.Context(), path); fault.KindOf(err) != fault.NotFound || data != nil {
			t.Errorf("%q: %d bytes, %v", path, len(data), err)
		}
	}
}

func FuzzTile(f *testing.F) {
	l, d := fresh(f)
	grow(f, l, d, 300)
	for _, seed := range []string{"tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/0/x001/067"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		data, err := l.Tile(context.Background(), path)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			t.Fatalf("%q: %v", path, err)
		}
		if err == nil && !strings.HasPrefix(path, "tile/entries/") && (len(data) == 0 || len(data)%tlog.HashSize != 0) {
			t.Fatalf("%q: %d bytes", path, len(data))
		}
	})
}

func TestRolledBackEffectLeavesNoEntry(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 3)
	sorry := errors.New("the effect failed")
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if index, err := l.Append(tx, event(0)); err != nil || index != 3 {
			t.Errorf("index %d, %v", index, err)
		}
		return sorry
	})
	if !errors.Is(err, sorry) {
		t.Fatal(err)
	}
	grow(t, l, d, 1)
	if n, err := l.Verify(t.Context()); n != 4 || err != nil {
		t.Errorf("%d leaves, %v", n, err)
	}
}

func TestEmptyLogIsALog(t *testing.T) {
	l, _ := fresh(t)
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tree := head(t, l); tree.N != 0 || tree.Hash != empty {
		t.Errorf("tree %v", tree)
	}
	if n, err := l.Verify(t.Context()); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := l.Proof(t.Context(), 0); fault.KindOf(err) != fault.NotFound {
		t.Errorf("proof of nothing: %v", err)
	}
}

func TestEveryEntryOfEveryTreeHasAProof(t *testing.T) {
	l, d := fresh(t)
	for n := range int64(40) {
		grow(t, l, d, 1)
		tree := head(t, l)
		for i := range n + 1 {
			p, err := l.Proof(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(p.Hashes, tree.N, tree.Hash, i, tlog.RecordHash(p.Leaf)); err != nil {
				t.Fatalf("entry %d of %d: %v", i, n+1, err)
			}
			if err := p.Check(l.VerifierKey()); err != nil {
				t.Fatalf("entry %d of %d: %v", i, n+1, err)
			}
		}
	}
}

func TestAlteredProofIsRefused(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 21)
	good, err := l.Proof(t.Context(), 13)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := note.NewEd25519VerifierKey("coop.test/log", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, alter := range map[string]func(p *audit.Proof) (key string){
		"leaf":       func(p *audit.Proof) string { p.Leaf[20] ^= 1; return "" },
		"record":     func(p *audit.Proof) string { p.Record[3] ^= 1; return "" },
		"salt":       func(p *audit.Proof) string { p.Salt[0] ^= 1; return "" },
		"salt gone":  func(p *audit.Proof) string { p.Salt = nil; return "" },
		"index":      func(p *audit.Proof) string { p.Index = 12; return "" },
		"negative":   func(p *audit.Proof) string { p.Index = -1; return "" },
		"outside":    func(p *audit.Proof) string { p.Index = 21; return "" },
		"hash":       func(p *audit.Proof) string { p.Hashes[0][0] ^= 1; return "" },
		"short path": func(p *audit.Proof) string { p.Hashes = p.Hashes[1:]; return "" },
		"checkpoint": func(p *audit.Proof) string {
			p.Checkpoint = bytes.Replace(p.Checkpoint, []byte("21"), []byte("22"), 1)
			return ""
		},
		"no note":   func(p *audit.Proof) string { p.Checkpoint = nil; return "" },
		"other key": func(*audit.Proof) string { return stranger },
		"no key":    func(*audit.Proof) string { return "none" },
	} {
		var p audit.Proof
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		key := alter(&p)
		if key == "" {
			key = l.VerifierKey()
		}
		if p.Check(key) == nil {
			t.Errorf("%s: altered proof accepted", name)
		}
	}
}

func TestErasedRecordKeepsEveryProof(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 9)
	before := head(t, l)
	erase := func(i int64) error {
		return d.Update(t.Context(), func(tx *db.Tx) error { return l.Erase(tx, i) })
	}
	for range 2 { // twice is harmless
		if err := erase(4); err != nil {
			t.Fatal(err)
		}
	}
	p, err := l.Proof(t.Context(), 4)
	if err != nil || p.Record != nil || p.Salt != nil {
		t.Fatalf("record %q, salt %x, %v", p.Record, p.Salt, err)
	}
	if err := p.Check(l.VerifierKey()); err != nil {
		t.Error(err)
	}
	if n, err := l.Verify(t.Context()); n != 9 || err != nil || head(t, l) != before {
		t.Errorf("%d leaves, %v", n, err)
	}
	for _, i := range []int64{-1, 9} {
		if err := erase(i); fault.KindOf(err) != fault.NotFound {
			t.Errorf("erase %d: %v", i, err)
		}
	}
}

func TestLeafNamesNobody(t *testing.T) {
	l, d := fresh(t)
	grow(t, l, d, 1)
	err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := l.Append(tx, event(0)); return err })
	if err != nil {
		t.Fatal(err)
	}
	texts := leaves(t, l, 2)
	want := fmt.Sprintf(`"hour":%d,"kind":"dataset.sealed","revision":"%s","verdict":"allow"}`,
		testkit.NewClock().Now().Unix()/3600, strings.Repeat("a", 64))
	for _, text := range texts {
		if !strings.HasSuffix(string(text), want) || bytes.Contains(text, []byte(member)) {
			t.Errorf("leaf %s", text)
		}
	}
	if bytes.Equal(texts[0], texts[1]) {
		t.Error("two commitments to the same record are alike: the record could be guessed")
	}
	refused := []audit.Event{
		{Kind: ""}, {Kind: member}, {Kind: "Dataset"}, {Kind: "a b"}, {Kind: strings.Repeat("a", 65)},
		{Kind: "a", Verdict: member}, {Kind: "a", Revision: member}, {Kind: "a", Verdict: "no, because"},
		{Kind: "a", Record: map[string]any{"share": 0.1}}, {Kind: "a", Record: int64(1)<<53 + 1},
		{Kind: "a", Record: []float64{1e300}}, {Kind: "a", Record: func() {}},
	}
	for i, e := range refused {
		err := d.Update(t.Context(), func(tx *db.Tx) error { _, err := l.Append(tx, e); return err })
		if err == nil {
			t.Errorf("refused event %d was appended", i)
		}
	}
}

func TestRecordIsCanonicalJSON(t *testing.T) {
	l, d := fresh(t)
	for record, want := range map[any]string{
		"<é>":                  `"<é>"`,
		int64(coop.Forever):    `253402300799000`,
		nil:                    `null`,
		[2]string{"b", "a"}:    `["b","a"]`,
		struct{ B, A int64 }{}: `{"A":0,"B":0}`,
	} {
		var index int64
		err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
			index, err = l.Append(tx, audit.Event{Kind: "test", Record: record})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := l.Proof(t.Context(), index); err != nil || string(p.Record) != want {
			t.Errorf("%v became %s, want %s (%v)", record, p.Record, want, err)
		}
	}
}

func TestVerifyNamesWhatWasTampered(t *testing.T) {
	zeros := make([]byte, 32)
	replaced := func(table, column, where, old, new string) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			n, err := testkit.Tamper(tx, table, column, where, func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(old), []byte(new))
			})
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows changed", n)
			}
			return err
		}
	}
	run := func(query string, args ...any) func(*db.Tx) error {
		return func(tx *db.Tx) error { return tx.ExecOne(query, args...) }
	}
	for name, c := range map[string]struct {
		change func(*db.Tx) error
		want   string
	}{
		"a verdict":               {replaced("audit_leaves", "leaf", "idx = 5", "allow", "denys"), "leaf 5"},
		"a leaf":                  {run(`UPDATE audit_leaves SET leaf = ? WHERE idx = 0`, []byte{0}), "leaf 0"},
		"a leaf lost":             {run(`DELETE FROM audit_leaves WHERE idx = 7`), "leaf 7 is missing"},
		"the last leaf lost":      {run(`DELETE FROM audit_leaves WHERE idx = 20`), "covers 21 leaves and there are 20"},
		"an index below zero":     {run(`UPDATE audit_leaves SET idx = -idx WHERE idx = 1`), ""},
		"the hash of two":         {run(`UPDATE audit_hashes SET hash = ? WHERE idx = 2`, zeros), "level 1 over leaf 1"},
		"the hash of one":         {run(`UPDATE audit_hashes SET hash = ? WHERE idx = 0`, zeros), "leaf 0 does not have its stored hash"},
		"a hash lost":             {run(`DELETE FROM audit_hashes WHERE idx = 3`), "level 0 over leaf 2 is missing"},
		"a hash too many":         {run(`INSERT INTO audit_hashes (idx, hash) VALUES (1000, ?)`, zeros), "stored hash 1000 belongs to no leaf"},
		"a record":                {run(`UPDATE audit_records SET record = ? WHERE idx = 11`, []byte("{}")), "record 11"},
		"a salt":                  {run(`UPDATE audit_records SET salt = ? WHERE idx = 12`, zeros), "record 12"},
		"a record too many":       {run(`INSERT INTO audit_records (idx, salt, record) VALUES (99, ?, ?)`, zeros, []byte{}), "record 99 belongs to no leaf"},
		"the checkpoint's size":   {replaced("audit_checkpoint", "note", "id = 1", "\n21\n", "\n20\n"), "stored checkpoint"},
		"no text of a checkpoint": {run(`UPDATE audit_checkpoint SET note = ?`, []byte{}), "stored checkpoint"},
	} {
		l, d := fresh(t)
		grow(t, l, d, 21)
		head(t, l)
		if n, err := l.Verify(t.Context()); n != 21 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		err := d.Update(t.Context(), c.change)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: the table allows it", name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err = l.Verify(t.Context())
		if !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// TestRewrittenHistoryIsNeitherVerifiedNorSigned replaces the whole log by
// another that is consistent in itself.
func TestRewrittenHistoryIsNeitherVerifiedNorSigned(t *testing.T) {
	for name, leavesKept := range map[string]int{"as long": 21, "longer": 30, "shorter": 5} {
		l, d := fresh(t)
		grow(t, l, d, 21)
		head(t, l)
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			for _, table := range []string{"audit_leaves", "audit_hashes", "audit_records"} {
				if _, err := tx.Exec("DELETE FROM " + table); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		grow(t, l, d, leavesKept)
		if _, err := l.Verify(t.Context()); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%s: verified: %v", name, err)
		}
		if leavesKept == 21 {
			grow(t, l, d, 1)
		}
		if _, err := l.Checkpoint(t.Context()); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestAppendsOfOneTransactionAndOfManyAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, d := fresh(t)
		total := 0
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 9), 1, 6).Draw(rt, "batches") {
			grow(t, l, d, n)
			total += n
			tree := head(t, l)
			mirror := []tlog.Hash{}
			reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
				for _, i := range indexes {
					out = append(out, mirror[i])
				}
				return out, nil
			})
			for i, text := range leaves(t, l, int64(total)) {
				more, err := tlog.StoredHashes(int64(i), text, reader)
				if err != nil {
					rt.Fatal(err)
				}
				mirror = append(mirror, more...)
			}
			root, err := tlog.TreeHash(int64(total), reader)
			if err != nil || root != tree.Hash || tree.N != int64(total) {
				rt.Fatalf("root %s of %d, signed %s of %d, %v", root, total, tree.Hash, tree.N, err)
			}
		}
		if _, err := l.Verify(context.Background()); err != nil {
			rt.Fatal(err)
		}
		_ = d.Close()
	})
}

func TestNewRefusesWhatCannotSign(t *testing.T) {
	d := testkit.DB(t)
	for _, origin := range []string{"", "with space", "with+plus", "line\nbreak"} {
		if _, err := audit.New(t.Context(), d, origin, testkit.Key(), coop.SystemClock); err == nil {
			t.Errorf("origin %q accepted", origin)
		}
	}
	if _, err := audit.New(t.Context(), d, "coop.test", nil, coop.SystemClock); err == nil {
		t.Error("no key accepted")
	}
}

func BenchmarkAppendBatch32(b *testing.B) {
	l, d := fresh(b)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := d.Update(context.Background(), func(tx *db.Tx) error { _, err := l.Append(tx, event(1)); return err })
			if err != nil {
				b.Error(err)
			}
		}
	})
}

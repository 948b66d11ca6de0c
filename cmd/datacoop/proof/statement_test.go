package proof

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// papers is a judged statement with everything it rests on, as files.
type papers struct {
	bundle, record, appeals []byte
	vkey                    string
}

func publish(t *testing.T) papers {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ev := appraisal.Evidence{Currency: "EUR", Period: "P0001", Salt: strings.Repeat("a", 64), Revenue: 1_000_000}
	var exhibits []appraisal.Exhibit
	for i := range 4 {
		w := appraisal.Work{Contribution: fmt.Sprint("c-", i), Member: fmt.Sprint("m-", i), Kind: "document", Grade: appraisal.GradePeer, Points: 3}
		ev.Work = append(ev.Work, w)
		exhibits = append(exhibits, appraisal.NewExhibit(appraisal.DossierID(ev.Salt, appraisal.KindWork, w.Contribution), "We wrote a guide, because members asked. 12 of them tried it."))
	}
	params := appraisal.Params{BetaData: 100, BetaWork: 250, BetaGovernance: 250, Gamma: 100, Commission: 100, Data: 700, Work: 200, Governance: 100,
		Reserve: 70, Purpose: 50, Members: 850, Investors: 30}
	task, err := appraisal.NewTask(ev, params, "Be fair.", exhibits)
	must(err)
	folder, err := llm.OpenFolder(t.TempDir())
	must(err)
	t.Cleanup(func() { _ = folder.Close() })
	judge, err := llm.New(llm.Config{Families: []llm.Family{{Name: "scripted", BaseURL: testkit.NewModel(t).BaseURL, Model: "m"}},
		Seed: llm.NewSecret("sixteen bytes or more"), Recorder: folder, Canaries: 10})
	must(err)
	op, err := judge.Weigh(context.Background(), task)
	must(err)
	b, err := appraisal.NewBundle(ev, params, &op)
	must(err)
	out := papers{}
	out.bundle, err = b.JSON()
	must(err)
	out.record, err = folder.Record(op.Trace)
	must(err)
	out.appeals, out.vkey = contest(t, b, out.bundle)
	return out
}

// contest has a panel of three raise the first member's work.
func contest(t *testing.T, b appraisal.Bundle, bundle []byte) ([]byte, string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	checkpoint, vkey := sign(t, key)
	roll := []string{"p-1", "p-2", "p-3", "p-4"}
	order, err := jury.Draw(checkpoint, 2, roll)
	if err != nil {
		t.Fatal(err)
	}
	dossier := appraisal.DossierID(b.Evidence.Salt, appraisal.KindWork, "c-0")
	standing, ok := b.Standing("m-0", dossier)
	if !ok {
		t.Fatal("no standing")
	}
	standing.Member, standing.Dossier = "", ""
	c := jury.Case{Beyond: 100, Checkpoint: checkpoint, Dossier: dossier, Leaf: 2, Member: "m-0", Questions: []string{"need", "result"}, Roll: roll, Standing: standing}
	for _, name := range order[:3] {
		c.Seats = append(c.Seats, jury.Seat{Name: name, State: jury.Scored, Yes: []string{"need", "result"}})
	}
	c.Decide()
	r := jury.Record{BundleSHA256: coop.Digest(bundle), Cases: []jury.Case{c}, Format: jury.Format, Period: "P0001", Permille: 50, Reserve: b.Statement.AppealReserve(50),
		Corrections: []jury.Correction{{Dossier: dossier, Field: "points", From: 2, To: 3, Source: "minutes"}}}
	r.Cases[0].Award = jury.Awards([]int64{c.Claim}, r.Reserve)[0]
	r.Paid = r.Cases[0].Award
	text, err := r.JSON()
	if err != nil || r.Paid == 0 {
		t.Fatal(r.Paid, err)
	}
	return text, vkey
}

// sign makes a checkpoint of nine leaves under the key.
func sign(t *testing.T, key ed25519.PrivateKey) (checkpoint, vkey string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(bytes.NewReader(key.Seed()), "coop.example/log")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	text, err := note.Sign(&note.Note{Text: "coop.example/log\n9\n" + strings.Repeat("A", 43) + "=\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), vkey
}

// check writes the papers down and checks them.
func (p papers) check(dir string) error {
	c := Statement{LogKey: p.vkey}
	for name, into := range map[string]*string{"bundle.json": &c.File, "appeals.json": &c.Appeals, "record.jsonl": &c.Record} {
		*into = filepath.Join(dir, name)
		text := map[string][]byte{"bundle.json": p.bundle, "appeals.json": p.appeals, "record.jsonl": p.record}[name]
		if err := os.WriteFile(*into, text, 0o600); err != nil {
			return err
		}
	}
	return c.Run()
}

func TestEverythingAStatementRestsOnIsComputedAgain(t *testing.T) {
	p := publish(t)
	if err := p.check(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	other := p
	other.vkey = "coop.example/log+00000000+" + p.vkey[len(p.vkey)-44:]
	if err := other.check(t.TempDir()); err == nil {
		t.Error("somebody else's signature was taken")
	}
}

func TestOneChangedByteInAnyFileIsFound(t *testing.T) {
	p, dir := publish(t), t.TempDir()
	for name, file := range map[string]*[]byte{"bundle": &p.bundle, "appeals": &p.appeals, "record": &p.record} {
		whole := slices.Clone(*file)
		const samples = 60
		for n := range samples {
			at := n * (len(whole) - 1) / (samples - 1)
			*file = slices.Clone(whole)
			(*file)[at] ^= 1
			if err := p.check(dir); err == nil {
				t.Errorf("%s: byte %d, in %q, was changed and nobody noticed", name, at, whole[max(0, at-20):min(len(whole), at+20)])
			}
		}
		*file = whole
	}
}

package governance

import (
	"bytes"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
)

const paper = `{"rules":[
	{"code":"only-vetted","effect":"forbid","title":"Only vetted requesters","when":[{"about":"requester-vetted","is":"no"}]},
	{"code":"fair-price","effect":"forbid","title":"A fair price","when":[{"about":"price","is":"below","number":500}],"sentence":"This is too little."}]}`

// Members vote on what the rules of a document do, and enact its Rego.
func TestADocumentBecomesLaw(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], []byte(paper))
	d, err := document.Parse([]byte(paper), w.Charter.Currency)
	must(t, err)
	if !bytes.Equal(p.Source, d.Rego()) {
		t.Errorf("proposed:\n%s", p.Source)
	}
	if len(p.Sentences) != 2 || p.Sentences[1] != "A request is refused if the price offered for a dataset is below 5.00 EUR." {
		t.Errorf("the members read %q", p.Sentences)
	}
	if n := w.recorded(`"document_sha256":"`+d.Digest()+`"`, `"source_sha256":"`+sha256Hex(d.Rego())+`"`); n != 1 {
		t.Errorf("%d records of the log name the document and its Rego", n)
	}
	w.vote(p, Yes, ids[:3]...)
	w.pass(week)
	w.pass(pause)
	if got := w.state(p.ID); got.State != Enacted || w.Engine.Current().Hash() != got.Revision {
		t.Errorf("%s %s", got.State, got.Reason)
	}
	// The same document, written otherwise, is the law already.
	_, err = w.Propose(t.Context(), ids[1], Draft{"Again", "Because.", []byte(strings.ReplaceAll(paper, "\n", " "))})
	refused(t, err, ErrAlreadyLaw)
}

// recorded counts the records of the log that hold all these texts.
func (w *world) recorded(texts ...string) (n int) {
	w.t.Helper()
	must(w.t, w.DB.View(w.t.Context(), func(tx *db.Tx) error {
		_, err := db.Collect(tx, func(row *sql.Rows) (struct{}, error) {
			var record []byte
			err := row.Scan(&record)
			if !slices.ContainsFunc(texts, func(s string) bool { return !bytes.Contains(record, []byte(s)) }) {
				n++
			}
			return struct{}{}, err
		}, `SELECT record FROM audit_records`)
		return err
	}))
	return n
}

func TestABrokenDocumentIsRefusedWithItsFindings(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(1)
	for text, says := range map[string]string{
		`{"rules":[]}`: "1 to 48 rules",
		strings.Replace(paper, `"price"`, `"time"`, 1):                 "cannot speak of",
		strings.Replace(paper, "only-vetted", "requester-unvetted", 1): "belongs to base law",
	} {
		_, err := w.Propose(t.Context(), ids[0], Draft{"A law", "Because.", []byte(text)})
		refused(t, err, ErrPolicyRefused)
		var f *fault.Error
		if !errors.As(err, &f) || !strings.Contains(strings.Join(f.Detail, " "), says) {
			t.Errorf("%v", err)
		}
		report, im, err := w.Preview(t.Context(), []byte(text))
		if err != nil || report.OK || !strings.Contains(strings.Join(report.Findings, " "), says) || im.Decisions != 0 {
			t.Errorf("%q %v", report.Findings, err)
		}
	}
	if report, _, err := w.Preview(t.Context(), policies.Default()); err != nil || report.Sentences[0] != "A request is refused if the co-op has not vetted who asks." {
		t.Errorf("%q %v", report.Sentences, err)
	}
}

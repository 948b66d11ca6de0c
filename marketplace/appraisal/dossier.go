package appraisal

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"distributed.ai/datacoop/internal/fault"
)

// Task is everything a judge gets to see. It holds no name, id, date, amount or
// URL; whoever knows the evidence can link it, whoever judges cannot.
type Task struct {
	Dossiers []Dossier `json:"dossiers"` // by id, which is as good as at random
	Exhibits []Exhibit `json:"exhibits"` // by dossier
	Params   Params    `json:"params"`   // the split in force and the bounds
	Rubric   string    `json:"rubric"`   // the voted text of what to look for
}

// Dossier is one contribution's blinded evidence: an enum and numbers, nothing
// a member wrote.
type Dossier struct {
	Class string `json:"class"` // kind of work or duty, a slug; "" for data
	Facts []Fact `json:"facts"` // by name
	ID    string `json:"id"`
	Kind  string `json:"kind"` // data, work or governance
}

// Fact is one number about a contribution. Names are constants of this package.
type Fact struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Exhibit is the only prose in a task: the text of one piece of work, made by
// NewExhibit. A judge hands it to its quarantined extractor and to nothing
// else.
type Exhibit struct {
	Dossier string `json:"dossier"`
	Text    string `json:"text"`
}

// MaxExhibit bounds an exhibit's text, in bytes.
const MaxExhibit = 8 << 10

// NewExhibit cleans a text: characters are normalised (Unicode NFKC), what cannot
// be seen or reorders what can is dropped, runs of white space become one space,
// and what exceeds MaxExhibit is cut off between two characters. Cleaning twice
// changes nothing more.
func NewExhibit(dossier, text string) Exhibit {
	text = visible(norm.NFKC.String(visible(strings.ToValidUTF8(text, " "))))
	if len(text) > MaxExhibit {
		text = strings.TrimSpace(strings.ToValidUTF8(text[:MaxExhibit], ""))
	}
	return Exhibit{Dossier: dossier, Text: text}
}

func visible(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case hidden(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// DossierID is the pseudonym of one dossier in the period of salt: 32 hex
// digits of HMAC-SHA256. Ref is the dataset for KindData, the contribution for
// KindWork and DutyRef for KindGovernance. It stays the same when a corrected
// fact makes the period be computed again.
func DossierID(salt, kind, ref string) string { return newNamer(salt).id(kind, ref) }

// namer gives the pseudonyms of one period; keying it once is most of the work.
type namer struct {
	mac hash.Hash
	buf []byte
}

func newNamer(salt string) *namer { return &namer{mac: hmac.New(sha256.New, []byte(salt))} }

func (n *namer) id(kind, ref string) string {
	n.mac.Reset()
	n.buf = append(append(append(n.buf[:0], kind...), ' '), ref...)
	n.mac.Write(n.buf)
	n.buf = n.mac.Sum(n.buf[:0])
	return hex.EncodeToString(n.buf[:16])
}

// DutyRef names the dossier of all duties of one kind that a member completed.
func DutyRef(member, kind string) string { return kind + " " + member }

// Blind replaces every id of the evidence by a pseudonym, so that the bundle
// made from it can be shown to all members: Pseudonym of the evidence's period,
// the kind "member", "dataset", "request", "contribution", "cluster" or "duty",
// and the id. Who holds the secret can tell each member their own.
func Blind(ev Evidence, secret []byte) Evidence {
	name := func(kind, id string) string {
		if id == "" {
			return ""
		}
		return Pseudonym(secret, ev.Period, kind, id)
	}
	out := ev.normal()
	for i := range out.Requests {
		out.Requests[i].Request = name("request", out.Requests[i].Request)
	}
	for i, u := range out.Data {
		u.Member, u.Dataset = name("member", u.Member), name("dataset", u.Dataset)
		u.Request, u.Cluster = name("request", u.Request), name("cluster", u.Cluster)
		out.Data[i] = u
	}
	for i, a := range out.Available {
		a.Member, a.Dataset, a.Cluster = name("member", a.Member), name("dataset", a.Dataset), name("cluster", a.Cluster)
		out.Available[i] = a
	}
	for i, w := range out.Work {
		w.Member, w.Contribution = name("member", w.Member), name("contribution", w.Contribution)
		out.Work[i] = w
	}
	for i, d := range out.Duties {
		d.Member, d.Ref = name("member", d.Member), name("duty", d.Ref)
		out.Duties[i] = d
	}
	return out.normal()
}

// Pseudonym is what Blind puts in place of an id: the kind's first letter, a
// hyphen and 32 hex digits of HMAC-SHA256 under the secret.
func Pseudonym(secret []byte, period, kind, id string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(period + " " + kind + " " + id))
	return kind[:1] + "-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// NewTask blinds evidence for a judge. Every exhibit must belong to a dossier
// of work; the rubric is the co-op's own text. Faults as for Close, and
// "exhibit-invalid".
func NewTask(ev Evidence, p Params, rubric string, exhibits []Exhibit) (Task, error) {
	ev = ev.normal()
	if err := ev.check(); err != nil {
		return Task{}, err
	}
	if err := p.Check(); err != nil {
		return Task{}, err
	}
	t := Task{Dossiers: ev.dossiers(), Params: p, Rubric: rubric}
	t.Exhibits = sorted(exhibits, func(a, b Exhibit) int { return cmp.Compare(a.Dossier, b.Dossier) })
	known := ev.dossierIDs()
	for _, x := range t.Exhibits {
		if known[x.Dossier] != KindWork || NewExhibit(x.Dossier, x.Text) != x {
			return Task{}, errExhibit
		}
	}
	if repeated(t.Exhibits, func(a, b Exhibit) bool { return a.Dossier == b.Dossier }) {
		return Task{}, errExhibit
	}
	return t, nil
}

var errExhibit = fault.New(fault.Invalid, "exhibit-invalid", "A text does not belong to a piece of work of this period, or was not cleaned.")

// SHA256 is the digest of the task's canonical JSON in hex: what is committed to
// before the first question is asked, so that nobody shops for answers.
func (t Task) SHA256() (string, error) { return digest(t) }

// dossiers lists what a judge may score, ordered by pseudonym.
func (ev Evidence) dossiers() []Dossier {
	var out []Dossier
	name := newNamer(ev.Salt)
	for dataset, uses := range groups(ev.Data, func(u DataUse) string { return u.Dataset }) {
		out = append(out, Dossier{ID: name.id(KindData, dataset), Kind: KindData, Facts: dataFacts(uses)})
	}
	for contribution, parts := range groups(ev.Work, func(w Work) string { return w.Contribution }) {
		sum := int64(0)
		for _, w := range parts {
			sum += w.Points
		}
		out = append(out, Dossier{
			ID: name.id(KindWork, contribution), Kind: KindWork, Class: parts[0].Kind,
			Facts: []Fact{{"points", sum}},
		})
	}
	for ref, duties := range groups(ev.Duties, func(d Duty) string { return DutyRef(d.Member, d.Kind) }) {
		sum := int64(0)
		for _, d := range duties {
			sum += d.Points
		}
		out = append(out, Dossier{
			ID: name.id(KindGovernance, ref), Kind: KindGovernance, Class: duties[0].Kind,
			Facts: []Fact{{"duties", int64(len(duties))}, {"points", sum}},
		})
	}
	slices.SortFunc(out, func(a, b Dossier) int { return cmp.Compare(a.ID, b.ID) })
	return append([]Dossier{}, out...)
}

// dossierIDs maps every dossier of the evidence to its kind.
func (ev Evidence) dossierIDs() map[string]string {
	out := make(map[string]string, len(ev.Data)+len(ev.Work)+len(ev.Duties))
	name := newNamer(ev.Salt)
	for _, u := range ev.Data {
		out[name.id(KindData, u.Dataset)] = KindData
	}
	for _, w := range ev.Work {
		out[name.id(KindWork, w.Contribution)] = KindWork
	}
	for _, d := range ev.Duties {
		out[name.id(KindGovernance, DutyRef(d.Member, d.Kind))] = KindGovernance
	}
	return out
}

func groups[T any](list []T, key func(T) string) map[string][]T {
	out := map[string][]T{}
	for _, v := range list {
		out[key(v)] = append(out[key(v)], v)
	}
	return out
}

// dataFacts are coarse on purpose: figures in steps of 50, counts in steps of
// 1, 2, 5, so that a dossier does not single a dataset out.
func dataFacts(uses []DataUse) []Fact {
	var coverage, fresh, trust, unique int64
	for _, u := range uses {
		coverage, fresh, trust, unique = coverage+u.Coverage, fresh+u.Fresh, trust+u.Trust, unique+u.Unique
	}
	n := int64(len(uses))
	mean := func(sum int64) int64 { return (sum/n + 25) / 50 * 50 }
	return []Fact{{"coverage", mean(coverage)}, {"fresh", mean(fresh)}, {"requests", coarse(n)}, {"trust", mean(trust)}, {"unique", mean(unique)}}
}

// coarse is the largest of 1, 2, 5, 10, 20, 50, … that does not exceed n ≥ 1.
func coarse(n int64) int64 {
	out := int64(1)
	for step := int64(1); step <= n; step *= 10 {
		for _, v := range []int64{step, 2 * step, 5 * step} {
			if v <= n {
				out = v
			}
		}
	}
	return out
}

// digest is the SHA-256 of a value's canonical JSON in hex.
func digest(v any) (string, error) {
	sum := sha256.New()
	if err := writeCanonical(sum, v); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

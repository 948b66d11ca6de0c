package cohort

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// What stands in a Record for the filter where there is none.
const (
	ClassWise = "class-wise" // each class of datasets was decided by itself
	Sealed    = "sealed"     // no law was in force
)

// Record is what is kept of a cohort that was decided: one for all its datasets,
// each of which has a row of reason bits besides. It never changes.
type Record struct {
	Tally
	Asks        []string              // policies.AskSteward, AskMember: whom the law wants asked about some dataset
	Obligations []policies.Obligation // of what passes, by code

	ID         string
	Seq        int64 // its place among decisions; 0 for one from before there were records of cohorts
	Request    coop.RequestID
	Researcher coop.ResearcherID
	Pool       coop.PoolID
	Purpose    coop.Purpose

	Question       string // canonical JSON of the policies.Request that was decided
	QuestionSHA256 string // of it, in hex
	Filter         string // canonical JSON: the law as conditions on rows, left out where a record is read back; or ClassWise or Sealed
	Digest         string // of all rows and what their bits mean; see Sum
}

// counts is what of a record is kept as canonical JSON.
type counts struct {
	Members        int                   `json:"members"`
	RefusedMembers int                   `json:"refused_members"`
	AllMembers     int                   `json:"all_members"`
	Waiting        int                   `json:"waiting"`
	Reasons        []ReasonTally         `json:"reasons"`
	Asks           []string              `json:"asks"`
	Obligations    []policies.Obligation `json:"obligations"`
}

// Counts is what the record counts, beside how many datasets pass and do not, as
// canonical JSON.
func (r Record) Counts() ([]byte, error) {
	return proof.Canonical(counts{r.Members, r.RefusedMembers, r.AllMembers, r.Waiting, r.Reasons, r.Asks, r.Obligations})
}

func (r *Record) readCounts(text string) error {
	var c counts
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("cohort: reading counts: %w", err)
	}
	r.Members, r.RefusedMembers, r.AllMembers, r.Waiting = c.Members, c.RefusedMembers, c.AllMembers, c.Waiting
	r.Reasons, r.Asks, r.Obligations = c.Reasons, c.Asks, c.Obligations
	return nil
}

// Slowly is the note of an answer that took a decision for every class of
// datasets.
const Slowly = "Not everything that counts here can be asked of all datasets at once, so each was decided by itself. That takes longer and changes no answer."

// Digest is the SHA-256 of a text, in hex.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Asked reads the question of a record back.
func (r Record) Asked() (q policies.Request, err error) {
	if err := json.Unmarshal([]byte(r.Question), &q); err != nil {
		return q, fmt.Errorf("cohort: reading a question: %w", err)
	}
	return q, nil
}

func (r *Record) readQuestion() error {
	q, err := r.Asked()
	r.Researcher, r.Purpose = coop.ResearcherID(q.Requester.ID), coop.Purpose{DUO: q.DUO, DPV: q.DPV}
	return err
}

// OneByOne is the law of a Pattern that no filter gave.
const OneByOne = -1

// Pattern is what a cohort keeps of its answer about a dataset: which of the
// filter's laws it fell under, and which of that law's conditions held.
type Pattern struct{ Law, Bits int64 }

// Verdict is what a pattern means. It knows no rules that fired: datasets of one
// pattern may have got there by different ones.
type Verdict struct {
	Pattern
	policies.Outcome
}

// AsksMember reports whether the law wants the members asked.
func (v Verdict) AsksMember() bool { return slices.Contains(v.Asks, policies.AskMember) }

// said is what is kept of an outcome.
type said struct {
	Allow       bool                  `json:"allow"`
	NeedsReview bool                  `json:"needs_review"`
	Asks        []string              `json:"asks"`
	Reasons     []policies.Reason     `json:"reasons"`
	Obligations []policies.Obligation `json:"obligations"`
}

// Said is what is kept of an outcome, as canonical JSON: outcomes that say the
// same are the same there.
func Said(o policies.Outcome) (string, error) {
	text, err := proof.Canonical(said{o.Allow, o.NeedsReview, o.Asks, o.Reasons, o.Obligations})
	return string(text), err
}

func readSaid(text string) (policies.Outcome, error) {
	var s said
	err := json.Unmarshal([]byte(text), &s)
	return policies.Outcome{Allow: s.Allow, NeedsReview: s.NeedsReview, Asks: s.Asks, Reasons: s.Reasons, Obligations: s.Obligations}, err
}

// Sums are the rows of a cohort, gone through once.
type Sums struct {
	Found map[Pattern]coop.DatasetID // every pattern there is, with the first dataset that has it

	rows   []seen
	places map[Pattern]uint32
	text   hash.Hash
}

// seen is a row as it is remembered.
type seen struct{ who, pattern uint32 }

// Sum goes through the rows of a cohort once, in the order of their datasets.
// For a digest it writes one line for each, dataset, law and bits separated by
// tabs and ended by a line feed; Finish adds what they mean.
func Sum(tx *db.Tx, seq int64) (*Sums, error) {
	s := &Sums{Found: map[Pattern]coop.DatasetID{}, places: map[Pattern]uint32{}, text: sha256.New()}
	var line []byte
	err := eachRow(tx, seq, func(dataset []byte, who uint32, p Pattern) {
		place, known := s.places[p]
		if !known {
			place = uint32(len(s.places)) // #nosec G115 -- fewer than there are rows
			s.places[p], s.Found[p] = place, coop.DatasetID(dataset)
		}
		s.rows = append(s.rows, seen{who, place})
		line = append(append(line[:0], dataset...), '\t')
		line = append(strconv.AppendInt(line, p.Law, 10), '\t')
		line = append(strconv.AppendInt(line, p.Bits, 10), '\n')
		s.text.Write(line)
	})
	return s, err
}

// Finish counts the rows under what their patterns mean, and ends the digest:
// after the rows come law, bits and canonical JSON of the outcome of each
// pattern in order, written like the rows. SHA-256, in hex.
func (s *Sums) Finish(verdicts []Verdict) (t Tally, digest string, err error) {
	slices.SortFunc(verdicts, compareVerdicts)
	counter, by := NewCounter(), make([]Counted, len(s.places))
	for _, v := range verdicts {
		place, known := s.places[v.Pattern]
		if !known {
			return Tally{}, "", fmt.Errorf("%w: a verdict that no dataset has", ErrFilter)
		}
		by[place] = counter.Counted(v.Outcome)
		outcome, err := Said(v.Outcome)
		if err != nil {
			return Tally{}, "", err
		}
		fmt.Fprintf(s.text, "%d\t%d\t%s\n", v.Law, v.Bits, outcome)
	}
	if len(verdicts) != len(s.places) {
		return Tally{}, "", fmt.Errorf("%w: %d verdicts for %d patterns", ErrFilter, len(verdicts), len(s.places))
	}
	for _, row := range s.rows {
		counter.Add(row.who, by[row.pattern])
	}
	return counter.Tally(), hex.EncodeToString(s.text.Sum(nil)), nil
}

func compareVerdicts(a, b Verdict) int {
	return cmp.Or(cmp.Compare(a.Law, b.Law), cmp.Compare(a.Bits, b.Bits))
}

// Conclude fills in what verdicts say of the whole cohort.
func (r *Record) Conclude(t Tally, digest string, verdicts []Verdict) {
	t.Revision, t.ConsentSeq, t.At, t.Note = r.Revision, r.ConsentSeq, r.At, r.Note
	r.Tally, r.Digest, r.Asks, r.Obligations = t, digest, []string{}, []policies.Obligation{}
	for _, v := range verdicts {
		r.Asks = append(r.Asks, v.Asks...)
		if v.Allow {
			r.Obligations = append(r.Obligations, v.Obligations...)
		}
	}
	slices.Sort(r.Asks)
	slices.SortFunc(r.Obligations, func(a, b policies.Obligation) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	r.Asks, r.Obligations = slices.Compact(r.Asks), slices.Compact(r.Obligations)
}

// DecisionID is the id of the answer of a cohort about one dataset, a UUID of
// version 7 made of the time and, in place of chance, of both their ids.
func DecisionID(id string, at int64, ds coop.DatasetID) coop.DecisionID {
	sum := sha256.Sum256([]byte(id + "\n" + string(ds)))
	b := sum[:16]
	for i := range 6 {
		b[i] = byte(at >> (40 - 8*i)) // #nosec G115 -- eight bits of it each
	}
	b[6], b[8] = 0x70|b[6]&0x0f, 0x80|b[8]&0x3f
	x := hex.EncodeToString(b)
	return coop.DecisionID(x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:])
}

// DecidedAt reads the time out of such an id; false if it is none.
func DecidedAt(id coop.DecisionID) (at int64, ok bool) {
	if !coop.ValidID(id) {
		return 0, false
	}
	at, err := strconv.ParseInt(string(id[:8])+string(id[9:13]), 16, 64)
	return at, err == nil
}

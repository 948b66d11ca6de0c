package jury

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/fault"
)

// Format names the encoding of a record of appeals; EarlierFormat that of records
// that tell only how many were left out of a roll.
const (
	Format        = "datacoop-appeals/2"
	EarlierFormat = "datacoop-appeals/1"
)

// Reasons why a member is left out of a roll. The first that holds counts.
const (
	Appellant = "appellant"    // who appealed
	Office    = "office"       // holds an office of appeals or of the treasury
	Made      = "contested"    // made or reviewed the contested work
	Rival     = "also-appeals" // has an appeal against the same statement
	Ties      = "reviews"      // reviewed the appellant's work in the period, or was reviewed by them
)

// Reasons is the whole list.
var Reasons = []string{Appellant, Office, Made, Rival, Ties}

// Passed is a member left out of a roll, under a name of that appeal alone.
type Passed struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// What became of an appeal.
const (
	Upheld    = "upheld"
	Dismissed = "dismissed"
)

// What became of a seat.
const (
	Scored  = "scored"
	Stepped = "stepped-back" // the panellist has a conflict, or could not tell
	Silent  = "silent"       // the time passed
	Waiting = "waiting"      // asked and not answered yet; not in a record
)

// Record is everything that became of a statement's appeals: enough to compute
// it again without the server. Names in it are pseudonyms: a member's is the
// statement's own, a panellist's belongs to one appeal alone.
type Record struct {
	BundleSHA256 string       `json:"bundle_sha256"` // of the statement as it was settled
	Cases        []Case       `json:"cases"`         // panels, by leaf
	Corrections  []Correction `json:"corrections"`   // facts that were mended before, by dossier and field
	Format       string       `json:"format"`
	Paid         int64        `json:"paid"` // out of the reserve; the rest went back
	Period       string       `json:"period"`
	Permille     int64        `json:"permille"` // of the members' part, what the charter sets aside for appeals
	Reserve      int64        `json:"reserve"`  // minor units set aside for appeals
	SHA256       string       `json:"sha256"`   // of the record with this field empty; set by JSON
}

// Case is one appeal that a panel decided.
type Case struct {
	Award      int64    `json:"award"`      // minor units paid
	Beyond     int64    `json:"beyond"`     // thousandths by which a panel may exceed the model's bound
	Checkpoint string   `json:"checkpoint"` // of the log, signed; the seed of the draw
	Claim      int64    `json:"claim"`
	Dossier    string   `json:"dossier"`
	Excluded   int      `json:"excluded"` // members left out of the roll for a conflict of interest
	Leaf       int64    `json:"leaf"`     // of the log, from 0: the appeal with the roll's digest
	Member     string   `json:"member"`   // who appealed
	Outcome    string   `json:"outcome"`
	PassedOver []Passed `json:"passed_over,omitempty"` // who those left out are, by name; none in a case from before they were told
	Questions  []string `json:"questions"`
	Roll       []string `json:"roll"`
	Score      int64    `json:"score"`    // the panel's
	Seats      []Seat   `json:"seats"`    // in the order they were drawn in
	Standing   Standing `json:"standing"` // what the statement says about the dossier
}

// Seat is one panellist and their answer.
type Seat struct {
	Name  string   `json:"name"`
	State string   `json:"state"`
	Yes   []string `json:"yes"` // ids of the questions answered yes, in their order
}

// Correction is a fact that a steward mended, with its source.
type Correction struct {
	Dossier string `json:"dossier"`
	Field   string `json:"field"`
	From    int64  `json:"from"`
	Source  string `json:"source"`
	To      int64  `json:"to"`
}

// Faults of a record; the detail says what is wrong.
var (
	ErrUnreadable = fault.New(fault.Invalid, "appeals-unreadable", "This is not a record of appeals of the known format.")
	ErrDiffers    = fault.New(fault.Invalid, "appeals-differ", "The record of appeals is not what its own contents give.")
)

// JSON is the record's canonical encoding: fields in the order of their names,
// lists as they are, nothing but integers and plain strings. It carries its own
// digest, so that no byte of it changes unnoticed.
func (r Record) JSON() ([]byte, error) {
	r.SHA256 = ""
	text, err := encode(r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	r.SHA256 = hex.EncodeToString(sum[:])
	return encode(r)
}

func encode(r Record) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(r)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// Parse reads a record in its canonical encoding and no other.
func Parse(text []byte) (Record, error) {
	var r Record
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || r.Format != Format && r.Format != EarlierFormat {
		return Record{}, ErrUnreadable
	}
	again, err := r.JSON()
	if err != nil || !bytes.Equal(again, text) {
		return Record{}, ErrUnreadable.With("its encoding or its digest is not its own")
	}
	return r, nil
}

// Recompute draws every panel again, counts its answers and divides the
// reserve, and compares all of it with what the record says. Standing answers
// what the statement says about a member's part of a dossier. Signatures of
// checkpoints and the digest of the statement are the caller's to check.
func (r Record) Recompute(standing func(member, dossier string) (Standing, bool)) error {
	if r.Reserve < 0 {
		return ErrDiffers.With("reserve")
	}
	if r.Format == EarlierFormat && slices.ContainsFunc(r.Cases, func(c Case) bool { return len(c.PassedOver) > 0 }) {
		return ErrDiffers.With("format")
	}
	claims := make([]int64, len(r.Cases))
	for i, c := range r.Cases {
		if i > 0 && r.Cases[i-1].Leaf >= c.Leaf {
			return ErrDiffers.With("cases are not in the order of their leaves")
		}
		s, ok := standing(c.Member, c.Dossier)
		if s.Member, s.Dossier = "", ""; !ok || s != c.Standing {
			return ErrDiffers.With("the standing of a dossier is not the statement's")
		}
		if err := c.recompute(); err != nil {
			return err
		}
		claims[i] = c.Claim
	}
	paid := int64(0)
	for i, award := range Awards(claims, r.Reserve) {
		if r.Cases[i].Award != award {
			return ErrDiffers.With("awards")
		}
		paid += award
	}
	if paid != r.Paid {
		return ErrDiffers.With("paid")
	}
	return nil
}

func (c Case) recompute() error {
	if c.Beyond < 0 || c.Beyond > 500 {
		return ErrDiffers.With("a panel's cap")
	}
	if err := c.recomputeSeats(); err != nil {
		return err
	}
	again := c
	again.Decide()
	if again.Score != c.Score || again.Outcome != c.Outcome || again.Claim != c.Claim {
		return ErrDiffers.With("the outcome of a panel")
	}
	return nil
}

// recomputeSeats holds seats against the draw: the first of the order, without
// a gap, and no more than were needed.
func (c Case) recomputeSeats() error {
	order, err := Draw(c.Checkpoint, c.Leaf, c.Roll)
	if err != nil {
		return ErrDiffers.With(err.Error())
	}
	if slices.ContainsFunc(c.Roll, misnamed) {
		return ErrDiffers.With("a name on a roll")
	}
	if len(c.Seats) > len(order) || c.Excluded < 0 {
		return ErrDiffers.With("more seats than members")
	}
	if !c.told() {
		return ErrDiffers.With("who was left out of a roll")
	}
	scored := 0
	for i, s := range c.Seats {
		switch {
		case s.Name != order[i]:
			return ErrDiffers.With("a seat was not drawn")
		case s.State != Scored && s.State != Stepped && s.State != Silent:
			return ErrDiffers.With("a seat's state")
		case s.State != Scored && len(s.Yes) > 0:
			return ErrDiffers.With("an answer of somebody who gave none")
		case !InOrder(s.Yes, c.Questions):
			return ErrDiffers.With("an answer to what nobody asked")
		}
		if s.State == Scored {
			scored++
		}
	}
	if scored > SeatsFor(len(c.Roll)) || scored == 0 && c.Seats == nil {
		return ErrDiffers.With("seats")
	}
	return nil
}

// told holds those who were left out of a roll against the list of reasons: each
// once, nobody of the roll, one appellant at most, and as many as were counted. A
// record may hold a case that was filed before they were told: it names nobody, and
// the log's digest of its roll names nobody either.
func (c Case) told() bool {
	if len(c.PassedOver) == 0 {
		return true // from before they were told, or nobody was
	}
	for i, p := range c.PassedOver {
		_, rolled := slices.BinarySearch(c.Roll, p.Name)
		if rolled || misnamed(p.Name) || !slices.Contains(Reasons, p.Reason) || i > 0 && c.PassedOver[i-1].Name >= p.Name {
			return false
		}
	}
	return len(c.PassedOver) == c.Excluded && Left(c.PassedOver, Appellant) <= 1
}

// misnamed reports whether a name holds anything but small letters, digits and
// hyphens, of which pseudonyms are made.
func misnamed(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
}

// Left counts who was left out for a reason.
func Left(list []Passed, reason string) (n int) {
	for _, p := range list {
		if p.Reason == reason {
			n++
		}
	}
	return n
}

// InOrder reports whether yes holds some of the questions, each once and in
// their order.
func InOrder(yes, questions []string) bool {
	at := 0
	for _, id := range yes {
		i := slices.Index(questions[at:], id)
		if i < 0 {
			return false
		}
		at += i + 1
	}
	return yes != nil
}

// Decide sets score, outcome and claim from the answers. Without enough of
// them the formula's own amount counts, where the statement pays less.
func (c *Case) Decide() {
	var scores []int64
	for _, s := range c.Seats {
		if s.State == Scored {
			scores = append(scores, ScoreOf(len(s.Yes), len(c.Questions)))
		}
	}
	score, decided := Median(scores)
	if !decided {
		score = Neutral
	}
	c.Score, c.Claim = score, 0
	if !decided || score > c.Standing.Score {
		c.Claim = c.Standing.Claim(score, c.Beyond)
	}
	c.Outcome = Dismissed
	if c.Claim > 0 {
		c.Outcome = Upheld
	}
}

// portion is ⌊c × reserve / sum⌋ without overflow, for c ≤ sum.
func portion(c, reserve, sum int64) int64 {
	hi, lo := bits.Mul64(uint64(c), uint64(reserve)) //nolint:gosec // none is negative
	q, _ := bits.Div64(hi, lo, uint64(sum))          //nolint:gosec // sum is larger than c
	return int64(q)                                  //nolint:gosec // at most reserve
}

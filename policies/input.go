package policies

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// Input is one question: may this dataset be released for this request, given
// these records? Nothing in it is optional; a zero value never permits.
type Input struct {
	Request Request  `json:"request"`
	Dataset Dataset  `json:"dataset"`
	Records []Record `json:"records"` // the member's governing records, none if there is no consent
}

// Request is what a researcher asks.
type Request struct {
	ID            string    `json:"id"`
	Pool          string    `json:"pool"`
	Requester     Requester `json:"requester"`
	DUO           string    `json:"duo"` // "DUO:0000042"
	DPV           string    `json:"dpv"` // "AcademicResearch"
	Commercial    bool      `json:"commercial"`
	PriceMinor    int64     `json:"price_minor"` // for this dataset, in minor units
	RetentionDays int64     `json:"retention_days"`
	Reviewed      bool      `json:"reviewed"` // people have looked at it, where a policy or a condition asks for that
	Study         Study     `json:"study,omitzero"`
	Time          int64     `json:"time"` // Unix milliseconds of the decision
}

// Requester is who asks.
type Requester struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"` // one of coop.RequesterKinds
	Vetted bool   `json:"vetted"`
	Region string `json:"region"` // ISO 3166-1 alpha-2

	Institution string `json:"institution,omitempty"` // as vetted, such as a ROR; "" is not known
}

// Dataset is what is asked for.
type Dataset struct {
	ID         string   `json:"id"`
	Member     string   `json:"member"`
	Pool       string   `json:"pool"`
	Categories []string `json:"categories"`
	Region     string   `json:"region"`
	Sealed     int64    `json:"sealed"` // Unix milliseconds
	Closed     int64    `json:"closed"` // Unix milliseconds; coop.Forever while it is open
}

// Effects of a record.
const (
	Given     = "given"
	Refused   = "refused"
	Withdrawn = "withdrawn"
)

// Record is one governing consent record of the dataset's member.
type Record struct {
	ID             string   `json:"id"`
	Effect         string   `json:"effect"`          // Given, Refused or Withdrawn
	Scope          string   `json:"scope"`           // "pool" or "dataset"
	Purposes       []string `json:"purposes"`        // DUO codes; a refusal without any refuses all
	Except         []string `json:"except"`          // DUO codes refused although Purposes cover them
	DPV            []string `json:"dpv"`             // allowed DPV terms; empty is any that base law permits
	RequesterKinds []string `json:"requester_kinds"` // empty is nobody
	Regions        []string `json:"regions"`         // empty is anywhere
	Commercial     bool     `json:"commercial"`
	MinPriceMinor  int64    `json:"min_price_minor"`
	NotBefore      int64    `json:"not_before"` // Unix milliseconds
	Expires        int64    `json:"expires"`    // Unix milliseconds; coop.Forever for none
	Withdrawn      int64    `json:"withdrawn"`  // Unix milliseconds; coop.Forever for not withdrawn
	Paused         bool     `json:"paused"`

	Limits Limits `json:"limits,omitzero"`
	Answer string `json:"answer,omitempty"` // of the member to this very request: AnswerYes, AnswerNo or "" for none yet
}

// maxExact is the largest integer every JSON reader keeps exactly (RFC 8785).
const maxExact = 1<<53 - 1

var errInput = errors.New("policies: malformed input")

// Canonical returns the input as canonical JSON (RFC 8785): what a decision
// stores, what its digest is of, and what a replay reads.
func (in Input) Canonical() ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return in.canonical(), nil
}

// ParseInput reads what Canonical wrote. It refuses unknown and missing parts,
// trailing text, and values Canonical would have refused.
func ParseInput(text []byte) (Input, error) {
	var in Input
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return Input{}, fmt.Errorf("%w: %w", errInput, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Input{}, fmt.Errorf("%w: text after the end", errInput)
	}
	again, err := in.Canonical()
	if err != nil {
		return Input{}, err
	}
	if !bytes.Equal(again, text) {
		return Input{}, fmt.Errorf("%w: not canonical", errInput)
	}
	return in, nil
}

// Class names everything in the input that can change its answer: inputs of one
// class have one answer under any revision. Ids are left out, for no policy
// reads them, but for the requester's where a record names the only requesters
// it is for; times count only as before, at or after the time of the request
// (a moratorium also the stated publication) and a price floor only as below, at
// or above the price, for the kernel reads them in no other way and no access
// policy reads them at all. It is a SHA-256 in hex, good for comparing within
// one process.
func (in Input) Class() (string, error) {
	if err := in.check(); err != nil {
		return "", err
	}
	now, price, publishes := in.Request.Time, in.Request.PriceMinor, in.Request.Study.PublishFrom
	in.Records = slices.Clone(in.Records)
	if !slices.ContainsFunc(in.Records, func(r Record) bool { return len(r.Limits.Users) > 0 }) {
		in.Request.Requester.ID = ""
	}
	in.Request.ID, in.Request.Time, in.Request.Study.PublishFrom = "", 0, min(publishes, 1)
	in.Dataset.ID, in.Dataset.Member = "", ""
	if in.Dataset.Sealed > 0 {
		in.Dataset.Sealed = 2 + side(in.Dataset.Sealed, now)
	}
	in.Dataset.Closed = side(in.Dataset.Closed, now)
	for i := range in.Records {
		r := &in.Records[i]
		r.ID, r.Scope, r.MinPriceMinor = "", "", side(r.MinPriceMinor, price)
		r.NotBefore, r.Expires, r.Withdrawn = side(r.NotBefore, now), side(r.Expires, now), side(r.Withdrawn, now)
		if from := &r.Limits.PublishFrom; *from > 0 {
			*from = 5 + 3*side(*from, now) + side(*from, publishes)
		}
	}
	sum := sha256.Sum256(in.canonical())
	return hex.EncodeToString(sum[:]), nil
}

// side is -1, 0 or 1 as n is below, at or above the mark.
func side(n, mark int64) int64 { return int64(cmp.Compare(n, mark)) }

// check refuses what JSON would silently change: text that is not UTF-8 and
// integers a reader may round. Effects and limits outside the known ones are a
// fault of ours.
func (in Input) check() error {
	if !in.Request.Study.check() {
		return fmt.Errorf("%w: what the request says about the study", errInput)
	}
	for i := range in.Records {
		r := &in.Records[i]
		if !r.Limits.check() || r.Answer != "" && r.Answer != AnswerYes && r.Answer != AnswerNo {
			return fmt.Errorf("%w: limits of a record", errInput)
		}
		if r.Effect != Given && r.Effect != Refused && r.Effect != Withdrawn {
			return fmt.Errorf("%w: effect of a record", errInput)
		}
		if !exact(r.MinPriceMinor, r.NotBefore, r.Expires, r.Withdrawn, r.Limits.PublishFrom, r.Limits.KeepDays) {
			return fmt.Errorf("%w: a number is out of range", errInput)
		}
		if !plain(r.ID, r.Scope) || !plain(r.Purposes...) || !plain(r.Except...) || !plain(r.DPV...) ||
			!plain(r.RequesterKinds...) || !plain(r.Regions...) || !r.Limits.plain() {
			return fmt.Errorf("%w: text is not UTF-8", errInput)
		}
	}
	q, d := &in.Request, &in.Dataset
	if !exact(q.PriceMinor, q.RetentionDays, q.Time, d.Sealed, d.Closed, q.Study.PublishFrom) {
		return fmt.Errorf("%w: a number is out of range", errInput)
	}
	if !plain(q.ID, q.Pool, q.DUO, q.DPV, q.Requester.ID, q.Requester.Kind, q.Requester.Region, q.Requester.Institution,
		d.ID, d.Member, d.Pool, d.Region) || !plain(d.Categories...) || !plain(q.Study.Kinds...) {
		return fmt.Errorf("%w: text is not UTF-8", errInput)
	}
	return nil
}

// exact reports whether every reader keeps these numbers.
func exact(numbers ...int64) bool {
	for _, n := range numbers {
		if n > maxExact || n < -maxExact {
			return false
		}
	}
	return true
}

// plain reports whether these texts are UTF-8.
func plain(texts ...string) bool {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// Package cohort turns law about one dataset into questions about a table of
// them, so that a nation's datasets are decided at once.
//
// # How
//
// A dataset's governing records are flattened into one Row: plain columns for
// what is one value, and the number of a Part for every list and for the limits,
// of which a co-op has few that differ. Law judges every part once, by the rules
// that judge single datasets; what is left of it (policies.CohortLaw) only
// compares columns. SQL renders that with bound parameters for either database,
// and Columns runs it over columns held in memory.
//
// A cohort that is decided (Answers) leaves a Record, for each dataset the bits
// of its row as SQL wrote them, and the Verdict that each pattern of bits means.
// A Crowd holds the rows of a pool in classes, for many questions at once.
//
// # What it guarantees
//
// A rendered condition holds for a row exactly where the condition does. Values
// are bound and never written into SQL; the only names in it are those of the
// columns listed here. A test compares both forms with the law itself, row by
// row, over random members, requests at the edges of time and mutated policies.
//
// # What it refuses
//
// A node, a field, an operator or a type that it does not know is an error, and
// so is a list that is too long to be bound: nothing is left out in silence. A
// Row is only made of what the table can hold; two records that govern together
// in another way than "an answer, and a later no for the whole pool" are none.
package cohort

import (
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/policies"
)

// Layout numbers the way rows are flattened. Whoever changes Flatten raises it,
// so that rows flattened before are made anew.
const Layout = 1

// ErrRow says that governing records cannot be flattened.
var ErrRow = errors.New("cohort: the governing records make no row")

// Row is what a table keeps of the governing records of one dataset. Of a
// dataset without any it is the zero Row.
type Row struct {
	Effect        string // policies.Given, Refused or Withdrawn; "" for no record
	Paused        bool
	Commercial    bool
	NotBefore     int64
	Expires       int64
	Withdrawn     int64
	MinPriceMinor int64
	Later         string // effect of a later no for the whole pool that governs besides; "" for none

	Purposes, Except, DPV, Kinds, Regions, Limits, LaterPurposes Body // of parts
}

// Body is a part as a table keeps it: canonical JSON, or "" for no part.
type Body string

// Flatten makes the row of the records that govern a dataset, the first of them
// the dataset's own answer or its pool's.
func Flatten(records []policies.Record) (Row, error) {
	if len(records) == 0 {
		return Row{}, nil
	}
	r := records[0]
	row := Row{
		Effect: r.Effect, Paused: r.Paused, Commercial: r.Commercial,
		NotBefore: r.NotBefore, Expires: r.Expires, Withdrawn: r.Withdrawn, MinPriceMinor: r.MinPriceMinor,
		Purposes: list(r.Purposes), Except: list(r.Except), DPV: list(r.DPV),
		Kinds: list(r.RequesterKinds), Regions: list(r.Regions),
	}
	limits, err := json.Marshal(r.Limits)
	if err != nil {
		return Row{}, fmt.Errorf("cohort: limits: %w", err)
	}
	row.Limits = Body(limits)
	if len(records) == 1 {
		return row, nil
	}
	later := records[1]
	no := later.Effect == policies.Refused || later.Effect == policies.Withdrawn
	if len(records) > 2 || !no || later.Paused != r.Paused {
		return Row{}, ErrRow
	}
	row.Later, row.LaterPurposes = later.Effect, list(later.Purposes)
	return row, nil
}

func list(terms []string) Body {
	text, err := json.Marshal(append([]string{}, terms...))
	if err != nil {
		panic("cohort: a list of texts is always JSON: " + err.Error())
	}
	return Body(text)
}

// Part reads a body of a kind back.
func Part(id int64, kind string, body Body) (policies.Part, error) {
	p := policies.Part{ID: id, Kind: kind}
	into := any(&p.List)
	if kind == policies.PartLimits {
		into = &p.Limits
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		return policies.Part{}, fmt.Errorf("cohort: reading a part: %w", err)
	}
	return p, nil
}

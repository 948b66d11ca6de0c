package cohort

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/policies"
)

// Bounds of a filter. Beyond them a cohort is decided dataset by dataset.
const (
	maxParts    = 20_000 // that differ, in all records
	maxKinds    = 64     // lists of categories that law tells apart
	MaxPatterns = 4_096  // of rows, each of which is decided once
)

// ErrFilter says that rows cannot be asked, for another reason than the law or a
// condition.
var ErrFilter = errors.New("the rows of datasets cannot be asked")

// PartCategories is the kind of a stored part that is no part of a record but the
// categories of a dataset.
const PartCategories = "categories"

// Kind is a list of categories and its number; the zero Kind is any.
type Kind struct {
	ID         int64
	Categories []string
}

// Stored is a part as stored.
type Stored struct {
	ID         int64
	Kind, Body string
}

// Read reads stored parts, those of records and the categories of datasets.
func Read(stored []Stored) (parts []policies.Part, kinds []Kind, err error) {
	if len(stored) > maxParts {
		return nil, nil, fmt.Errorf("%w: %d parts", ErrFilter, len(stored))
	}
	for _, p := range stored {
		if p.Kind == PartCategories {
			k := Kind{ID: p.ID}
			if err := json.Unmarshal([]byte(p.Body), &k.Categories); err != nil {
				return nil, nil, fmt.Errorf("cohort: reading categories: %w", err)
			}
			kinds = append(kinds, k)
			continue
		}
		part, err := Part(p.ID, p.Kind, Body(p.Body))
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
	return parts, kinds, nil
}

// Group are the rows that one compiled law is about.
type Group struct {
	Holds       []any // numbers of their categories; nil is any
	Allow, Bits Expression

	law  policies.CohortLaw
	text string // of the law, for telling whether two are the same
}

// Unread is the pattern of a row of another Layout.
const Unread = -1

// Allows reads from a pattern of Bits whether the law allows: its first digit.
// Where the law allows all rows of a group or none, there is no such digit.
func (g Group) Allows(pattern int64) bool {
	switch g.Allow.SQL {
	case Everywhere:
		return true
	case Nowhere:
		return false
	}
	return pattern&1 == 1
}

// Compile makes a filter of a law about a request: one group, or where the law
// tells categories apart one for each list of them about which it says the
// same. The error is policies.ErrSealed, policies.ErrFragment, ErrCondition or
// ErrFilter where that cannot be done.
func Compile(ctx context.Context, law *policies.Revision, asked policies.Request, parts []policies.Part, kinds []Kind) (groups []Group, err error) {
	several, err := law.ReadsCategories(parts)
	switch {
	case err != nil:
		return nil, err
	case !several:
		kinds = []Kind{{}}
	case len(kinds) > maxKinds:
		return nil, fmt.Errorf("%w: %d lists of categories", ErrFilter, len(kinds))
	}
	for _, k := range kinds {
		g, err := compile(ctx, law, asked, parts, k)
		if err != nil {
			return nil, err
		}
		groups = join(groups, g)
	}
	return groups, nil
}

func compile(ctx context.Context, law *policies.Revision, asked policies.Request, parts []policies.Part, k Kind) (Group, error) {
	compiled, err := law.Cohort(ctx, policies.CohortQuestion{Request: asked, Categories: k.Categories, Parts: parts})
	switch {
	case ctx.Err() != nil:
		return Group{}, ctx.Err()
	case err != nil:
		return Group{}, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	g := Group{law: compiled}
	if k.ID != 0 {
		g.Holds = []any{k.ID}
	}
	if g.Allow, err = SQL(compiled.Allow); err != nil {
		return Group{}, err
	}
	if g.Bits, err = Bits(append([]policies.Condition{compiled.Allow}, compiled.Bits...)); err != nil {
		return Group{}, err
	}
	text, err := json.Marshal(compiled)
	g.text = string(text)
	return g, err
}

func join(groups []Group, g Group) []Group {
	for i := range groups {
		if groups[i].text == g.text {
			groups[i].Holds = append(groups[i].Holds, g.Holds...)
			return groups
		}
	}
	return append(groups, g)
}

// Text is a filter as a record keeps it: canonical JSON of the law about the rows
// of each list of categories, in UCAST.
func Text(groups []Group) (string, error) {
	type part struct {
		Holds []any           `json:"holds"` // numbers of lists of categories; null is any
		Law   json.RawMessage `json:"law"`
	}
	out := make([]part, 0, len(groups))
	for _, g := range groups {
		out = append(out, part{g.Holds, json.RawMessage(g.text)})
	}
	text, err := proof.Canonical(out)
	return string(text), err
}

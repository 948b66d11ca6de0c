// Package checklist holds the yes-or-no questions by which contributions are
// weighed: one sheet for each kind of dossier, one for each class of work, and
// one for the parts of the split.
//
// # What it is for
//
// Models and people answer the same questions. A judge of package llm is asked
// them about every dossier of a period; a panel that members are drawn into
// answers them about a contested one, and spot checks compare the two. That
// only means something while both read the same sheet, so there is one.
//
// # What it guarantees
//
// The questions are part of the program and never change while it runs. Their
// order is fixed, and an id belongs to one question of a sheet.
//
// # What it refuses
//
// Nothing is asked about a kind it does not know: such a sheet is empty.
package checklist

import (
	_ "embed"
	"encoding/json"
	"slices"
)

// Statement is a kind of fact that a text may hold. What a text says beyond
// these does not exist for a judge.
type Statement struct{ ID, Means string }

// Question is one line of a sheet. A yes speaks for the dossier.
type Question struct {
	ID    string
	Text  string
	Label string // what a yes found, for a sentence to a member
	Known bool   // whether a made-up dossier's figures settle it
}

// Sheets is everything there is to ask.
type Sheets struct {
	Statements []Statement
	Sheets     map[string][]Question
}

//go:embed checklists.json
var text string

// Text returns the JSON that the questions are read from, as it is digested.
func Text() string { return text }

var all = func() (s Sheets) {
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic(err) // it is part of the program
	}
	return s
}()

// All returns every sheet. Callers only read it.
func All() Sheets { return all }

// work is the kind whose sheets depend on the class.
const work = "work"

// Class is the class of work whose sheet fits: itself, or "other".
func Class(class string) string {
	if _, ok := all.Sheets[work+"-"+class]; ok {
		return class
	}
	return "other"
}

// Name is the sheet of a kind of dossier and, for work, of its class.
func Name(kind, class string) string {
	if kind == work {
		return kind + "-" + Class(class)
	}
	return kind
}

// For returns the questions about a dossier; empty for an unknown kind.
func For(kind, class string) []Question { return slices.Clone(all.Sheets[Name(kind, class)]) }

// IDs are the ids of questions, in their order.
func IDs(questions []Question) []string {
	out := make([]string, len(questions))
	for i, q := range questions {
		out[i] = q.ID
	}
	return out
}

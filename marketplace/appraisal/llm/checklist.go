package llm

import (
	"embed"
	"encoding/json"
	"io/fs"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// questions holds all that is asked beside the evidence: instructions, schemas,
// checklists and the sentences that canaries are made of.
//
//go:embed questions
var questions embed.FS

// Questions is the SHA-256, in hex, of everything that is asked beside the
// evidence. A record can only be replayed by a release that asks the same.
func Questions() string { return questionsDigest }

var questionsDigest = func() string {
	files, err := fs.Glob(questions, "questions/*")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var all strings.Builder
	for _, name := range files {
		all.WriteString(encode([]string{name, asked(name)}))
	}
	return digest([]byte(all.String()))
}()

// asked is the text of a file of questions, which is part of the program.
func asked(name string) string {
	text, err := questions.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}

func parsed[T any](name string) (out T) {
	if err := json.Unmarshal([]byte(asked(name)), &out); err != nil {
		panic(err)
	}
	return out
}

// checklists are all questions for a judge, and all an extractor may find.
//
// Statements are the kinds of fact that the extractor may report from a text:
// what a text says beyond them does not exist for a judge. Sheets are by kind of
// dossier, by class for work, and one is for the parts of the split.
var checklists = parsed[struct {
	Statements []statement
	Sheets     map[string][]question
}]("questions/checklists.json")

// statement is a kind of fact in a text.
type statement struct{ ID, Means string }

// question is one line of a checklist. A yes speaks for the dossier.
type question struct {
	ID    string
	Text  string
	Label string // what a yes found, for a sentence to a member
	Known bool   // whether a canary's figures settle it
}

func questionID(q question) string { return q.ID }

// kindSplit is the checklist by which the parts data, work and governance are
// weighed against each other.
const kindSplit = "split"

// classOf is the class whose checklist fits a kind of work.
func classOf(kind string) string {
	if _, ok := checklists.Sheets[appraisal.KindWork+"-"+kind]; ok {
		return kind
	}
	return "other"
}

// sheetName is the checklist of a kind of dossier; work has one for each class.
func sheetName(kind, class string) string {
	if kind == appraisal.KindWork {
		return kind + "-" + classOf(class)
	}
	return kind
}

// schemaOf is the JSON schema that an endpoint is asked to keep an answer to.
func schemaOf(name string) json.RawMessage {
	return json.RawMessage(asked("questions/" + name + ".schema.json"))
}

var (
	judgeSystem, judgeSchema     = asked("questions/judge.txt"), schemaOf("judge")
	extractSystem, extractSchema = asked("questions/extract.txt"), schemaOf("extract")
	probeSystem, probeSchema     = asked("questions/probe.txt"), schemaOf("probe")
)

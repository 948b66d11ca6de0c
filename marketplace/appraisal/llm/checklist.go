package llm

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal/checklist"
)

// questions holds what is asked beside the evidence and the checklists, which
// people read too: instructions, schemas and the sentences that canaries are
// made of.
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
	const sheets = "questions/checklists.json" // the name it has in records
	files = append(files, sheets)
	slices.Sort(files)
	var all strings.Builder
	for _, name := range files {
		text := strings.TrimSpace(checklist.Text())
		if name != sheets {
			text = asked(name)
		}
		all.WriteString(encode([]string{name, text}))
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
var checklists = checklist.All()

type (
	statement = checklist.Statement
	question  = checklist.Question
)

func questionID(q question) string { return q.ID }

// kindSplit is the checklist by which the parts data, work and governance are
// weighed against each other.
const kindSplit = "split"

func classOf(kind string) string          { return checklist.Class(kind) }
func sheetName(kind, class string) string { return checklist.Name(kind, class) }

// schemaOf is the JSON schema that an endpoint is asked to keep an answer to.
func schemaOf(name string) json.RawMessage {
	return json.RawMessage(asked("questions/" + name + ".schema.json"))
}

var (
	judgeSystem, judgeSchema     = asked("questions/judge.txt"), schemaOf("judge")
	extractSystem, extractSchema = asked("questions/extract.txt"), schemaOf("extract")
	probeSystem, probeSchema     = asked("questions/probe.txt"), schemaOf("probe")
)

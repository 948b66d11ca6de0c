package llm

import (
	"slices"
	"strconv"
)

// mostCited bounds how many ids one answer cites.
const mostCited = 32

// sheetAnswer is what one asking found about one dossier.
type sheetAnswer struct {
	cannotTell bool
	yes        map[string]bool // by question; only what cites evidence that exists
}

// readJudgement reads the answer to a judge's question. Evidence and questions
// are known by id. Every dossier and question must be answered exactly once; a
// yes without evidence, or with any that does not exist, is a no.
func readJudgement(content string, evidence map[string][]string, questions []question) (map[string]sheetAnswer, error) {
	doc, err := decode([]byte(content))
	if err != nil {
		return nil, err
	}
	root, err := exactly(doc, "dossiers")
	if err != nil {
		return nil, err
	}
	list, err := field[[]any](root, "dossiers")
	if err != nil {
		return nil, err
	}
	out := make(map[string]sheetAnswer, len(evidence))
	for _, v := range list {
		dossier, err := exactly(v, "answers", "cannot_tell", "id")
		if err != nil {
			return nil, err
		}
		id, err := field[string](dossier, "id")
		if err != nil {
			return nil, err
		}
		known, ok := evidence[id]
		if _, again := out[id]; !ok || again {
			return nil, unknownID
		}
		if out[id], err = readSheet(dossier, known, questions); err != nil {
			return nil, err
		}
	}
	if len(out) != len(evidence) {
		return nil, missing
	}
	return out, nil
}

func readSheet(dossier map[string]any, known []string, questions []question) (sheetAnswer, error) {
	out := sheetAnswer{yes: make(map[string]bool, len(questions))}
	var err error
	if out.cannotTell, err = field[bool](dossier, "cannot_tell"); err != nil {
		return out, err
	}
	list, err := field[[]any](dossier, "answers")
	if err != nil {
		return out, err
	}
	for _, v := range list {
		answer, err := exactly(v, "evidence", "question", "yes")
		if err != nil {
			return out, err
		}
		id, err := field[string](answer, "question")
		if err != nil {
			return out, err
		}
		asked := slices.ContainsFunc(questions, func(q question) bool { return q.ID == id })
		if _, again := out.yes[id]; !asked || again {
			return out, unknownID
		}
		yes, err := field[bool](answer, "yes")
		if err != nil {
			return out, err
		}
		cited, err := texts(answer, "evidence", mostCited)
		if err != nil {
			return out, err
		}
		out.yes[id] = yes && len(cited) > 0 && !slices.ContainsFunc(cited, func(e string) bool { return !slices.Contains(known, e) })
	}
	if len(out.yes) != len(questions) {
		return out, missing
	}
	return out, nil
}

// extraction is what one asking found in one text.
type extraction struct {
	strength map[string]int64 // by kind of statement, 1 to 3; absent means not found
	steering bool
}

func segmentID(i int) string { return "s" + strconv.Itoa(i+1) }

// readExtraction reads the answer to an extractor's question about a text of n
// segments. Nothing but known kinds, small numbers and segments that exist gets
// through; one that does not exist refuses the whole answer.
func readExtraction(content string, n int) (extraction, error) {
	doc, err := decode([]byte(content))
	if err != nil {
		return extraction{}, err
	}
	root, err := exactly(doc, "observations", "steering")
	if err != nil {
		return extraction{}, err
	}
	out := extraction{strength: map[string]int64{}}
	if out.steering, err = field[bool](root, "steering"); err != nil {
		return extraction{}, err
	}
	list, err := field[[]any](root, "observations")
	if err != nil {
		return extraction{}, err
	}
	for _, v := range list {
		kind, strength, err := readObservation(v, n)
		if err != nil {
			return extraction{}, err
		}
		if _, again := out.strength[kind]; again {
			return extraction{}, unknownID
		}
		out.strength[kind] = strength
	}
	return out, nil
}

func readObservation(v any, n int) (kind string, strength int64, err error) {
	o, err := exactly(v, "evidence", "kind", "strength")
	if err != nil {
		return "", 0, err
	}
	if kind, err = field[string](o, "kind"); err != nil {
		return "", 0, err
	}
	if !slices.ContainsFunc(checklists.Statements, func(s statement) bool { return s.ID == kind }) {
		return "", 0, unknownID
	}
	if strength, err = whole(o, "strength", 1, 3); err != nil {
		return "", 0, err
	}
	cited, err := texts(o, "evidence", max(mostCited, n))
	if err != nil || len(cited) == 0 {
		return "", 0, badShape
	}
	for i, id := range cited {
		if !segmentExists(id, n) || slices.Contains(cited[:i], id) {
			return "", 0, unknownID
		}
	}
	return kind, strength, nil
}

func segmentExists(id string, n int) bool {
	if len(id) < 2 || len(id) > 5 || id[0] != 's' {
		return false
	}
	i, err := strconv.Atoi(id[1:])
	return err == nil && i >= 1 && i <= n && segmentID(i-1) == id
}

// readProbe reads the answer to the schema probe.
func readProbe(content string) (bool, error) {
	doc, err := decode([]byte(content))
	if err != nil {
		return false, err
	}
	root, err := exactly(doc, "ok")
	if err != nil {
		return false, err
	}
	return field[bool](root, "ok")
}

// listsModel reads a list of models and says whether one is among them.
func listsModel(raw []byte, model string) (bool, error) {
	doc, err := decode(raw)
	if err != nil {
		return false, err
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return false, badShape
	}
	list, err := field[[]any](root, "data")
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(v any) bool {
		m, ok := v.(map[string]any)
		return ok && m["id"] == model
	}), nil
}

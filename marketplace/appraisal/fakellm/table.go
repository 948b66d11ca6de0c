package fakellm

import "regexp"

// Table says what is true of texts, by the number that each names as "Entry 17
// of the log". A model that has one does not read such texts: it knows.
type Table map[string]Truth

// Truth is what an attentive reader would find in one text.
type Truth struct {
	Kinds  map[string]int // strength of each kind of statement that the text makes
	Steers bool           // whether it visibly tries to steer whoever assesses it
	Attack string         // the shape of an attack that the text carries, "" for none
	Names  bool           // whether it drops names that impress
}

// entry finds the number of a text. Marks may stand in place of spaces.
var entry = regexp.MustCompile(`Entry[^0-9]{1,3}([0-9]{1,9})`)

// Truth finds the text of an extractor's question in the table.
func (t *Turn) Truth() (key string, truth Truth, ok bool) {
	if t.table == nil {
		return "", Truth{}, false
	}
	for _, s := range t.Prompt.Segments {
		if m := entry.FindStringSubmatch(s.Text); m != nil {
			truth, ok = t.table[m[1]]
			return m[1], truth, ok
		}
	}
	return "", Truth{}, false
}

// found reports the truth about a text of at least one segment, in the order of
// the question.
func (truth Truth) found(p Prompt) []Observation {
	out := []Observation{}
	for _, k := range p.Kinds {
		if strength := truth.Kinds[k.ID]; strength > 0 {
			out = append(out, Observation{Kind: k.ID, Strength: min(strength, 3), Evidence: []string{"s1"}})
		}
	}
	return out
}

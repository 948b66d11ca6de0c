package llm

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// secret is the seed of one period in hex. It decides all that is left to
// chance: markers, names, orders and canaries.
type secret string

// mac is 32 bytes that only the seed and these words give.
func (s secret) mac(words ...string) []byte {
	m := hmac.New(sha256.New, []byte(s))
	for _, w := range words {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(w)))) //nolint:gosec // texts of a few kilobytes
		m.Write([]byte(w))
	}
	return m.Sum(nil)
}

var base32Lower = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// word is n letters and digits that only the seed and these words give.
func (s secret) word(n int, words ...string) string {
	return base32Lower.EncodeToString(s.mac(words...))[:n]
}

// pick is a number from 0 to n-1 that only the seed and these words give.
func (s secret) pick(n int, words ...string) int {
	return int(binary.BigEndian.Uint64(s.mac(words...)) % uint64(n)) //nolint:gosec // n is a small positive number
}

// shuffled orders a list by lot.
func shuffled[T any](s secret, list []T, key func(T) string, words ...string) []T {
	out := slices.Clone(list)
	lot := make(map[string]string, len(list))
	for _, v := range list {
		lot[key(v)] = string(s.mac(append(words, key(v))...))
	}
	slices.SortFunc(out, func(a, b T) int { return strings.Compare(lot[key(a)], lot[key(b)]) })
	return out
}

// inOrder is a list as the first, the second or a third asking puts it.
func inOrder[T any](s secret, list []T, order int, key func(T) string, words ...string) []T {
	switch order {
	case 1:
		return list
	case 2:
		out := slices.Clone(list)
		slices.Reverse(out)
		return out
	}
	return shuffled(s, list, key, append(words, "third")...)
}

// ask is one question to one model. What the endpoint is told beyond it (how to
// enforce the schema, how long an answer may be) are hints.
type ask struct {
	kind   string // "chat" or "models"
	model  string
	name   string // of the schema
	schema json.RawMessage
	seed   int
	system string
	user   string
}

// digest names the question in the record.
func (q ask) digest() string {
	seed := binary.BigEndian.AppendUint64(nil, uint64(q.seed)) //nolint:gosec // never negative
	return hex.EncodeToString(secret("datacoop-judge/ask").mac(q.kind, q.model, q.name, string(q.schema), string(seed), q.system, q.user))
}

// fact is one piece of evidence as a judge sees it.
type fact struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

type judgedPrompt struct {
	Class    string `json:"class"`
	Evidence []fact `json:"evidence"`
	ID       string `json:"id"`
}

type listedPrompt struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// judgePrompt is the whole of what a judge reads, but for the system prompt.
type judgePrompt struct {
	Dossiers  []judgedPrompt `json:"dossiers"`
	Kind      string         `json:"kind"`
	Questions []listedPrompt `json:"questions"`
	Rubric    string         `json:"rubric"`
	Task      string         `json:"task"`
}

// extractPrompt is the whole of what an extractor reads, but for the system
// prompt.
type extractPrompt struct {
	Kinds    []listedPrompt `json:"kinds"`
	Mark     string         `json:"mark"`
	Marker   string         `json:"marker"`
	Segments []listedPrompt `json:"segments"`
	Task     string         `json:"task"`
}

// encode writes a prompt the same way every time.
func encode(prompt any) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(prompt); err != nil {
		panic(err) // plain structs of strings and numbers always encode
	}
	return strings.TrimSpace(buf.String())
}

// digest is a SHA-256 in hex.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// segments cuts a cleaned text where sentences end, into pieces of about 80 to
// 300 bytes, so that evidence can be named.
func segments(text string) []string {
	const least, most = 80, 300
	var out []string
	var now strings.Builder
	for word := range strings.SplitSeq(text, " ") {
		for len(word) > most {
			cut := strings.ToValidUTF8(word[:most], "")
			out, word = append(out, strings.TrimSpace(now.String()+" "+cut)), word[len(cut):]
			now.Reset()
		}
		if now.Len()+len(word) > most {
			out = append(out, now.String())
			now.Reset()
		}
		if now.Len() > 0 {
			now.WriteByte(' ')
		}
		now.WriteString(word)
		if now.Len() >= least && strings.ContainsAny(word[max(0, len(word)-1):], ".!?;") {
			out = append(out, now.String())
			now.Reset()
		}
	}
	if now.Len() > 0 {
		out = append(out, now.String())
	}
	return out
}

var marks = []string{"ˆ", "¦", "¬", "¤", "‡", "¶", "˜", "¸"}

// spotlight marks segments with a marker and a mark that do not occur in them.
func spotlight(s secret, segs []string, salt string) (marker, mark string, out []listedPrompt) {
	all := strings.Join(segs, " ")
	for n := salt; marker == "" || strings.Contains(all, marker); n += "." {
		marker = s.word(12, "marker", n)
	}
	start := s.pick(len(marks), "mark", salt)
	for i := range marks {
		if mark = marks[(start+i)%len(marks)]; !strings.Contains(all, mark) {
			break
		}
	}
	out = make([]listedPrompt, len(segs))
	for i, text := range segs {
		text = strings.ReplaceAll(strings.ReplaceAll(text, mark, " "), " ", mark)
		out[i] = listedPrompt{ID: segmentID(i), Text: marker + mark + text + mark + marker}
	}
	return marker, mark, out
}

// partNames are the parts of the split, in a fixed order.
var partNames = []string{appraisal.KindData, appraisal.KindWork, appraisal.KindGovernance}

// Package approval is what a member at a terminal sees of requests for data
// that they alone hold the key to, and what they choose.
//
// It guarantees that a request is described whole, with its researcher, its
// purpose and the recipient the key would be wrapped to, before it is answered;
// that nothing of what a server sends can move the terminal's cursor or turn
// its text around; and that what fails for one request does not keep the others
// from being answered.
//
// It refuses ids that are not among what waits, and to approve and decline the
// same request. It opens nothing and sends nothing: that is the client's.
package approval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
)

// Choose finds what is to be answered among what waits: the ids to approve, or
// all but those to decline.
func Choose(waiting []client.Approval, ids, no []string, all bool) (approve, decline []client.Approval, err error) {
	find := func(id string) (client.Approval, error) {
		i := slices.IndexFunc(waiting, func(a client.Approval) bool { return a.ID == id })
		if i < 0 {
			return client.Approval{}, fmt.Errorf("nothing with the id %s waits for you; without an id everything is listed", printable(id))
		}
		return waiting[i], nil
	}
	for _, id := range no {
		a, err := find(id)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(ids, id) {
			return nil, nil, errors.New("the same request cannot be approved and declined")
		}
		decline = append(decline, a)
	}
	if all && len(ids) > 0 {
		return nil, nil, errors.New("give --all or ids, not both")
	}
	for _, id := range ids {
		a, err := find(id)
		if err != nil {
			return nil, nil, err
		}
		approve = append(approve, a)
	}
	if all {
		approve = slices.DeleteFunc(slices.Clone(waiting), func(a client.Approval) bool { return slices.Contains(no, a.ID) })
	}
	return approve, decline, nil
}

// Describe says what a request is about, in words.
func Describe(w io.Writer, a client.Approval) {
	fmt.Fprintf(w, "\n%s\n", printable(a.ID))
	for _, row := range [][2]string{
		{"who", printable(a.Researcher) + " (" + kindWords(a.Kind) + ")"},
		{"for", printable(a.Title)},
		{"purpose", printable(a.Purpose)},
		{"data", printable(a.Pool) + ", dataset " + printable(a.Dataset)},
		{"copies", fmt.Sprintf("kept for %d days", a.RetentionDays)},
		{"answer by", a.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")},
		{"recipient", recipientWords(a.Recipient)},
		{"SHA-256", client.Fingerprint(a.Recipient)},
	} {
		fmt.Fprintf(w, "  %-10s %s\n", row[0], row[1])
	}
}

// recipientWords shortens a recipient: a post-quantum one has two thousand
// characters.
func recipientWords(recipient string) string {
	postQuantum, err := client.RecipientKind(recipient)
	if err != nil {
		return "(not an age recipient)"
	}
	const head, tail = 16, 8
	if postQuantum {
		return recipient[:head] + "…" + recipient[len(recipient)-tail:] + " (post-quantum)"
	}
	return recipient + " (classic: what is recorded today could be opened one day)"
}

func kindWords(code string) string {
	for _, k := range coop.RequesterKinds() {
		if k.Code == code {
			return k.Label
		}
	}
	return printable(code)
}

// printable drops what could move a terminal's cursor or turn its text around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// Answers keeps what became of each request: one that fails does not keep the
// others from being answered.
type Answers struct {
	Say   io.Writer
	Total int               // that are going to be answered
	Words func(error) error // puts an error into a sentence

	done []client.ApprovalResult
	bad  int
}

// Note says what became of one request.
func (s *Answers) Note(ctx context.Context, a client.Approval, out client.ApprovalResult, err error) {
	switch {
	case ctx.Err() != nil: // said once, at the end
	case err != nil:
		s.bad++
		fmt.Fprintf(s.Say, "not answered: %s  %v\n", printable(a.ID), s.Words(err))
	default:
		s.done = append(s.done, out)
		fmt.Fprintf(s.Say, "%s: %s  %s, %s (%d of %d)\n", printable(out.State), printable(a.ID), printable(a.Researcher), printable(a.Pool), len(s.done), s.Total)
	}
}

// Given is what was answered, never nil.
func (s *Answers) Given() []client.ApprovalResult {
	return append([]client.ApprovalResult{}, s.done...)
}

// End is an error if not everything was answered.
func (s *Answers) End(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.bad > 0 {
		return fmt.Errorf("%d of %d could not be answered", s.bad, s.Total)
	}
	return nil
}

// Package founding asks the founder of a co-op what it is to be, and writes the
// charter it starts from.
//
// It guarantees that every question says what it wants, that a wrong answer is
// explained and asked for again, and that the charter it writes is the built-in
// one with all its explanations, parses, and says what was answered. It refuses
// to write anything to a disk, and to guess where nobody answers.
package founding

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/authserver"
)

// Answers are what a founder says about a new co-op; empty where they have yet
// to say it.
type Answers struct {
	Name, Contact, Currency, Admission string
	Offices                            []coop.Holder
}

// officeQuestions are put in this order.
var officeQuestions = []struct {
	office coop.Office
	prompt string
	check  func(string) error
}{
	{coop.Vetting, "Who vets researchers?", accountNames},
	{coop.Treasury, "Who keeps the treasury? Money needs two people", treasurers},
	{coop.Appeals, "Who decides appeals?", accountNames},
}

// Complete asks for what has not been said. Offices may be given as texts such
// as vetting=ada; without any, holders are asked for as names of accounts.
func (f *Answers) Complete(q Questions, offices []string) (err error) {
	if f.Name, err = q.Ask(f.Name, "Name of the co-op", "", Something); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if f.Contact, err = q.Ask(f.Contact, "Where members can complain, such as mailto:help@coop.example", "", Something); err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	if f.Currency, err = q.Ask(f.Currency, "Currency", "EUR", func(s string) error {
		if !coop.Currency(s).Valid() {
			return errors.New("a currency is an ISO 4217 code such as EUR")
		}
		return nil
	}); err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	admission := "Who may join? open: anybody; vouched: whom a member invites; invited: whom a steward invites"
	if f.Admission, err = q.Ask(f.Admission, admission, "invited", oneOf("open", "vouched", "invited")); err != nil {
		return fmt.Errorf("admission: %w", err)
	}
	if f.Offices, err = holders(offices); err != nil || len(offices) > 0 {
		return err
	}
	for _, o := range officeQuestions {
		names, err := q.Ask("", o.prompt+" (short account names, with blanks between; empty: nobody yet)", "", o.check)
		if err != nil {
			return fmt.Errorf("office %s: %w", o.office, err)
		}
		for _, name := range strings.Fields(names) {
			f.Offices = append(f.Offices, coop.Holder{Office: o.office, Subject: name})
		}
	}
	return nil
}

// holders reads OFFICE=SUBJECT.
func holders(texts []string) (out []coop.Holder, err error) {
	for _, text := range texts {
		office, subject, ok := strings.Cut(text, "=")
		if !ok || !slices.Contains(coop.Offices(), coop.Office(office)) {
			return nil, errors.New("--office is OFFICE=SUBJECT, such as vetting=ada; offices are vetting, treasury and appeals")
		}
		out = append(out, coop.Holder{Office: coop.Office(office), Subject: subject})
	}
	return out, nil
}

func treasurers(answer string) error {
	if len(strings.Fields(answer)) == 1 {
		return errors.New("one person alone is not enough: money needs two")
	}
	return accountNames(answer)
}

func accountNames(answer string) error {
	for _, name := range strings.Fields(answer) {
		if err := AccountName(name); err != nil {
			return err
		}
	}
	return nil
}

// AccountName refuses what no built-in account can be called.
func AccountName(name string) error {
	if !authserver.ValidSubject(name) {
		return errors.New("an account name is a letter or digit, then up to 63 letters, digits or any of ._@-")
	}
	return nil
}

// Charter writes the answers into the charter that a new co-op starts from. An
// error says which answer does not fit.
func (f Answers) Charter() ([]byte, coop.Charter, error) {
	text := string(governance.DefaultCharter())
	for _, line := range []struct{ key, from, to string }{
		{"name", `name = "A Data Cooperative"`, f.Name}, {"contact", `contact = "mailto:members@coop.example"`, f.Contact},
		{"currency", `currency = "EUR"`, f.Currency}, {"admission", `admission = "invited"`, f.Admission},
	} {
		fresh, err := assignment(line.key, line.to)
		if err != nil {
			return nil, coop.Charter{}, err
		}
		if !strings.Contains(text, "\n"+line.from+"\n") {
			return nil, coop.Charter{}, fmt.Errorf("the built-in charter has no line %s", line.from)
		}
		text = strings.Replace(text, "\n"+line.from+"\n", "\n"+fresh, 1)
	}
	for _, h := range f.Offices {
		office, err1 := assignment("office", string(h.Office))
		subject, err2 := assignment("subject", h.Subject)
		if err := errors.Join(err1, err2); err != nil {
			return nil, coop.Charter{}, err
		}
		text += "\n[[offices]]\n" + office + subject
	}
	charter, err := coop.ParseCharter([]byte(text))
	return []byte(text), charter, err
}

func assignment(key, value string) (string, error) {
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).Encode(map[string]string{key: value}); err != nil {
		return "", fmt.Errorf("charter: %s: %w", key, err)
	}
	return out.String(), nil
}

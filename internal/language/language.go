// Package language keeps what the portal says apart from how its pages are
// built, so that another language is one file.
//
// # What it is for
//
// The templates and the rooms below speak English, and an English sentence is
// its own name in every catalogue, as in gettext. [Messages] lists what a
// template says; [Catalogue.Page] is the template in another language, made once
// before it is parsed; [Catalogue.Say] says what comes from the rooms below while
// a page is rendered: reasons, terms, notes; and it says the API's problems.
//
// The pages' scripts look up what they say by themselves. In another language a
// page loads a script before them, at [Catalogue.Script], which holds their
// messages alone: those of web/islands/src/words.ts, and of the codebook, whose
// reducer they run. English pages load nothing more. What the script of the
// sign-in says stands in its page.
//
// A catalogue is a JSON object:
//
//	{"language": "de", "name": "Deutsch", "messages": {"Nobody gets any of {1}.": "Niemand bekommt etwas von {1}."}}
//
// In a message {1}, {2} … stand for what the page puts there, and <1>…</1> for a
// link or an emphasis. A translation has the same ones, in any order.
//
// # What it guarantees
//
// What a catalogue lacks is said in English. A translation can break no page: it
// has the marks of its message and no markup, quotation mark or action of its own.
//
// # What it refuses
//
// To speak outside the browser: letters, receipts and other documents are English,
// and so is the command line. To search long for what people wrote, such as reports. It cannot tell a title
// that reads exactly like a sentence of ours from one, and says that too.
package language

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Catalogue is what the portal says in one language. The zero pointer is
// English. It is safe for concurrent use.
type Catalogue struct {
	Tag      string // BCP 47, as <html lang> and Accept-Language have it
	Name     string // of the language in itself, for the choice between them
	messages map[string]string
	patterns map[string][]pattern
	script   script
}

// file is a catalogue as it is kept.
type file struct {
	Language string            `json:"language"`
	Name     string            `json:"name"`
	Messages map[string]string `json:"messages"`
}

var (
	marks  = regexp.MustCompile(`\{\d+\}|</?\d+>`)
	unsafe = regexp.MustCompile(`[<>"{}\n\r]`)
)

// Read reads a catalogue and looks at every translation. An error names the
// message at fault.
func Read(data []byte) (*Catalogue, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("language: read the catalogue: %w", err)
	}
	tag, err := language.Parse(f.Language)
	if err != nil || f.Name == "" {
		return nil, errors.New("language: the catalogue names no language")
	}
	for english, said := range f.Messages {
		if err := fits(english, said); err != nil {
			return nil, fmt.Errorf("language: %s: %q: %w", tag, english, err)
		}
	}
	list, err := scripts()
	if err != nil {
		return nil, fmt.Errorf("language: list the messages of the scripts: %w", err)
	}
	c := &Catalogue{Tag: tag.String(), Name: f.Name, messages: f.Messages, patterns: patterns(f.Messages, list.Own...)}
	c.script, err = newScript(c.Tag, f.Messages, slices.Concat(list.Own, list.Shared))
	return c, err
}

// fits reports why a translation cannot stand for its message.
func fits(english, said string) error {
	if strings.TrimSpace(said) == "" {
		return errors.New("nothing is said")
	}
	want, got := marks.FindAllString(english, -1), marks.FindAllString(said, -1)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		return errors.New("its marks are not those of the message")
	}
	if found := unsafe.FindString(marks.ReplaceAllString(said, "")); found != "" {
		return fmt.Errorf("it holds %s", found)
	}
	return nil
}

// Texts lists the messages of a catalogue, in order.
func (c *Catalogue) Texts() []string { return slices.Sorted(maps.Keys(c.messages)) }

// message is one message in the catalogue's language, or the message itself.
func (c *Catalogue) message(english string) string {
	if said, ok := c.messages[english]; ok {
		return said
	}
	return english
}

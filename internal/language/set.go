package language

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"golang.org/x/text/language"
)

// Cookie keeps a visitor's choice. It names a language and nothing else.
const Cookie = "language"

// Set are the languages that a portal speaks, English first. It is safe for
// concurrent use.
type Set struct {
	catalogues []*Catalogue // the first is nil: English
	matcher    language.Matcher
}

//go:embed languages/*.json
var embedded embed.FS

// Spoken are the languages that the program was built with, and those whose
// catalogues lie in more, a folder of a co-op's own; nil is none. An error names
// the file at fault.
func Spoken(more fs.FS) (*Set, error) {
	built, err := fs.Sub(embedded, "languages")
	if err != nil {
		return nil, err
	}
	s := &Set{catalogues: []*Catalogue{nil}}
	if err := errors.Join(s.load(built), s.load(more)); err != nil {
		return nil, err
	}
	tags := []language.Tag{language.English}
	for _, c := range s.catalogues[1:] {
		tags = append(tags, language.MustParse(c.Tag))
	}
	s.matcher = language.NewMatcher(tags)
	return s, nil
}

// load reads every catalogue of a folder but en.json, which lists the messages
// for translators.
func (s *Set) load(files fs.FS) error {
	if files == nil {
		return nil
	}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return err
	}
	for _, name := range slices.DeleteFunc(names, func(name string) bool { return name == "en.json" }) {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		c, err := Read(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.catalogues = append(s.catalogues, c)
	}
	return nil
}

// English is the catalogue that translators start from: every message, said as it
// is.
func English() ([]byte, error) { return embedded.ReadFile("languages/en.json") }

// Of is the catalogue for a visitor: what they chose, or else what their browser
// asks for; nil is English.
func (s *Set) Of(r *http.Request) *Catalogue {
	if len(s.catalogues) == 1 {
		return nil
	}
	chosen := ""
	if cookie, err := r.Cookie(Cookie); err == nil {
		chosen = cookie.Value
	}
	_, at := language.MatchStrings(s.matcher, chosen, r.Header.Get("Accept-Language"))
	return s.catalogues[at]
}

// Chosen is the tag of the catalogue that a visitor names, and "" if there is
// none of that name.
func (s *Set) Chosen(tag string) string {
	for _, c := range s.catalogues {
		if c.TagOf() == tag {
			return tag
		}
	}
	return ""
}

// Choice are all languages if there is a choice between them.
func (s *Set) Choice() []*Catalogue {
	if len(s.catalogues) == 1 {
		return nil
	}
	return s.catalogues
}

// All lists the catalogues, English, which is nil, first.
func (s *Set) All() []*Catalogue { return s.catalogues }

// NameOf is the language's name in itself.
func (c *Catalogue) NameOf() string {
	if c == nil {
		return "English"
	}
	return c.Name
}

// TagOf is the catalogue's language as <html lang> has it.
func (c *Catalogue) TagOf() string {
	if c == nil {
		return "en"
	}
	return c.Tag
}

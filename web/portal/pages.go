package portal

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/language"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/glossary"
	"distributed.ai/datacoop/web/portal/static"
	"distributed.ai/datacoop/web/portal/typed"
	"distributed.ai/datacoop/web/portal/words"
)

//go:embed templates/*.html
var templates embed.FS

// Pages are the templates, in each language, and the files that go with them.
type Pages struct {
	set       map[*language.Catalogue]language.Parsed
	languages *language.Set
	assets    static.Files
}

// Parse reads the embedded templates and files. An error means that the program
// was built wrong.
func Parse(languages *language.Set) (*Pages, error) {
	assets, err := static.Read()
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	p := &Pages{set: map[*language.Catalogue]language.Parsed{}, languages: languages, assets: assets}
	for _, c := range languages.All() {
		if p.set[c], err = c.Parse(files, words.Funcs); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// view is everything a template may speak of.
type view struct {
	Coop     coop.Charter
	Language string
	Others   []*language.Catalogue // that the portal speaks, if it speaks more than one
	Assets   string                // folder of the static files
	Me       governance.Member
	Path     string
	Unread   int // messages
	Paused   bool
	Frozen   marketplace.Incident
	Note     *note
	Trouble  *trouble
	Form     form
	Key      string // makes the page's form count once
	Data     any
	Currency coop.Currency

	said *language.Catalogue
	page *bytes.Buffer // as far as it is rendered
}

// Script is what the page's scripts say, where they do not speak English.
func (v view) Script() string { return v.said.Script() }

// Explained are the co-op's own words on the page so far.
func (v view) Explained() []glossary.Entry {
	switch {
	case v.Path == "/help": // which has them all
		return nil
	case v.said != nil:
		return glossary.Spoken(v.page.String(), v.said.Say)
	}
	return glossary.In(v.page.String())
}

// Invalid marks a field that is at fault and says where the reason stands.
func (v view) Invalid(field string) template.HTMLAttr {
	if v.Trouble == nil || v.Trouble.Field != field {
		return ""
	}
	return `aria-invalid="true" aria-errormessage="trouble"`
}

// form is what was typed before.
type form = typed.Form

// show answers with a page.
func (v *visit) show(page string, data any) error {
	status := http.StatusOK
	if v.trouble != nil {
		status = v.trouble.Status
	}
	return v.write(status, page, data)
}

// write renders into memory first, so that a template that fails answers as a
// fault of ours and not as half a page.
func (v *visit) write(status int, page string, data any) error {
	said := v.portal.pages.languages.Of(v.r)
	parsed, ok := v.portal.pages.set[said][page]
	if !ok {
		return fmt.Errorf("portal: no page %s", page)
	}
	t, err := parsed()
	if err != nil {
		return fmt.Errorf("portal: parse the page %s: %w", page, err)
	}
	var out bytes.Buffer
	err = t.ExecuteTemplate(&out, "frame", view{
		Language: said.TagOf(), Others: v.portal.pages.languages.Choice(),
		Coop: v.portal.Charter, Currency: v.portal.Charter.Currency, Assets: v.portal.pages.assets.Folder,
		Me: v.me, Unread: v.unread(), Path: v.r.URL.Path, Paused: v.paused, Frozen: v.frozen, Note: v.noted(), Trouble: v.trouble,
		Form: form(v.form), Key: newKey(), Data: data, said: said, page: &out,
	})
	if err != nil {
		return fmt.Errorf("portal: %s: %w", page, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Add("Vary", "Accept-Language")
	v.w.WriteHeader(status)
	_, _ = out.WriteTo(v.w) // the only failure is a reader who is gone
	return nil
}

// Trouble answers with a page that says why there is no other. Title and
// detail are sentences for the reader; code is the fault's, without a prefix.
// On an error nothing has been written yet.
func (p *Portal) Trouble(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) error {
	v := &visit{w: w, r: r, portal: p}
	// Who visits only decides about the menu; the page must come without it too.
	if err := v.know(); err != nil {
		v.me = governance.Member{}
	}
	t := &trouble{Status: status, Code: code, Text: title}
	if detail != "" {
		t.Detail = []string{detail}
	}
	v.trouble = t
	back := "/login"
	if r.Method == http.MethodGet {
		back = signIn(r.URL)
	}
	return v.write(status, "trouble", back)
}

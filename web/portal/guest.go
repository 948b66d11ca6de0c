package portal

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/web/stepup"
)

// Guest is a visit to a page that another annex of the hall answers, in the
// frame of this package and by its rules.
type Guest struct{ *visit }

// Page is such a page. Door is "" for anybody, "member", or an office.
type Page struct {
	Method, Path, Door string
	Handle             func(Guest) error
}

// Context is the visit's.
func (g Guest) Context() context.Context { return g.ctx() }

// Action is the context of what a form asks for: sent twice, it has one effect.
func (g Guest) Action() context.Context { return g.action() }

// Writer takes an answer that is no page.
func (g Guest) Writer() http.ResponseWriter { return g.w }

// Request is what the browser sent.
func (g Guest) Request() *http.Request { return g.r }

// Me is who visits; the zero member is nobody who is signed in.
func (g Guest) Me() governance.Member { return g.me }

// Typed is what stands in a field of the form, without the space around it.
func (g Guest) Typed(field string) string { return g.text(field) }

// Values are the values of a field that can have several.
func (g Guest) Values(field string) []string { return g.form[field] }

// Show answers with a page of this package's templates.
func (g Guest) Show(page string, data any) error { return g.show(page, data) }

// Again shows a form once more with the reason, if that can be mended.
func (g Guest) Again(err error, show func(Guest) error) error {
	return g.again(err, func(*visit) error { return show(g) })
}

// Done sends the browser to the page that says what was done.
func (g Guest) Done(path, title, text string) error {
	return g.done(path, note{Title: title, Text: text})
}

// Download answers with a file.
func (g Guest) Download(kind, name string, content []byte) error {
	return g.download(kind, name, content)
}

func (p *Portal) guests() (out []route) {
	for _, page := range p.Pages {
		out = append(out, route{page.Method, page.Path, door(page.Door), func(v *visit) error { return page.Handle(Guest{v}) }})
	}
	return out
}

// proven reports whether a form needs no proof of who sends it, or has one. If
// not, the way to give one has been answered, and what was typed waits.
func (p *Portal) proven(v *visit, r route) (bool, error) {
	class := stepup.Pages[r.method+" "+r.path]
	if class == "" || p.Hall.Proven(v.ctx(), class) {
		return true, nil
	}
	return false, p.Hall.Prove(v.w, v.r, class, v.form)
}

// Visit lets the hall show one page to whoever comes.
func (p *Portal) Visit(w http.ResponseWriter, r *http.Request, show func(Guest) error) error {
	v, err := p.enter(w, r, anybody)
	if err != nil {
		return err
	}
	return show(Guest{v})
}

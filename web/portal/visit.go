package portal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/consenting"
)

// visit is one request for a page: who comes, what they sent and what has to
// be said to them.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	portal  *Portal
	me      governance.Member // the zero member if nobody is signed in
	paused  bool
	frozen  marketplace.Incident // stands if stewards have stopped all deliveries
	form    url.Values           // what was typed; empty on a GET
	trouble *trouble             // why a form is shown again
}

func (v *visit) ctx() context.Context { return v.r.Context() }

func (v *visit) id() string { return v.r.PathValue("id") }

// unread counts a member's messages that are new. A page comes without it too.
func (v *visit) unread() int {
	if v.me.ID == "" {
		return 0
	}
	n, err := v.portal.Hall.Unread(v.ctx(), v.me)
	if err != nil {
		return 0
	}
	return n
}

// signIn is the way to the sign-in and back to where somebody wanted to go.
func signIn(u *url.URL) string { return "/login?return=" + url.QueryEscape(u.RequestURI()) }

// The most bytes of a form, and of one with a bank statement in it.
const (
	maxForm   = 512 << 10
	maxUpload = 12 << 20
)

// read takes the form in. A bank statement is the one large thing there is.
func (v *visit) read() error {
	limit := int64(maxForm)
	if strings.HasPrefix(v.r.URL.Path, "/steward/treasury") {
		limit = maxUpload
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit)
	err := v.r.ParseForm()
	if err == nil {
		err = v.r.ParseMultipartForm(limit) //nolint:gosec // the body is bounded before
	}
	if errors.Is(err, http.ErrNotMultipart) {
		err = nil
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errFormLarge
	case err != nil:
		return errForm
	}
	v.form = v.r.PostForm
	return nil
}

// text is what was typed into a field, with the line breaks of a text file:
// browsers send CRLF.
func (v *visit) text(field string) string {
	return strings.TrimSpace(strings.ReplaceAll(v.form.Get(field), "\r\n", "\n"))
}

// file opens an uploaded file; nil if none was chosen.
func (v *visit) file(field string) (multipart.File, error) {
	f, head, err := v.r.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, errForm
	}
	if head.Size == 0 {
		return nil, errors.Join(f.Close())
	}
	return f, nil
}

// uploaded is the text of an uploaded file; empty if none was chosen.
func (v *visit) uploaded(field string) (string, error) {
	f, err := v.file(field)
	if err != nil || f == nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return "", errForm
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}

// keyField names the hidden field that makes a form sent twice count once.
const keyField = "key"

// action is the context of an effect: the same form, sent again with the same
// content, is answered by what it did the first time.
func (v *visit) action() context.Context {
	nonce := v.form.Get(keyField)
	if len(nonce) < 20 || len(nonce) > 40 {
		return v.ctx()
	}
	sum := sha256.Sum256([]byte(v.r.URL.Path + "\x00" + v.form.Encode()))
	return once.With(v.ctx(), once.Key{Caller: string(v.me.ID) + "/portal", Key: nonce + hex.EncodeToString(sum[:8]), Body: sum})
}

func newKey() string { return rand.Text() }

// note is what the next page says first: that something was done, with a
// reference where there is one.
type note struct {
	Title string   `json:"title"`
	Text  string   `json:"text,omitempty"`
	Ref   string   `json:"ref,omitempty"`
	Items []string `json:"items,omitempty"`
}

// done sends the browser to the page that says what was done.
func (v *visit) done(path string, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	v.portal.Hall.Put(v.ctx(), string(text))
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// noted is the note that was kept for this page; nil if there is none.
func (v *visit) noted() *note {
	if v.me.ID == "" {
		return nil
	}
	text := v.portal.Hall.Take(v.ctx())
	var n note
	if text == "" || json.Unmarshal([]byte(text), &n) != nil {
		return nil
	}
	return &n
}

// trouble is why a form is shown again, or why there is no page.
type trouble struct {
	Status int
	Code   string
	Text   string
	Detail []string
	Field  string // of the form, if one is at fault
}

// again shows a form once more with the reason and with everything that was
// typed. What the visitor cannot mend is passed on.
func (v *visit) again(err error, show func(*visit) error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	switch f.Kind {
	case fault.Invalid, fault.Conflict, fault.Forbidden, fault.TooLarge:
		v.trouble = &trouble{Status: v.portal.Hall.Status(f), Code: f.Code, Text: f.Message, Detail: f.Detail, Field: fields[f.Code]}
		return show(v)
	default:
		return err
	}
}

// fields says which field of its form a fault is about.
var fields = map[string]string{
	"proposal-title": "title", "proposal-text": "text", "policy-size": "policy", "policy-refused": "policy", "already-law": "policy",
	"work-kind": "kind", "work-title": "title", "work-evidence": "evidence", "work-text": "text",
	"size-invalid": "size", "note-invalid": "note", "choice-invalid": "choice",
	"bad-iban": "iban", "bad-holder": "holder", "appeal-empty": "text", "bad-researcher": "name",
	"bad-bank-statement": "statement", "bad-amount": "statement", errNoFile.Code: "statement",
	"gift-too-large": "amount", errGift.Code: "amount",
	errSure.Code: "sure", consenting.ErrPrice.Code: "price", consenting.ErrDays.Code: "days", errLabel.Code: "label", errHours.Code: "hours",
	"bereavement-nobody": "account", "bereavement-self": "account", "bereavement-evidence": "evidence",
	"freeze-reason": "reason", errVerdict.Code: "accept", consenting.ErrPreset.Code: "preset", errFound.Code: "reason", errFinding.Code: "finding", "split-sum": "division", "split-bounds": "division", "split-figure": "division",
}

// money is an amount in the co-op's currency.
func (p *Portal) amount(m coop.Money) string { return m.Format(p.Charter.Currency) }

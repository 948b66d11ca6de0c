package portal

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/fault"
)

// Limits of a token, as in the API.
const (
	maxLabel = 60
	maxHours = 720
)

var (
	errLabel = fault.New(fault.Invalid, "token-label", "Say in at most 60 characters what the token is for.")
	errHours = fault.New(fault.Invalid, "token-hours", "Choose how long the token is good for: at most 30 days.")
)

// choice is an option of a list.
type choice struct{ Value, Label string }

func (p *Portal) tokens(v *visit) error {
	list, err := p.Hall.Tokens(v.ctx())
	if err != nil {
		return err
	}
	return v.show("tokens", struct {
		Tokens []Token
		Hours  []choice
	}{list, []choice{{"1", "One hour"}, {"24", "One day"}, {"168", "One week"}, {"720", "30 days"}}})
}

// makeToken shows a new token in this answer and nowhere else.
func (p *Portal) makeToken(v *visit) error {
	label := v.text("label")
	if n := utf8.RuneCountInString(label); n < 1 || n > maxLabel {
		return v.again(errLabel, p.tokens)
	}
	hours, err := strconv.Atoi(v.form.Get("hours"))
	if err != nil || hours < 1 || hours > maxHours {
		return v.again(errHours, p.tokens)
	}
	t, err := p.Hall.MakeToken(v.ctx(), label, v.form.Get("scope"), hours)
	if err != nil {
		return v.again(err, p.tokens)
	}
	return v.show("token", struct {
		Token   Token
		BaseURL string
	}{t, p.BaseURL})
}

func (p *Portal) dropToken(v *visit) error {
	if err := p.Hall.DropToken(v.ctx(), v.id()); err != nil {
		return err
	}
	return v.done("/tokens", note{Title: "The token is revoked", Text: "Whatever used it can no longer act for you."})
}

// signOut ends the member's sessions in every browser.
func (p *Portal) signOut(v *visit) error {
	if err := p.Hall.EndSessions(v.ctx()); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, "/", http.StatusSeeOther)
	return nil
}

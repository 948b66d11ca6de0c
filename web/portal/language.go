package portal

import (
	"net/http"

	"distributed.ai/datacoop/internal/language"
)

// remembered is how long a browser keeps the language that was chosen, in seconds.
const remembered = 365 * 24 * 60 * 60

// speak keeps the language that a visitor chose. It is no secret, and a word
// that names no language of the portal leaves things as they are.
func (p *Portal) speak(v *visit) error {
	http.SetCookie(v.w, &http.Cookie{
		Name: language.Cookie, Value: p.pages.languages.Chosen(v.form.Get("language")), Path: "/", MaxAge: remembered,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(v.w, v.r, "/", http.StatusSeeOther)
	return nil
}

// messages answers what the scripts say in another language.
func (p *Portal) messages(v *visit) error {
	if !p.pages.languages.ServeScript(v.w, v.r) {
		return errNotHere // of an older or a newer catalogue
	}
	return nil
}

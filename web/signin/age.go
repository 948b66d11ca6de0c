package signin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// keyJoin is where somebody waits in a session who has yet to say how old they
// are.
const keyJoin = "login-join"

// newcomer is somebody whom an issuer has proved, on the way in.
type newcomer struct {
	Issuer     string `json:"issuer"`
	Subject    string `json:"subject"`
	Name       string `json:"name"`
	Invitation string `json:"invitation"`
	Back       string `json:"back"`
}

// asksAge reports whether somebody has to say how old they are: who is not a
// member yet, where the charter asks. The co-op's own issuer asks by itself.
func (d *Desk) asksAge(ctx context.Context, i *issuer, who newcomer) (bool, error) {
	if d.AdultAge == 0 || i.Issuer == d.Base {
		return false, nil
	}
	err := d.DB.View(ctx, func(tx *db.Tx) error {
		_, err := d.known(tx, who.Issuer, who.Subject)
		return err
	})
	if errors.Is(err, governance.ErrMemberNotFound) {
		return true, nil
	}
	return false, err
}

// askAge keeps who waits in the session and leads to the question.
func (d *Desk) askAge(c echo.Context, who newcomer) error {
	text, err := json.Marshal(who)
	if err != nil {
		return err
	}
	d.Sessions.Put(c.Request().Context(), keyJoin, string(text))
	return c.Redirect(http.StatusSeeOther, "/join/age")
}

// Waits reports whether somebody in the session of ctx has been asked.
func (d *Desk) Waits(ctx context.Context) bool { return d.Sessions.Exists(ctx, keyJoin) }

// Join takes the answer: who is old enough comes in. It is not kept, and who is
// too young leaves nothing here.
func (d *Desk) Join(c echo.Context) error {
	ctx := c.Request().Context()
	var who newcomer
	if err := json.Unmarshal([]byte(d.Sessions.PopString(ctx, keyJoin)), &who); err != nil {
		return errLoginState
	}
	if c.FormValue("adult") != "yes" {
		return fault.New(fault.Forbidden, "too-young", d.Younger)
	}
	return d.enter(c, who)
}

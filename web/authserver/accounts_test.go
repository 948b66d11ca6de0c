package authserver

import (
	"context"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/descope/virtualwebauthn"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

// builtIn switches accounts with passkeys on; nobody is admitted.
func builtIn(c *Config) {
	c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1)
	c.BuiltIn, c.Name, c.SignIn = true, "Script <Co-op>", c.Issuer+"/login"
	c.Admission = Admission{
		Check: func(context.Context, string) error { return errNotInvited },
		Admit: func(*db.Tx, string, string, string) error { return errNotInvited },
	}
}

var errNotInvited = fault.New(fault.Forbidden, "not-invited", "Only who is invited may join.")

// club is a co-op with built-in accounts and no demo. It admits who brings one
// of its codes, once, and keeps its members in the same database.
type club struct{ *rig }

const clubTables = `CREATE TABLE club_codes (code TEXT PRIMARY KEY, used BIGINT);
CREATE TABLE club_members (subject TEXT PRIMARY KEY, name TEXT)`

func newClub(t *testing.T) club {
	t.Helper()
	c := club{newRig(t, builtIn, func(c *Config) {
		c.Demo, c.Accounts = false, nil
		c.Admission = Admission{
			Check: func(ctx context.Context, code string) error {
				return c.DB.View(ctx, func(tx *db.Tx) error { return clubCode(tx, code) })
			},
			Admit: func(tx *db.Tx, subject, name, code string) error { return clubAdmit(tx, subject, name, code) },
		}
	})}
	c.base = c.config.Issuer
	c.sql(clubTables)
	for _, code := range []string{"one", "two", "three"} {
		c.sql("INSERT INTO club_codes VALUES (?, 0)", code)
	}
	return c
}

func clubCode(tx *db.Tx, code string) error {
	var used int
	if tx.QueryRow("SELECT used FROM club_codes WHERE code = ?", code).Scan(&used) != nil {
		return errNotInvited
	}
	if used != 0 {
		return errInvitationUsed
	}
	return nil
}

func clubAdmit(tx *db.Tx, subject, name, code string) error {
	if strings.HasPrefix(subject, "steward-") {
		code = "steward"
	} else if err := clubCode(tx, code); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE club_codes SET used = 1 WHERE code = ?", code); err != nil {
		return err
	}
	return tx.ExecOne("INSERT INTO club_members VALUES (?, ?)", subject, name)
}

func (g *rig) sql(query string, args ...any) {
	g.t.Helper()
	err := g.db.Update(g.t.Context(), func(tx *db.Tx) error {
		for statement := range strings.SplitSeq(query, ";\n") {
			if _, err := tx.Exec(statement, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) text(query string, args ...any) (s string) {
	g.t.Helper()
	if err := g.db.View(g.t.Context(), func(tx *db.Tx) error { return tx.QueryRow(query, args...).Scan(&s) }); err != nil {
		g.t.Fatal(err)
	}
	return s
}

// device is a phone or a key: one browser with one authenticator.
type device struct {
	*login
	*testkit.Passkey
}

func (c club) device() *device { return &device{c.startLogin(), testkit.NewPasskey(c.t, c.base)} }

var dataOptions = regexp.MustCompile(`data-options="([^"]*)"`)

// at reads the form of a page that is sent to path: its options and what is
// hidden in it.
func (a answer) at(t *testing.T, path string) (options string, form url.Values) {
	t.Helper()
	_, part, found := strings.Cut(a.text, `<form method="post" action="`+path+`"`)
	part, _, _ = strings.Cut(part, "</form>")
	sealed := formField.FindStringSubmatch(part)
	if !found || sealed == nil {
		t.Fatalf("no form for %s in %d %s", path, a.StatusCode, a.text)
	}
	if m := dataOptions.FindStringSubmatch(part); m != nil {
		options = html.UnescapeString(m[1])
	}
	return options, url.Values{"form": {html.UnescapeString(sealed[1])}}
}

func (d *device) create(options string) string { return d.Make(d.g.t, options) }
func (d *device) get(options string) string    { return d.Use(d.g.t, options) }

func (d *device) open(path string) answer { return d.browse(http.MethodGet, path, nil, nil) }

func (d *device) send(path string, form url.Values) answer {
	return d.browse(http.MethodPost, path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {d.g.base}})
}

func invitation(code string) string { return PathJoin + "?invitation=" + url.QueryEscape(code) }

// join accepts an invitation and answers the page that follows.
func (d *device) join(code, name string) answer {
	d.g.t.Helper()
	options, form := d.open(invitation(code)).at(d.g.t, PathJoin)
	form.Set("name", name)
	form.Set("credential", d.create(options))
	return d.send(PathJoin, form)
}

var shownCode = regexp.MustCompile(`<code id="recovery-code">([A-Z2-7-]{29})</code>`)

// recovery is the code a page shows.
func (a answer) recovery(t *testing.T) string {
	t.Helper()
	m := shownCode.FindStringSubmatch(a.text)
	if a.StatusCode != http.StatusOK || m == nil {
		t.Fatalf("no recovery code in %d %s", a.StatusCode, a.text)
	}
	return m[1]
}

// forget makes the browser a new one, as tomorrow or on another device.
func (d *device) forget() {
	d.g.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.g.t.Fatal(err)
	}
	d.browser.Jar = jar
}

// signIn answers the login page with the passkey.
func (d *device) signIn() answer {
	d.g.t.Helper()
	options, form := d.authorize().at(d.g.t, pathLogin)
	form.Set("credential", d.get(options))
	return d.send(pathLogin, form)
}

// refused checks that a page says no and why.
func (a answer) refused(t *testing.T, status int, sentence string) {
	t.Helper()
	if a.StatusCode != status || !strings.Contains(html.UnescapeString(a.text), sentence) || a.Header.Get("Location") != "" {
		t.Fatalf("got %d, want %d and %q: %s", a.StatusCode, status, sentence, a.text)
	}
}

func TestInvitationBecomesAnAccountThatLogsIn(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "  Eva   Member ").recovery(t)
	subject := c.text("SELECT subject FROM club_members WHERE name = 'Eva Member'")
	if code := d.authorize().returned(t).Get("code"); code == "" {
		t.Fatal("the browser that joined is asked again")
	}
	d.authorize().at(t, pathLogin) // but only once
	d.forget()
	token, err := d.exchange(d.signIn().returned(t).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oidc.NewProvider(t.Context(), c.base)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: "portal"}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Name string
		AMR  []string
	}
	if err := id.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if id.Subject != subject || claims.Name != "Eva Member" || fmt.Sprint(claims.AMR) != "[pop user]" {
		t.Errorf("subject %q, name %q, methods %v", id.Subject, claims.Name, claims.AMR)
	}
}

func TestPromptForALoginIsHeeded(t *testing.T) {
	d := newClub(t).device()
	d.join("one", "Eva").recovery(t)
	d.values.Set("prompt", "login")
	d.authorize().at(t, pathLogin)
}

func TestTicketIsForOneBrowser(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	c.device().authorize().at(t, pathLogin)
	c.sql("UPDATE authserver_tickets SET expires_at = 0")
	d.authorize().at(t, pathLogin)
}

func TestInvitationsThatLeadNowhere(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	for code, sentence := range map[string]string{
		"one": "used already", "": "Only who is invited", "tampered": "Only who is invited",
		strings.Repeat("x", 4000): "Only who is invited", "' OR 1=1 --": "Only who is invited",
	} {
		c.device().open(invitation(code)).refused(t, http.StatusForbidden, sentence)
	}
}

func TestInvitationRacedForIsUsedOnce(t *testing.T) {
	c := newClub(t)
	first, second := c.device(), c.device()
	options, form := second.open(invitation("one")).at(t, PathJoin)
	first.join("one", "Eva").recovery(t)
	form.Set("name", "Mallory")
	form.Set("credential", second.create(options))
	second.send(PathJoin, form).refused(t, http.StatusForbidden, "used already")
	if n := c.count("SELECT COUNT(*) FROM authserver_accounts"); n != 1 {
		t.Fatalf("%d accounts", n)
	}
	if n := c.count("SELECT COUNT(*) FROM authserver_credentials"); n != 1 {
		t.Fatalf("%d passkeys", n)
	}
	second.signIn().refused(t, http.StatusForbidden, "opens no account here")
	second.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)
	second.join("two", "Mallory").recovery(t) // a better invitation helps
}

func TestAnswersToAnInvitationThatAreNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *device, options string, form url.Values)
		status int
		says   string
	}{
		"without JavaScript": {func(_ *device, _ string, f url.Values) { f.Set("credential", "") }, 400, "need JavaScript"},
		"without a field":    {func(_ *device, _ string, f url.Values) { f.Del("credential") }, 400, "need JavaScript"},
		"garbage":            {func(_ *device, _ string, f url.Values) { f.Set("credential", "{") }, 403, "not accepted"},
		"no name":            {func(_ *device, _ string, f url.Values) { f.Set("name", " \t ") }, 400, "give a name"},
		"long name":          {func(_ *device, _ string, f url.Values) { f.Set("name", strings.Repeat("ä", 81)) }, 400, "give a name"},
		"name with controls": {func(_ *device, _ string, f url.Values) { f.Set("name", "a\x00b") }, 400, "give a name"},
		"not UTF-8":          {func(_ *device, _ string, f url.Values) { f.Set("name", "a\xff") }, 400, "give a name"},
		"other origin": {func(d *device, o string, f url.Values) {
			d.Party.Origin = "http://evil.example"
			f.Set("credential", d.create(o))
		}, 403, "not accepted"},
		"other port": {func(d *device, o string, f url.Values) {
			d.Party.Origin = "http://localhost:1"
			f.Set("credential", d.create(o))
		}, 403, "not accepted"},
		"other relying party": {func(d *device, o string, f url.Values) {
			d.Party.ID = "evil.example"
			f.Set("credential", d.create(o))
		}, 403, "not accepted"},
		"holder not verified": {func(d *device, o string, f url.Values) {
			d.Device.Options.UserNotVerified = true
			f.Set("credential", d.create(o))
		}, 403, "not accepted"},
		"holder not present": {func(d *device, o string, f url.Values) {
			d.Device.Options.UserNotPresent = true
			f.Set("credential", d.create(o))
		}, 403, "not accepted"},
		"challenge of another page": {func(d *device, _ string, f url.Values) {
			other, _ := d.open(invitation("one")).at(d.g.t, PathJoin)
			f.Set("credential", d.create(other))
		}, 403, "not accepted"},
		"an assertion instead": {func(d *device, o string, f url.Values) { f.Set("credential", d.get(o)) }, 403, "not accepted"},
		"form of another endpoint": {func(d *device, _ string, f url.Values) {
			_, other := d.open(pathRecover).at(d.g.t, pathRecover)
			f.Set("form", other.Get("form"))
		}, 400, "no longer valid"},
		"form of another browser": {func(d *device, _ string, _ url.Values) { d.forget() }, 400, "no longer valid"},
	} {
		t.Run(name, func(t *testing.T) {
			club := newClub(t)
			d := club.device()
			options, form := d.open(invitation("one")).at(t, PathJoin)
			form.Set("name", "Eva")
			form.Set("credential", d.create(options))
			c.change(d, options, form)
			d.send(PathJoin, form).refused(t, c.status, c.says)
			if club.count("SELECT COUNT(*) FROM authserver_accounts")+club.count("SELECT COUNT(*) FROM club_members") != 0 {
				t.Fatal("an account was made")
			}
			club.device().join("one", "Eva").recovery(t) // the invitation is still good
		})
	}
}

func TestRefusedJoinCanBeRepeatedOnThePageThatRefused(t *testing.T) {
	c := newClub(t)
	d := c.device()
	_, form := d.open(invitation("one")).at(t, PathJoin)
	form.Set("name", "Eva <b>")
	options, form := d.send(PathJoin, form).at(t, PathJoin)
	form.Set("name", "Eva")
	form.Set("credential", d.create(options))
	d.send(PathJoin, form).recovery(t)
}

func TestJoinIsNotTakenTwice(t *testing.T) {
	c := newClub(t)
	d := c.device()
	options, form := d.open(invitation("one")).at(t, PathJoin)
	form.Set("name", "Eva")
	form.Set("credential", d.create(options))
	d.send(PathJoin, form).recovery(t)
	d.send(PathJoin, form).refused(t, http.StatusConflict, "not taken twice")
	if n := c.count("SELECT COUNT(*) FROM club_members"); n != 1 {
		t.Fatalf("%d members", n)
	}
}

func TestPasskeyOfSomebodyElseIsNotRegisteredAgain(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	d.join("two", "Eva again").refused(t, http.StatusConflict, "in use already")
	if n := c.count("SELECT COUNT(*) FROM club_codes WHERE used = 1"); n != 1 {
		t.Fatalf("%d codes were used", n)
	}
}

func TestLoginsThatAreNotTaken(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.Key.Counter = 5
	d.join("one", "Eva").recovery(t)
	d.forget()
	handle := d.Device.Options.UserHandle
	for name, try := range map[string]struct {
		change func(d *device, options string, form url.Values)
		says   string
	}{
		"without JavaScript":  {func(_ *device, _ string, f url.Values) { f.Set("credential", "") }, "need JavaScript"},
		"garbage":             {func(_ *device, _ string, f url.Values) { f.Set("credential", "[]") }, "not accepted"},
		"other origin":        {func(d *device, _ string, _ url.Values) { d.Party.Origin = "https://localhost" }, "not accepted"},
		"other relying party": {func(d *device, _ string, _ url.Values) { d.Party.ID = "coop.example" }, "not accepted"},
		"holder not verified": {func(d *device, _ string, _ url.Values) { d.Device.Options.UserNotVerified = true }, "not accepted"},
		"other key": {func(d *device, _ string, _ url.Values) {
			d.Key.Key = testkit.NewKey().Key
		}, "not accepted"},
		"unknown passkey":     {func(d *device, _ string, _ url.Values) { d.Key.ID = []byte("somebody else's credential") }, "opens no account"},
		"unknown account":     {func(d *device, _ string, _ url.Values) { d.Device.Options.UserHandle = make([]byte, 32) }, "opens no account"},
		"no account":          {func(d *device, _ string, _ url.Values) { d.Device.Options.UserHandle = nil }, "not accepted"},
		"counter went back":   {func(d *device, _ string, _ url.Values) { d.Key.Counter = 4 }, "looks like a copy"},
		"counter stood still": {func(d *device, _ string, _ url.Values) { d.Key.Counter = 5 }, "looks like a copy"},
		"counter was reset":   {func(d *device, _ string, _ url.Values) { d.Key.Counter = 0 }, "looks like a copy"},
	} {
		t.Run(name, func(t *testing.T) {
			bent := *d.Passkey
			g := device{d.login, &bent}
			g.Device.Options.UserHandle, g.Key.Counter = handle, 6
			options, form := g.authorize().at(t, pathLogin)
			try.change(&g, options, form)
			if !form.Has("credential") {
				form.Set("credential", g.get(options))
			}
			status := http.StatusForbidden
			if form.Get("credential") == "" {
				status = http.StatusBadRequest
			}
			g.send(pathLogin, form).refused(t, status, try.says)
		})
	}
	d.Key.Counter = 6
	if d.signIn().returned(t).Get("code") == "" {
		t.Fatal("no code")
	}
}

func TestPasswordOpensNoBuiltInAccount(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	d.forget()
	_, form := d.authorize().at(t, pathLogin)
	form.Set("account", c.text("SELECT subject FROM authserver_accounts"))
	form.Set("password", "")
	d.send(pathLogin, form).refused(t, http.StatusBadRequest, "need JavaScript")
}

func TestSignedChallengeIsGoodOnce(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	d.forget()
	options, form := d.authorize().at(t, pathLogin)
	form.Set("credential", d.get(options))
	if d.send(pathLogin, form).returned(t).Get("code") == "" {
		t.Fatal("no code")
	}
	d.send(pathLogin, form).refused(t, http.StatusConflict, "not taken twice")
	c.restart()
	d.send(pathLogin, form).refused(t, http.StatusConflict, "not taken twice")
	form.Set("form", func() string { _, f := d.authorize().at(t, pathLogin); return f.Get("form") }())
	d.send(pathLogin, form).refused(t, http.StatusForbidden, "not accepted")
}

func TestPasskeysThatFailAreLimitedPerAddress(t *testing.T) {
	c := newClub(t)
	d := c.device()
	d.join("one", "Eva").recovery(t)
	d.forget()
	d.Device.Options.UserNotVerified = true
	for range failuresAddress {
		d.signIn().refused(t, http.StatusForbidden, "not accepted")
	}
	d.Device.Options.UserNotVerified = false
	a := d.signIn()
	a.refused(t, http.StatusTooManyRequests, "too many attempts")
	if a.Header.Get("Retry-After") == "" {
		t.Error("nobody is told how long to wait")
	}
}

func TestReservedSubjectGoesToWhoeverHoldsItsCode(t *testing.T) {
	c := newClub(t)
	lost, _, err := c.Reserve(t.Context(), "steward-ada")
	if err != nil {
		t.Fatal(err)
	}
	code, _, err := c.Reserve(t.Context(), "steward-ada")
	if err != nil {
		t.Fatal(err)
	}
	c.device().open(invitation(lost)).refused(t, http.StatusForbidden, "Only who is invited")
	c.device().join(" "+strings.ToUpper(code), "Ada").recovery(t)
	if subject := c.text("SELECT subject FROM authserver_accounts"); subject != "steward-ada" {
		t.Fatalf("subject %q", subject)
	}
	c.device().open(invitation(code)).refused(t, http.StatusForbidden, "used already")
	if _, _, err := c.Reserve(t.Context(), "steward-ada"); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("reserved again: %v", err)
	}
	if _, _, err := c.Reserve(t.Context(), "a b"); err == nil {
		t.Fatal("an unusable subject was reserved")
	}
}

func TestReservationExpires(t *testing.T) {
	c := newClub(t)
	code, expires, err := c.Reserve(t.Context(), "steward-ada")
	if err != nil {
		t.Fatal(err)
	}
	if c.count("SELECT COUNT(*) FROM authserver_invitations WHERE expires_at = "+fmt.Sprint(expires.UnixMilli())) != 1 {
		t.Error("it says another day than it keeps")
	}
	d := c.device()
	options, form := d.open(invitation(code)).at(t, PathJoin)
	c.sql("UPDATE authserver_invitations SET expires_at = 1")
	c.device().open(invitation(code)).refused(t, http.StatusForbidden, "expired")
	form.Set("name", "Ada")
	form.Set("credential", d.create(options))
	d.send(PathJoin, form).refused(t, http.StatusForbidden, "expired")
}

// TestReservedSubjectNobodyAdmits: the charter no longer names them.
func TestReservedSubjectNobodyAdmits(t *testing.T) {
	c := newClub(t)
	code, _, err := c.Reserve(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	d := c.device()
	d.join(code, "Ada").refused(t, http.StatusForbidden, "Only who is invited")
	if n := c.count("SELECT COUNT(*) FROM authserver_invitations WHERE used_at > 0"); n != 0 {
		t.Fatal("the code was used up")
	}
}

// renew recovers an account with a new passkey.
func (d *device) renew(code string) answer {
	d.g.t.Helper()
	_, form := d.open(pathRecover).at(d.g.t, pathRecover)
	form.Set("code", code)
	options, form := d.send(pathRecover, form).at(d.g.t, pathRenew)
	d.Key = testkit.NewKey()
	form.Set("credential", d.create(options))
	return d.send(pathRenew, form)
}

func TestRecoveryCodeMakesANewPasskeyAndANewCode(t *testing.T) {
	c := newClub(t)
	old := c.device()
	code := old.join("one", "Eva").recovery(t)
	fresh := c.device()
	next := fresh.renew(strings.ToLower(strings.ReplaceAll(code, "-", " "))).recovery(t)
	if next == code {
		t.Fatal("the code stayed the same")
	}
	if fresh.authorize().returned(t).Get("code") == "" {
		t.Fatal("who recovered is asked again")
	}
	old.authorize().at(t, pathLogin) // the ticket of the lost device is gone
	old.signIn().refused(t, http.StatusForbidden, "opens no account here")
	fresh.forget()
	if fresh.signIn().returned(t).Get("code") == "" {
		t.Fatal("the new passkey does not log in")
	}
	_, form := old.open(pathRecover).at(t, pathRecover)
	form.Set("code", code)
	old.send(pathRecover, form).refused(t, http.StatusForbidden, "not known")
	c.device().renew(next).recovery(t)
}

// TestACodeFromBeforeARecoveryIsWorthNothing: whoever holds the lost passkey has
// signed in a moment before, and comes with the code a moment after.
func TestACodeFromBeforeARecoveryIsWorthNothing(t *testing.T) {
	c := newClub(t)
	lost := c.device()
	recovery := lost.join("one", "Eva").recovery(t)
	lost.forget()
	kept, other := lost.signIn().returned(t).Get("code"), lost.signIn().returned(t).Get("code")
	if _, err := lost.exchange(other); err != nil {
		t.Fatal(err)
	}
	c.device().renew(recovery).recovery(t)
	if _, err := lost.exchange(kept); err == nil {
		t.Error("the code is still good")
	}
}

func TestRecoveryCodeRacedForIsUsedOnce(t *testing.T) {
	c := newClub(t)
	d := c.device()
	code := d.join("one", "Eva").recovery(t)
	_, form := d.open(pathRecover).at(t, pathRecover)
	form.Set("code", code)
	options, form := d.send(pathRecover, form).at(t, pathRenew)
	d.send(pathRenew, form).refused(t, http.StatusBadRequest, "need JavaScript")
	c.device().renew(code).recovery(t)
	d.Key = testkit.NewKey()
	form.Set("credential", d.create(options))
	d.send(pathRenew, form).refused(t, http.StatusForbidden, "not known")
}

func TestWrongRecoveryCodesAreLimited(t *testing.T) {
	c := newClub(t)
	d := c.device()
	code := d.join("one", "Eva").recovery(t)
	for i := range failuresRecovery {
		_, form := d.open(pathRecover).at(t, pathRecover)
		form.Set("code", fmt.Sprint("WRONG-", i))
		d.send(pathRecover, form).refused(t, http.StatusForbidden, "not known")
	}
	_, form := d.open(pathRecover).at(t, pathRecover)
	form.Set("code", code)
	d.send(pathRecover, form).refused(t, http.StatusTooManyRequests, "too many attempts")
}

func TestPasskeyReplacesTheRecoveryCode(t *testing.T) {
	c := newClub(t)
	d := c.device()
	code := d.join("one", "Eva").recovery(t)
	d.forget()
	options, form := d.open(pathRecover).at(t, pathReplace)
	d.send(pathReplace, form).refused(t, http.StatusBadRequest, "need JavaScript")
	form.Set("credential", d.get(options))
	next := d.send(pathReplace, form).recovery(t)
	d.send(pathReplace, form).refused(t, http.StatusConflict, "not taken twice")
	d.authorize().at(t, pathLogin) // no ticket comes with it
	_, form = d.open(pathRecover).at(t, pathRecover)
	form.Set("code", code)
	d.send(pathRecover, form).refused(t, http.StatusForbidden, "not known")
	c.device().renew(next).recovery(t)
}

func TestAccountsSurviveARestart(t *testing.T) {
	c := newClub(t)
	d := c.device()
	options, form := d.open(invitation("one")).at(t, PathJoin)
	c.restart()
	form.Set("name", "Eva")
	form.Set("credential", d.create(options))
	d.send(PathJoin, form).recovery(t)
	c.restart()
	d.forget()
	if d.signIn().returned(t).Get("code") == "" {
		t.Fatal("no code")
	}
}

func TestAccountsKeepNoSecret(t *testing.T) {
	c := newClub(t)
	d := c.device()
	reservation, _, err := c.Reserve(t.Context(), "steward-ada")
	if err != nil {
		t.Fatal(err)
	}
	code := d.join("one", "Eva").recovery(t)
	var dump string
	err = c.db.View(t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"authserver_accounts", "authserver_invitations", "authserver_tickets"} {
			text, err := testkit.Dump(tx, "SELECT * FROM "+table)
			if err != nil {
				return err
			}
			dump += text + hex.EncodeToString([]byte(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.base)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"recovery code": code, "bare recovery code": strings.ReplaceAll(code, "-", ""),
		"reservation": reservation, "cookie": d.browser.Jar.Cookies(u)[0].Value,
	} {
		if strings.Contains(strings.ToLower(dump+c.logs.String()), strings.ToLower(secret)) {
			t.Errorf("the database or the log holds the %s", name)
		}
	}
}

func TestPagesWithPasskeysAreSafeAndUsable(t *testing.T) {
	c := newClub(t)
	d := c.device()
	code := c.device().join("one", "Eva").recovery(t)
	_, form := d.open(pathRecover).at(t, pathRecover)
	form.Set("code", code)
	for name, page := range map[string]answer{
		"login": d.authorize(), "join": d.open(invitation("two")), "recover": d.open(pathRecover), "renew": d.send(pathRecover, form),
	} {
		for _, want := range []string{
			`<html lang="en">`, `<noscript>`, "JavaScript is switched off", `<script src="/oauth/passkey.js" defer></script>`,
			"<main>", "<h1>", "disabled>",
		} {
			if !strings.Contains(page.text, want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
		if n := strings.Count(page.text, "<script"); n != 1 || strings.Contains(page.text, "<Co-op>") ||
			strings.Contains(page.text, "style=\"") || strings.Contains(page.text, "onclick") {
			t.Errorf("%s is not safe: %s", name, page.text)
		}
		policy := page.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "require-trusted-types-for 'script'", "form-action 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q has no %s", name, policy, want)
			}
		}
		if strings.Contains(policy, "script-src 'unsafe") || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, page.Header)
		}
	}
	script := d.open(pathScript)
	if script.StatusCode != http.StatusOK || !strings.HasPrefix(script.Header.Get("Content-Type"), "text/javascript") ||
		strings.Contains(script.text, "fetch(") || strings.Contains(script.text, "innerHTML") {
		t.Errorf("script: %d %v", script.StatusCode, script.Header)
	}
}

func TestOptionsDemandAVerifiedHolder(t *testing.T) {
	d := newClub(t).device()
	create, _ := d.open(invitation("one")).at(t, PathJoin)
	get, _ := d.authorize().at(t, pathLogin)
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"id":"localhost"`} {
		if !strings.Contains(create, want) {
			t.Errorf("registration has no %s: %s", want, create)
		}
	}
	if !strings.Contains(get, `"userVerification":"required"`) || strings.Contains(get, "allowCredentials") {
		t.Errorf("login: %s", get)
	}
}

func TestPagesUnderAnotherNameAreNotServed(t *testing.T) {
	d := newClub(t).device()
	for _, path := range []string{invitation("one"), pathRecover} {
		d.browse(http.MethodGet, path, nil, http.Header{"Host": {"evil.example"}}).
			refused(t, http.StatusMisdirectedRequest, "not the one")
	}
	options, form := d.open(invitation("one")).at(t, PathJoin)
	form.Set("name", "Eva")
	form.Set("credential", d.create(options))
	d.browse(http.MethodPost, PathJoin, form, http.Header{"Sec-Fetch-Site": {"cross-site"}}).
		refused(t, http.StatusForbidden, "from another site")
}

func TestDemoAndBuiltInAccountsShareOnePage(t *testing.T) {
	g := newRig(t, builtIn)
	g.base = g.config.Issuer
	l := g.startLogin()
	action, form := l.fields(l.authorize(), "ada", "correct horse")
	form.Set("credential", "")
	if l.browse(http.MethodPost, action, form, nil).returned(t).Get("code") == "" {
		t.Fatal("no code")
	}
}

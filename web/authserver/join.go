package authserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver/passkey"
	"distributed.ai/datacoop/web/authserver/templates"
)

// What the bearer of a reserved invitation may read; the others are the
// co-op's to word.
var (
	errInvitationUsed    = fault.New(fault.Forbidden, "invitation-used", "This invitation has been used already. Ask for a new one.")
	errInvitationExpired = fault.New(fault.Forbidden, "invitation-expired", "This invitation has expired. Ask for a new one.")
	errSubjectTaken      = fault.New(fault.Conflict, "subject-taken", "There is an account for this subject already.")
)

// longestInvitation is more than any code has.
const longestInvitation = 128

// Reserve makes an invitation for who shall have this subject, such as the
// charter names for an office. The code is good once and for 14 days; asking
// again makes another one and ends the first. Where the subject has an account
// it answers a Conflict.
func (s *Server) Reserve(ctx context.Context, subject string) (code string, expires time.Time, err error) {
	if !subjectPattern.MatchString(subject) {
		return "", time.Time{}, errors.New("authserver: reserve: a subject is a letter or digit, then up to 63 letters, digits or any of ._@-")
	}
	code, expires = strings.ToLower(rand.Text()), time.Now().Add(reservationLife)
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		_, err := loadHolder(tx, selectHolderBySubject, subject)
		switch {
		case err == nil:
			return errSubjectTaken
		case !errors.Is(err, db.ErrNoRow):
			return err
		}
		return reserve(tx, subject, codeDigest(code), expires)
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("authserver: reserve: %w", err)
	}
	return code, expires, nil
}

// codeDigest is an invitation's, whatever case and blanks it came with.
func codeDigest(code string) []byte { return hashSecret(strings.ToLower(strings.TrimSpace(code))) }

// BuiltIn reports whether this server keeps members' accounts itself.
func (s *Server) BuiltIn() bool { return s.builtIn }

// serveJoin is where an invitation leads. A code that is no good is refused
// before anybody makes a passkey for it.
func (s *Server) serveJoin(w http.ResponseWriter, r *http.Request) {
	if !s.addressed(r) {
		s.pages.Problem(w, r, http.StatusMisdirectedRequest, problemHost)
		return
	}
	code := r.URL.Query().Get("invitation")
	if err := s.invited(r.Context(), code); err != nil {
		s.refusePage(w, r, err)
		return
	}
	s.showJoin(w, r, code, "", nil)
}

func (s *Server) invited(ctx context.Context, code string) error {
	if len(code) > longestInvitation {
		code = ""
	}
	var subject string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		subject, err = reserved(tx, codeDigest(code))
		return err
	})
	if err != nil || subject != "" {
		return err
	}
	return s.admission.Check(ctx, code)
}

// joinPage is the page that makes an account.
type joinPage struct {
	frame
	Name  string
	Adult int // the age that is asked about; 0 for none
}

// showJoin shows the page, and again if there is something to say.
func (s *Server) showJoin(w http.ResponseWriter, r *http.Request, code, name string, message error) {
	handle := make([]byte, passkey.HandleLength)
	_, _ = rand.Read(handle) // never fails
	// The page puts the name that is typed in the place of this one.
	q, err := s.passkeys.Make(passkey.Holder{Handle: handle, Name: s.name})
	if f, ok := s.ask(w, r, form{Path: PathJoin, Invitation: code}, q, err, message); ok {
		s.pages.Write(w, r, f.status, "join", templates.Scripted, joinPage{f, name, s.adultAge})
	}
}

// joinAccount makes an account with its passkey, and the member that belongs
// to it, or nothing.
func (s *Server) joinAccount(w http.ResponseWriter, r *http.Request) {
	f, ok := s.taken(w, r, PathJoin)
	if !ok {
		return
	}
	name, err := typedName(r.PostForm.Get("name"))
	if err == nil && s.adultAge > 0 && r.PostForm.Get("adult") != "yes" {
		err = s.younger
	}
	var key passkey.Key
	if err == nil {
		key, err = s.passkeys.Made(f.Session, r.PostForm.Get("credential"))
	}
	if err != nil {
		s.showJoin(w, r, f.Invitation, r.PostForm.Get("name"), err)
		return
	}
	code, digest := passkey.NewRecovery()
	h := &holder{Holder: passkey.Holder{Handle: f.Session.UserID, Name: name}, recovery: digest}
	if err := s.db.Update(r.Context(), func(tx *db.Tx) error { return s.found(tx, f, h, key) }); err != nil {
		s.refusePage(w, r, err)
		return
	}
	s.welcome(w, r, welcomePage{Name: name, Code: code, New: true})
}

// found stores an account, admits its member and uses the invitation up.
func (s *Server) found(tx *db.Tx, f form, h *holder, k passkey.Key) error {
	if err := spend(tx, f); err != nil {
		return err
	}
	invitation, digest := f.Invitation, codeDigest(f.Invitation)
	subject, err := reserved(tx, digest)
	if err != nil {
		return err
	}
	if h.subject = coop.NewID(); subject != "" {
		h.subject, invitation = subject, ""
		if err := useReserved(tx, digest); err != nil {
			return err
		}
	}
	if err := insertHolder(tx, h); err != nil {
		return err
	}
	if err := insertKey(tx, h.subject, k); err != nil {
		return err
	}
	if err := s.admission.Admit(tx, h.subject, h.Name, invitation); err != nil {
		return err
	}
	return putTicket(tx, f.Browser, h.subject)
}

package authserver

import (
	"errors"
	"net/http"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/authserver/passkey"
	"distributed.ai/datacoop/web/authserver/peer"
	"distributed.ai/datacoop/web/authserver/templates"
)

// serveRecover is for who has lost their passkey or their recovery code.
func (s *Server) serveRecover(w http.ResponseWriter, r *http.Request) {
	if !s.addressed(r) {
		s.pages.Problem(w, r, http.StatusMisdirectedRequest, problemHost)
		return
	}
	s.showRecover(w, r, nil)
}

// recoverPage has two forms: the code for a new passkey, and a passkey for a
// new code.
type recoverPage struct {
	frame
	Recover string // the sealed form of the first
}

func (s *Server) showRecover(w http.ResponseWriter, r *http.Request, message error) {
	first, err := s.give(w, r, form{Path: pathRecover})
	if err != nil {
		s.refusePage(w, r, err)
		return
	}
	q, err := s.passkeys.Ask()
	if f, ok := s.ask(w, r, form{Path: pathReplace}, q, err, message); ok {
		s.pages.Write(w, r, f.status, "recover", templates.Scripted, recoverPage{f, first})
	}
}

// recoverAccount looks a recovery code up and shows the page that makes a new
// passkey. The code stays good until there is one.
func (s *Server) recoverAccount(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.taken(w, r, pathRecover); !ok {
		return
	}
	counted := []count{ofRecovery(peer.Of(r)), ofAddress(peer.Of(r))}
	if s.attempts.take(counted...) > 0 {
		s.showRecover(w, r, errTooMany)
		return
	}
	var h *holder
	err := s.db.View(r.Context(), func(tx *db.Tx) (err error) {
		h, err = loadHolder(tx, selectHolderByCode, passkey.RecoveryDigest(r.PostForm.Get("code")))
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRow):
		s.showRecover(w, r, errRecovery)
		return
	case err != nil:
		s.refusePage(w, r, err)
		return
	}
	s.attempts.giveBack(counted...)
	s.showRenew(w, r, h, nil)
}

type renewPage struct {
	frame
	Name string
}

func (s *Server) showRenew(w http.ResponseWriter, r *http.Request, h *holder, message error) {
	q, err := s.passkeys.Make(h.Holder)
	if f, ok := s.ask(w, r, form{Path: pathRenew, Subject: h.subject, Recovery: h.recovery}, q, err, message); ok {
		s.pages.Write(w, r, f.status, "renew", templates.Scripted, renewPage{f, h.Name})
	}
}

// renewPasskey puts a new passkey in the place of all old ones, which whoever
// found the lost one may hold, and a new recovery code in that of the old one.
// What the old ones had opened ends with them.
func (s *Server) renewPasskey(w http.ResponseWriter, r *http.Request) {
	f, ok := s.taken(w, r, pathRenew)
	if !ok {
		return
	}
	key, refused := s.passkeys.Made(f.Session, r.PostForm.Get("credential"))
	code, digest := passkey.NewRecovery()
	var h *holder
	err := s.db.Update(r.Context(), func(tx *db.Tx) (err error) {
		h, err = loadHolder(tx, selectHolderBySubject, f.Subject)
		if errors.Is(err, db.ErrNoRow) || err == nil && !same(h.recovery, f.Recovery) {
			return errRecovery
		}
		if err != nil || refused != nil {
			return err
		}
		if err := renew(tx, f, h, key, digest); err != nil || s.admission.Recovered == nil {
			return err
		}
		return s.admission.Recovered(tx, h.subject)
	})
	switch {
	case err != nil:
		s.refusePage(w, r, err)
	case refused != nil:
		s.showRenew(w, r, h, refused)
	default:
		s.welcome(w, r, welcomePage{Name: h.Name, Code: code})
	}
}

func renew(tx *db.Tx, f form, h *holder, k passkey.Key, digest []byte) error {
	if err := spend(tx, f); err != nil {
		return err
	}
	if err := dropKeys(tx, h.subject); err != nil {
		return err
	}
	if err := insertKey(tx, h.subject, k); err != nil {
		return err
	}
	if err := changeRecovery(tx, h.subject, h.recovery, digest); err != nil {
		return err
	}
	return putTicket(tx, f.Browser, h.subject)
}

// replaceCode gives the holder of a passkey another recovery code.
func (s *Server) replaceCode(w http.ResponseWriter, r *http.Request) {
	f, ok := s.taken(w, r, pathReplace)
	if !ok {
		return
	}
	p, err := s.asserted(r, f)
	if err != nil {
		s.showRecover(w, r, err)
		return
	}
	code, digest := passkey.NewRecovery()
	err = s.db.Update(r.Context(), func(tx *db.Tx) error {
		if err := p.use(tx); err != nil {
			return err
		}
		return changeRecovery(tx, p.holder.subject, p.holder.recovery, digest)
	})
	if err != nil {
		s.refusePage(w, r, err)
		return
	}
	s.welcome(w, r, welcomePage{Name: p.holder.Name, Code: code})
}

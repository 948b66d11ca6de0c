package authserver

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver/passkey"
	"distributed.ai/datacoop/web/authserver/peer"
)

// What the holder of a built-in account may read, beside what is wrong with
// their passkey.
var (
	errPasskeyTaken = fault.New(fault.Conflict, "passkey-taken", "This passkey is in use already. Please make a new one.")
	errReplayed     = fault.New(fault.Conflict, "passkey-replayed", "This was sent already and is not taken twice. Please start again.")
	errName         = fault.New(fault.Invalid, "name-invalid", "Please give a name of at most 80 characters.")
	errTooMany      = fault.New(fault.Unavailable, "too-many-attempts", "There were too many attempts. Please wait a few minutes and try again.")
	errRecovery     = fault.New(fault.Forbidden, "recovery-unknown", "This recovery code is not known. It may have been mistyped, or used already.")
)

// holder is a built-in account.
type holder struct {
	passkey.Holder
	subject  string
	recovery []byte // digest of the recovery code
}

// account is what a login knows of the holder. The methods are RFC 8176's for
// a key that was proved and for who holds it having been verified.
func (h *holder) account() account {
	return account{subject: h.subject, name: h.Name, methods: []string{"pop", "user"}}
}

// longestName is the most characters of a name, as in the co-op's own rooms.
const longestName = 80

// typedName is a name with single blanks, if it can be one.
func typedName(text string) (string, error) {
	name := strings.Join(strings.Fields(text), " ")
	if !coop.Line(name, 1, longestName) {
		return "", errName
	}
	return name, nil
}

// proof is a passkey's good answer that has not been put to use yet.
type proof struct {
	form   form
	holder *holder
	key    passkey.Key
}

// asserted judges a passkey's answer to a page. Whoever asks is limited; an
// error that is no fault is the storage's.
func (s *Server) asserted(r *http.Request, f form) (p proof, err error) {
	counted := ofAddress(peer.Of(r))
	if s.attempts.take(counted) > 0 {
		return proof{}, errTooMany
	}
	p.form = f
	p.key, err = s.passkeys.Answered(f.Session, r.PostForm.Get("credential"), func(handle []byte) (passkey.Holder, error) {
		h, err := s.holder(r.Context(), handle)
		if err != nil {
			return passkey.Holder{}, err
		}
		p.holder = h
		return h.Holder, nil
	})
	if !passkey.Refused(err) {
		s.attempts.giveBack(counted)
	}
	if errors.Is(err, passkey.ErrCopied) {
		s.log.WarnContext(r.Context(), "a passkey's counter did not move on: there may be a copy of it; it was refused")
	}
	return p, err
}

func (s *Server) holder(ctx context.Context, handle []byte) (h *holder, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		h, err = loadHolder(tx, selectHolderByHandle, handle)
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, passkey.ErrUnknown
	}
	return h, err
}

// use puts a proof to use, once.
func (p proof) use(tx *db.Tx) error {
	if err := spend(tx, p.form); err != nil {
		return err
	}
	return useKey(tx, p.holder.subject, p.key)
}

package inbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/governance/inbox/mail"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// How often letters come.
const (
	Off    = "off"
	Daily  = "daily"
	Weekly = "weekly"
)

const (
	// ConfirmWithin is how long a link that confirms an address is good for.
	ConfirmWithin = 24 * time.Hour
	// mostAsks is how many such links a member can have sent in that time.
	mostAsks = 5
)

// Faults of addresses and links. Their codes are part of the API.
var (
	ErrNoMail  = fault.New(fault.Conflict, "mail-not-set-up", "This co-op sends no e-mail. Your messages are here.")
	ErrCadence = fault.New(fault.Invalid, "mail-cadence", "Say how often letters come: daily, weekly or off.")
	ErrTopic   = fault.New(fault.Invalid, "mail-topic", "There is no such kind of message.")
	ErrTooMany = fault.New(fault.Conflict, "mail-too-many", "Several letters have been sent to confirm an address today. Try again tomorrow.")
	ErrLink    = fault.New(fault.NotFound, "mail-link", "This link is not good, or not any more. Ask for a new one in the portal.")
	ErrAddress = mail.ErrAddress
)

// Settings are how a member hears by e-mail. The zero value is not at all.
type Settings struct {
	Address   string
	Confirmed bool
	Cadence   string  // Off, Daily or Weekly; it counts from when the address is confirmed
	Muted     []Topic // that letters do not count
	DueAt     int64   // when the next letter is written, if there is anything; 0 for never
}

// subscription is an address as it is kept.
type subscription struct {
	id          string
	member      coop.MemberID
	address     string
	cadence     string
	muted       []Topic
	nonce       string
	askedAt     int64
	confirmedAt int64
	told        string
	dueAt       int64
	attempt     int64
	bounced     int64
}

func (s subscription) settings() Settings {
	return Settings{s.address, s.confirmedAt > 0, s.cadence, s.muted, s.dueAt}
}

// Settings answers how a member hears by e-mail.
func (s *Service) Settings(ctx context.Context, m coop.MemberID) (out Settings, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		sub, err := subscriptionOf(tx, m)
		out = sub.settings()
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return Settings{Cadence: Off, Muted: []Topic{}}, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("inbox: settings: %w", err)
	}
	return out, nil
}

// PutSettings stores where, how often and about what a member hears by e-mail. A
// new address gets a letter with a link that confirms it, and nothing else before
// that; the one before it is forgotten. Faults: ErrNoMail, ErrAddress, ErrCadence,
// ErrTopic, ErrTooMany.
func (s *Service) PutSettings(ctx context.Context, m coop.MemberID, want Settings) (Settings, error) {
	address, err := mail.Address(want.Address)
	switch {
	case s.Mail == nil:
		return Settings{}, ErrNoMail
	case err != nil:
		return Settings{}, err
	case want.Cadence != Off && want.Cadence != Daily && want.Cadence != Weekly:
		return Settings{}, ErrCadence
	case slices.ContainsFunc(want.Muted, func(t Topic) bool { return !slices.Contains(Topics(), t) }):
		return Settings{}, ErrTopic
	}
	var out Settings
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		sub, err := subscriptionOf(tx, m)
		switch {
		case errors.Is(err, db.ErrNoRow) || err == nil && sub.address != address:
			sub, err = s.begin(tx, m, address)
		case err == nil && sub.confirmedAt == 0:
			sub, err = s.ask(tx, sub)
		}
		if err != nil {
			return err
		}
		sub.cadence, sub.muted = want.Cadence, want.Muted
		out, err = s.schedule(tx, &sub)
		return err
	})
	if err != nil {
		return Settings{}, fmt.Errorf("inbox: put settings: %w", err)
	}
	return out, nil
}

// begin takes a new address in the place of the one before.
func (s *Service) begin(tx *db.Tx, m coop.MemberID, address string) (subscription, error) {
	if err := deleteSubscription(tx, m); err != nil {
		return subscription{}, err
	}
	newest, err := newestItem(tx)
	sub := subscription{id: rand.Text(), member: m, address: address, cadence: Off, muted: []Topic{}, told: newest}
	if err == nil {
		err = insertSubscription(tx, sub)
	}
	if err != nil {
		return subscription{}, err
	}
	return s.ask(tx, sub)
}

// ask has a link sent that confirms an address. One sent before is good no more.
func (s *Service) ask(tx *db.Tx, sub subscription) (subscription, error) {
	n, err := countAsk(tx, sub.member, s.now(), s.now()-ConfirmWithin.Milliseconds())
	switch {
	case err != nil:
		return subscription{}, err
	case n > mostAsks:
		return subscription{}, ErrTooMany
	}
	sub.nonce, sub.askedAt = rand.Text(), s.now()
	job := letterJob{ID: sub.id, Nonce: sub.nonce}
	return sub, errors.Join(s.Jobs.Enqueue(tx, kindConfirm, sub.id+"/"+sub.nonce, job, s.Clock()),
		s.Jobs.Enqueue(tx, kindLapse, sub.id+"/"+sub.nonce, job, s.Clock().Add(ConfirmWithin)))
}

// schedule stores a subscription and when its next letter is written.
func (s *Service) schedule(tx *db.Tx, sub *subscription) (Settings, error) {
	sub.attempt, sub.dueAt = 0, 0
	if sub.confirmedAt > 0 && sub.cadence != Off {
		sub.dueAt = nextDue(sub.cadence, s.Clock()).UnixMilli()
	}
	if err := updateSubscription(tx, *sub); err != nil || sub.dueAt == 0 {
		return sub.settings(), err
	}
	return sub.settings(), s.roundAt(tx, sub.dueAt)
}

// hour is when letters are written, UTC.
const hour = 7

// nextDue is when the next letter is written: in the morning, weekly on Mondays.
func nextDue(cadence string, now time.Time) time.Time {
	now = now.UTC()
	due := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, time.UTC)
	for !due.After(now) || cadence == Weekly && due.Weekday() != time.Monday {
		due = due.AddDate(0, 0, 1)
	}
	return due
}

// What a link in a letter is for.
const (
	forConfirm = "confirm"
	forStop    = "stop"
)

// sign is the part of a link that only we can make.
func (s *Service) sign(what, id, nonce string) string {
	mac := hmac.New(sha256.New, s.Secret)
	fmt.Fprintf(mac, "datacoop inbox %s\x00%s\x00%s", what, id, nonce)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// token is what a link carries.
func (s *Service) token(what string, sub subscription) string {
	nonce := ""
	if what == forConfirm {
		nonce = sub.nonce
	}
	return sub.id + "-" + s.sign(what, sub.id, nonce)
}

// open finds the subscription that a token names; db.ErrNoRow where there is none
// any more, ErrLink for a token that is not ours.
func (s *Service) open(tx *db.Tx, what, token string) (subscription, error) {
	id, sum, ok := strings.Cut(token, "-")
	if !ok || len(token) > 80 {
		return subscription{}, ErrLink
	}
	sub, err := subscriptionByID(tx, id)
	if err != nil && !errors.Is(err, db.ErrNoRow) {
		return subscription{}, err
	}
	nonce := ""
	if what == forConfirm {
		nonce = sub.nonce
	}
	if !hmac.Equal([]byte(sum), []byte(s.sign(what, id, nonce))) {
		return subscription{}, ErrLink
	}
	return sub, err
}

// Confirm makes an address good, by the link that was sent to it. It works once,
// within ConfirmWithin; ErrLink otherwise.
func (s *Service) Confirm(ctx context.Context, token string) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		sub, err := s.open(tx, forConfirm, token)
		switch {
		case errors.Is(err, db.ErrNoRow):
			return ErrLink
		case err != nil:
			return err
		case sub.nonce == "" || s.now() >= sub.askedAt+ConfirmWithin.Milliseconds():
			return ErrLink
		}
		sub.nonce, sub.confirmedAt = "", s.now()
		_, err = s.schedule(tx, &sub)
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: confirm: %w", err)
	}
	return nil
}

// Confirmable reports whether a link would confirm an address now: ErrLink if not.
// It changes nothing, because programs follow links that nobody has clicked.
func (s *Service) Confirmable(ctx context.Context, token string) error {
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		sub, err := s.open(tx, forConfirm, token)
		if errors.Is(err, db.ErrNoRow) || err == nil && (sub.nonce == "" || s.now() >= sub.askedAt+ConfirmWithin.Milliseconds()) {
			return ErrLink
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: confirmable: %w", err)
	}
	return nil
}

// Stop forgets the address that a link in a letter belongs to. Stopping again is
// harmless; ErrLink for a link that is not ours.
func (s *Service) Stop(ctx context.Context, token string) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		sub, err := s.open(tx, forStop, token)
		if errors.Is(err, db.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		return deleteSubscription(tx, sub.member)
	})
	if err != nil {
		return fmt.Errorf("inbox: stop: %w", err)
	}
	return nil
}

// Stoppable reports whether a link is ours; ErrLink if not. It changes nothing.
func (s *Service) Stoppable(ctx context.Context, token string) error {
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		_, err := s.open(tx, forStop, token)
		if errors.Is(err, db.ErrNoRow) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: stoppable: %w", err)
	}
	return nil
}

// DropAddress forgets a member's address; forgetting twice is harmless.
func (s *Service) DropAddress(ctx context.Context, m coop.MemberID) error {
	err := s.DB.Update(ctx, func(tx *db.Tx) error { return deleteSubscription(tx, m) })
	if err != nil {
		return fmt.Errorf("inbox: drop address: %w", err)
	}
	return nil
}

// letterJob is one letter that has to be sent.
type letterJob struct {
	ID      string `json:"id"`
	Nonce   string `json:"nonce"`
	Attempt int    `json:"attempt,omitempty"`
}

// lapse forgets an address that nobody has confirmed.
func (s *Service) lapse(ctx context.Context, payload []byte) error {
	var job letterJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("inbox: lapse: %w", err)
	}
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		sub, err := subscriptionByID(tx, job.ID)
		if errors.Is(err, db.ErrNoRow) || err == nil && sub.nonce != job.Nonce {
			return nil
		}
		if err != nil {
			return err
		}
		return deleteSubscription(tx, sub.member)
	})
	if err != nil {
		return fmt.Errorf("inbox: lapse: %w", err)
	}
	return nil
}

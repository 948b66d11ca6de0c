package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox/mail"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// The jobs of this room.
const (
	kindConfirm = "inbox.confirm"
	kindLapse   = "inbox.lapse"
	kindRound   = "inbox.round"
)

const (
	firstPause   = 5 * time.Minute // after a letter could not be handed in; it doubles
	mostAttempts = 8               // which is about ten hours
	mostBounces  = 3               // letters in a row that are refused before we stop
	mostDown     = 3               // failures in a row after which the server counts as away
	pageOfRound  = 100
)

// pause is how long a letter waits after its n-th attempt.
func pause(n int) time.Duration { return firstPause << (n - 1) }

// sendConfirmation hands in the letter that confirms an address. A server that is
// away is tried again, with longer and longer pauses.
func (s *Service) sendConfirmation(ctx context.Context, payload []byte) error {
	var job letterJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("inbox: confirmation: %w", err)
	}
	sub, err := s.subscription(ctx, job.ID)
	if errors.Is(err, db.ErrNoRow) || err == nil && sub.nonce != job.Nonce || s.Mail == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("inbox: confirmation: %w", err)
	}
	err = s.Mail.Send(ctx, s.confirmation(sub))
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	s.Logger.WarnContext(ctx, "inbox: a letter of confirmation was not taken", "attempt", job.Attempt+1, "error", err)
	if job.Attempt++; mail.Refused(err) || job.Attempt >= mostAttempts {
		return nil // the member sees in the portal that the address is not confirmed
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(tx, kindConfirm, fmt.Sprintf("%s/%s/%d", job.ID, job.Nonce, job.Attempt), job, s.Clock().Add(pause(job.Attempt)))
	})
	if err != nil {
		return fmt.Errorf("inbox: confirmation: %w", err)
	}
	return nil
}

func (s *Service) confirmation(sub subscription) mail.Letter {
	return mail.Letter{To: sub.address, At: s.Clock(), ID: "confirm-" + coop.Digest([]byte(sub.nonce))[:16] + "-" + sub.id,
		Subject: "Confirm your address for " + s.Name,
		Text: "Somebody, we hope you, asked " + s.Name + " to write to this address.\n\n" +
			"If it was you, open this link and press the button. It is good for one day and works once:\n\n" +
			s.BaseURL + "/email/confirm/" + s.token(forConfirm, sub) + "\n\n" +
			"If it was not you, do nothing. The address is forgotten after that day.\n"}
}

// topicWords says in a letter what a topic is. Nothing else about messages leaves.
var topicWords = map[Topic]string{
	Waiting: "waiting for you", Uses: "about uses of your data", Votes: "about votes", Money: "about money",
	Reports: "about what came of your data", Office: "for your office", Security: "about your account and its keys",
}

// digest is the letter about unread messages.
func (s *Service) digest(sub subscription, items []Item) mail.Letter {
	counts := map[Topic]int{}
	for _, i := range items {
		counts[i.Topic()]++
	}
	var lines strings.Builder
	for _, t := range Topics() {
		if counts[t] > 0 {
			fmt.Fprintf(&lines, "  %d %s\n", counts[t], topicWords[t])
		}
	}
	n := fmt.Sprintf("%d new messages", len(items))
	if len(items) == 1 {
		n = "1 new message"
	}
	stop := s.BaseURL + "/email/stop/" + s.token(forStop, sub)
	return mail.Letter{To: sub.address, At: s.Clock(), Stop: stop, ID: fmt.Sprintf("digest-%d-%s", sub.dueAt, sub.id),
		Subject: "You have " + n + " at " + s.Name,
		Text: "You have " + n + ":\n\n" + lines.String() + "\nSign in to read:\n\n" + s.BaseURL + "/inbox\n\n" +
			"We never put more than this into an e-mail, and never ask for a password or a key by e-mail.\n" +
			"No more of these letters: " + stop + "\n"}
}

// roundAt has letters written that are due then.
func (s *Service) roundAt(tx *db.Tx, at int64) error {
	minute := time.Minute.Milliseconds()
	at = (at + minute - 1) / minute * minute
	return s.Jobs.Enqueue(tx, kindRound, fmt.Sprint(at), struct{}{}, time.UnixMilli(at))
}

// hurry has a member's next letter written now, if they have an address.
func (s *Service) hurry(tx *db.Tx, m coop.MemberID) error {
	sub, err := subscriptionOf(tx, m)
	switch {
	case errors.Is(err, db.ErrNoRow) || err == nil && sub.confirmedAt == 0:
		return nil
	case err != nil:
		return err
	}
	sub.attempt, sub.dueAt = 0, s.now()
	return errors.Join(updateSubscription(tx, sub), s.roundAt(tx, sub.dueAt))
}

// round writes every letter that is due, one after the other: letters hold up no
// more than one worker of the queue. Where the server is away the rest waits.
func (s *Service) round(ctx context.Context, _ []byte) error {
	down := 0
	for after := ""; s.Mail != nil; {
		due, err := s.due(ctx, after)
		if err != nil {
			return fmt.Errorf("inbox: round: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		for _, sub := range due {
			after = sub.id
			sent, err := s.write(ctx, sub)
			if err != nil {
				return fmt.Errorf("inbox: round: %w", err)
			}
			if down++; sent {
				down = 0
			}
			if down >= mostDown {
				return s.DB.Update(ctx, func(tx *db.Tx) error { return s.roundAt(tx, s.now()+firstPause.Milliseconds()) })
			}
		}
	}
	return nil
}

// write sends one letter, if there is anything to say, and notes how that ended.
// Sent is false where the server could not be spoken to.
func (s *Service) write(ctx context.Context, sub subscription) (sent bool, err error) {
	m, err := s.Governance.Member(ctx, sub.member)
	if err != nil {
		return true, err
	}
	items, err := s.news(ctx, m, sub)
	if err != nil {
		return true, err
	}
	var failed error
	if len(items) > 0 && m.Open() {
		failed = s.Mail.Send(ctx, s.digest(sub, items))
	}
	if failed != nil && ctx.Err() != nil {
		return true, ctx.Err()
	}
	if failed != nil {
		s.Logger.WarnContext(ctx, "inbox: a letter was not taken", "attempt", sub.attempt+1, "error", failed)
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error { return s.wrote(tx, sub, items, failed) })
	return failed == nil || mail.Refused(failed), err
}

// news is what a letter counts.
func (s *Service) news(ctx context.Context, m governance.Member, sub subscription) (out []Item, err error) {
	muted := map[Topic]bool{}
	for _, t := range sub.muted {
		muted[t] = true
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		items, err := s.unread(tx, readerOf(m), sub.told)
		for _, i := range items {
			if !muted[i.Topic()] || urgent[i.Kind] {
				out = append(out, i)
			}
		}
		return err
	})
	return out, err
}

// wrote notes how a letter ended, unless its member has changed anything since.
func (s *Service) wrote(tx *db.Tx, was subscription, items []Item, failed error) error {
	sub, err := subscriptionByID(tx, was.id)
	if errors.Is(err, db.ErrNoRow) || err == nil && sub.dueAt != was.dueAt {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case failed == nil:
		sub.bounced = 0
		if len(items) > 0 {
			sub.told = items[0].ID
		}
	case mail.Refused(failed):
		if sub.bounced++; sub.bounced >= mostBounces {
			return s.giveUp(tx, sub)
		}
	case sub.attempt+1 < mostAttempts:
		sub.attempt++
		sub.dueAt = s.now() + pause(int(sub.attempt)).Milliseconds()
		return errors.Join(updateSubscription(tx, sub), s.roundAt(tx, sub.dueAt))
	}
	_, err = s.schedule(tx, &sub)
	return err
}

// giveUp stops writing to an address that letters come back from, and says so in
// the portal.
func (s *Service) giveUp(tx *db.Tx, sub subscription) error {
	return errors.Join(deleteSubscription(tx, sub.member),
		s.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeMailStopped, Occasion: sub.id, To: []coop.Addressee{{Member: sub.member}}}))
}

func (s *Service) subscription(ctx context.Context, id string) (sub subscription, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		sub, err = subscriptionByID(tx, id)
		return err
	})
	return sub, err
}

func (s *Service) due(ctx context.Context, after string) (out []subscription, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = dueSubscriptions(tx, s.now(), after, pageOfRound)
		return err
	})
	return out, err
}

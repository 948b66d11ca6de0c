package consent

import (
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Permit proves that the law said yes, just now, to releasing one dataset for
// one request to one recipient. Only Decide makes one; its fields cannot be set
// from outside and its zero value is never valid. It is meant to be spent in
// the transaction that made it: if that transaction does not commit, the
// decision was never recorded and nothing may be released.
type Permit struct {
	decision  coop.DecisionID
	request   coop.RequestID
	dataset   coop.DatasetID
	purpose   coop.Purpose
	recipient string
	issued    time.Time
	expires   time.Time
	tx        *db.Tx
}

// Valid reports whether the permit may be used at now, a time of the injected
// clock: from the moment of the decision until it expires.
func (p Permit) Valid(now time.Time) bool {
	return p.decision != "" && !now.Before(p.issued) && now.Before(p.expires)
}

// Within reports whether the permit was made in tx. A release in any other
// transaction could outlive a decision that was rolled back.
func (p Permit) Within(tx *db.Tx) bool { return tx != nil && p.tx == tx }

// Decision is the recorded decision the permit proves.
func (p Permit) Decision() coop.DecisionID { return p.decision }

// Request is the access request the permit is for.
func (p Permit) Request() coop.RequestID { return p.request }

// Dataset is the one dataset the permit opens.
func (p Permit) Dataset() coop.DatasetID { return p.dataset }

// Purpose is what the data may be used for.
func (p Permit) Purpose() coop.Purpose { return p.purpose }

// Recipient is the age recipient the dataset may be wrapped to.
func (p Permit) Recipient() string { return p.recipient }

// Expires is when the permit stops being valid.
func (p Permit) Expires() time.Time { return p.expires }

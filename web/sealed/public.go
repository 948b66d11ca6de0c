package sealed

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/stepup"
)

// Recipient names the public recipient of the caller's account.
type Recipient struct{ Body client.RecipientBody }

// PutRecipient takes the first key from any browser of the member, and another in
// its place from who has just shown that it is them.
func (a API) PutRecipient(ctx context.Context, in *Recipient) (*struct{}, error) {
	m, err := a.Governance.Member(ctx, a.Member(ctx))
	if err == nil && m.Recipient != "" && m.Recipient != in.Body.Recipient {
		err = a.Sure(ctx, stepup.Key)
	}
	if err != nil {
		return nil, err
	}
	return nil, asSeen(a.Governance.SetRecipient(ctx, m.ID, m.Recipient, in.Body.Recipient))
}

// Signer names the public key that the caller's manifests are signed with.
type Signer struct{ Body client.SigningKeyBody }

// ErrSigner refuses what is no such key.
var ErrSigner = fault.New(fault.Invalid, "bad-signing-key", "An Ed25519 public key is 32 bytes in standard base64.")

// PutSigner takes the first signing key from any browser of the member, and another
// in its place from who has shown in the last minutes that it is them. The one that
// is there already changes nothing.
func (a API) PutSigner(ctx context.Context, in *Signer) (*struct{}, error) {
	key, err := base64.StdEncoding.DecodeString(in.Body.PublicKey)
	if err != nil {
		return nil, ErrSigner
	}
	m, err := a.Governance.Member(ctx, a.Member(ctx))
	switch {
	case err != nil:
		return nil, err
	case bytes.Equal(m.SigningKey, key):
		return nil, nil
	case len(m.SigningKey) > 0:
		if err := a.Sure(ctx, stepup.Signer); err != nil {
			return nil, err
		}
	}
	return nil, asSeen(a.Governance.SetSigningKey(ctx, m.ID, m.SigningKey, key))
}

// ErrMeanwhile refuses a key in place of one that nobody has looked at.
var ErrMeanwhile = fault.New(fault.Conflict, "key-changed", "This key of yours was changed in the meantime, perhaps in another tab. Nothing was saved. Load the page again first.")

// asSeen says so where the key that was to be replaced is there no more: what was
// asked about it, such as for a proof, was about another one.
func asSeen(err error) error {
	if errors.Is(err, db.ErrNoRow) {
		return ErrMeanwhile
	}
	return err
}

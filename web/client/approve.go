package client

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"iter"

	"filippo.io/age"

	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client/rest"
)

// Approvals walks the granted requests that wait for the caller's own key,
// newest first.
func (c *Client) Approvals(ctx context.Context) iter.Seq2[Approval, error] {
	return rest.List[Approval](ctx, c.conn, "v1", "me", "approvals")
}

// AnswerApproval sends an answer as it is; see Approve and Decline.
func (c *Client) AnswerApproval(ctx context.Context, id string, answer ApprovalAnswer) (ApprovalResult, error) {
	return rest.Post[ApprovalResult](ctx, c.conn, answer, "v1", "me", "approvals", id)
}

// Approve wraps the file key of a waiting request's dataset to the researcher's
// recipient, on this machine, and sends the header. The file itself is not
// touched. Errors: those of Verify, ErrWrongIdentity, *ProblemError.
func (c *Client) Approve(ctx context.Context, a Approval, id Identity, own ed25519.PublicKey) (ApprovalResult, error) {
	if err := a.Verify(own); err != nil {
		return ApprovalResult{}, err
	}
	hdr, err := a.Rewrap(id)
	if err != nil {
		return ApprovalResult{}, err
	}
	return c.AnswerApproval(ctx, a.ID, ApprovalAnswer{Answer: AnswerApprove, Recipient: a.Recipient,
		Header: base64.StdEncoding.EncodeToString(hdr)})
}

// Decline says no to one waiting request, for good.
func (c *Client) Decline(ctx context.Context, id string) (ApprovalResult, error) {
	return c.AnswerApproval(ctx, id, ApprovalAnswer{Answer: AnswerDecline})
}

// What keeps an approval from being given.
var (
	ErrNotMine  = errors.New("the header that the server shows is not of a file you shared and signed: do not open it. If you have another signing key, use that one")
	ErrUnsigned = errors.New("a signing key is needed to approve: with it your machine knows that what it opens is a file you shared")
	errApproval = errors.New("the server's request for approval is not well formed")
)

// Verify checks that the header belongs to a dataset whose manifest the caller
// has signed with this key, and kept the only key of. Without that a server
// could pass off the header of any file the identity opens, and have it opened
// for somebody else. Errors: ErrUnsigned without a key, ErrNotMine.
func (a Approval) Verify(own ed25519.PublicKey) error {
	if len(own) != ed25519.PublicKeySize {
		return ErrUnsigned
	}
	hdr, err := a.header()
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	if err != nil {
		return ErrNotMine
	}
	said, err := a.Manifest.Canonical()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(hdr)
	if !ed25519.Verify(own, said, signature) || a.Manifest.Dataset != a.Dataset || a.Manifest.VaultRecipient != "" ||
		a.Manifest.HeaderSHA256 != hex.EncodeToString(sum[:]) {
		return ErrNotMine
	}
	return nil
}

// Rewrap opens the header with the identity and answers one for the recipient
// alone. It checks nothing about whose header it is; see Verify.
func (a Approval) Rewrap(id Identity) ([]byte, error) {
	hdr, err := a.header()
	if err != nil {
		return nil, err
	}
	if _, err := header.Inspect(hdr); err != nil {
		return nil, err
	}
	to, _, err := header.ParseRecipient(a.Recipient)
	if err != nil {
		return nil, err
	}
	out, err := header.Rewrap(hdr, ring(id.keys), to)
	if errors.Is(err, header.ErrUnopened) {
		return nil, ErrWrongIdentity
	}
	return out, err
}

func (a Approval) header() ([]byte, error) {
	hdr, err := base64.StdEncoding.DecodeString(a.Header)
	if err != nil {
		return nil, errApproval
	}
	return hdr, nil
}

// ring tries the keys of an identity file one after the other.
type ring []key

// Unwrap implements age.Identity.
func (r ring) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, k := range r {
		fileKey, err := k.Unwrap(stanzas)
		if !errors.Is(err, age.ErrIncorrectIdentity) {
			return fileKey, err
		}
	}
	return nil, age.ErrIncorrectIdentity
}

// Fingerprint is short for a recipient: the SHA-256 of its text, in hex. Who it
// belongs to can compare it over another way than the server.
func Fingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:])
}

// RecipientKind says whether a recipient is post-quantum. Error: that it is
// none.
func RecipientKind(recipient string) (postQuantum bool, err error) {
	_, kind, err := header.ParseRecipient(recipient)
	return kind == header.KindHybrid, err
}

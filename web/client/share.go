package client

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"filippo.io/age"

	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client/rest"
	"distributed.ai/datacoop/web/client/resume"
)

// ShareOptions says what a member shares and on which terms.
type ShareOptions struct {
	Pool       string
	Inputs     []codebook.Input   // one export, in one file or several
	Raw        bool               // share the file as it is, not the pool's table
	Recipient  string             // the member's own public recipient: they can always read their data back
	Consent    *Terms             // for this dataset alone; nil leaves it to the pool's answer
	SigningKey ed25519.PrivateKey // signs the manifest; nil if none is registered, which self-custody does not allow

	// SelfCustody leaves the member the only key: nothing is encrypted to the
	// co-op's vault, and each granted request waits for Approve.
	SelfCustody bool

	Dir string // keeps the ciphertext until it is sealed; empty for the user's cache directory

	Confirm  func(Preview) error     // asked before anything leaves the machine; its error ends Share unchanged
	Progress func(done, total int64) // told the bytes of ciphertext the server has
}

// Share recognises an export, reduces it to the pool's table, encrypts it to
// the member and, unless they keep the only key, to the dataset's own vault
// recipient, uploads it and seals it. Nothing is sent before Confirm has
// agreed, and nothing but the encrypted table, its profile and the consent is
// sent then.
//
// Interrupted by anything, the same call goes on where it stood: the
// ciphertext and what the server has of it are remembered until it is sealed.
func (c *Client) Share(ctx context.Context, o ShareOptions) (Dataset, error) {
	own, kind, err := header.ParseRecipient(o.Recipient)
	if err != nil {
		return Dataset{}, err
	}
	if o.SelfCustody && o.SigningKey == nil {
		return Dataset{}, ErrUnsignedUpload
	}
	goods, err := prepare(o.Pool, o.Raw, o.Inputs)
	if err != nil {
		return Dataset{}, err
	}
	if o.Confirm != nil {
		if err := o.Confirm(goods.Preview); err != nil {
			return Dataset{}, err
		}
	}
	s := &sharing{c: c, o: o, goods: goods, own: own, kind: kind}
	for {
		if s.Journal, err = resume.Open(o.Dir, s.slot()); err != nil {
			return Dataset{}, err
		}
		out, err := s.run(ctx)
		var refused *ProblemError
		if s.Dataset == "" && errors.As(err, &refused) { // nothing has begun
			return out, errors.Join(err, s.Discard())
		}
		if err == nil || !s.Resumed || !IsStatus(err, http.StatusNotFound, http.StatusGone) {
			return out, err
		}
		// What an earlier run began is gone from the server: begin again.
		if err := s.Discard(); err != nil {
			return Dataset{}, err
		}
	}
}

type sharing struct {
	*resume.Journal
	c     *Client
	o     ShareOptions
	goods content
	own   age.Recipient
	kind  string
}

// slot tells one upload from another: same server, pool, recipient, content
// and custody.
func (s *sharing) slot() string {
	all := []string{s.c.Base(), s.o.Pool, s.o.Recipient, strconv.FormatBool(s.o.Raw), hex.EncodeToString(s.goods.digest[:])}
	if s.o.SelfCustody {
		all = append(all, CustodySelf)
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (s *sharing) run(ctx context.Context) (Dataset, error) {
	for _, step := range []func(context.Context) error{s.open, s.encrypt, s.upload} {
		if err := step(ctx); err != nil {
			return Dataset{}, err
		}
	}
	sealed, err := s.seal(ctx)
	if err != nil {
		return Dataset{}, err
	}
	return sealed, s.Discard()
}

var errKind = errors.New("your account is registered with a recipient of another kind than this identity's (post-quantum and classic cannot be mixed); register this one or use the other identity")

// ErrUnsignedUpload refuses self-custody without a signing key.
var ErrUnsignedUpload = errors.New("keeping the only key needs a signing key as well: by its signature your machine knows, when a request waits, that it is about a file you shared. Make one with: datacoop keygen --signing")

var errCustody = errors.New("this server does not let members keep the only key; nothing was sent")

// open opens the dataset. The member's recipient is registered first if there
// is none, because the vault recipient is made of the same kind.
func (s *sharing) open(ctx context.Context) error {
	if s.Dataset != "" {
		return nil
	}
	me, err := s.c.Me(ctx)
	if err != nil {
		return err
	}
	if me.Recipient == "" {
		if err := s.c.SetRecipient(ctx, s.o.Recipient); err != nil {
			return err
		}
	} else if _, kind, err := header.ParseRecipient(me.Recipient); err == nil && kind != s.kind {
		return errKind
	}
	draft := DatasetDraft{Pool: s.o.Pool}
	if s.o.SelfCustody {
		draft.Custody = CustodySelf
	}
	d, err := rest.Exchange[Dataset](ctx, s.c.conn, http.MethodPost, s.Key, draft, "v1", "datasets")
	if err != nil {
		return err
	}
	if s.o.SelfCustody && (d.Custody != CustodySelf || d.VaultRecipient != "") {
		return errCustody
	}
	s.Dataset, s.VaultRecipient, s.MaxBytes, s.ChunkBytes = d.ID, d.VaultRecipient, d.MaxBytes, d.ChunkBytes
	return s.Save()
}

// encrypt makes the ciphertext, once: a later run sends the same bytes.
func (s *sharing) encrypt(ctx context.Context) error {
	if s.SHA256 != "" {
		if sum, err := fileSHA256(s.Ciphertext()); err == nil && sum == s.SHA256 {
			return nil
		}
		if s.Location != "" {
			_ = s.c.CancelUpload(ctx, Upload{Location: s.Location}) // it expires by itself otherwise
		}
		s.Location, s.UploadKey, s.Received = "", "", false
	}
	to, err := s.recipients()
	if err != nil {
		return err
	}
	if err := s.writeCiphertext(to); err != nil {
		return err
	}
	if s.MaxBytes > 0 && s.Size > s.MaxBytes {
		return errors.Join(errors.New("the encrypted file is larger than this co-op takes"), s.Discard())
	}
	return s.Save()
}

// recipients are the member and, unless they keep the only key, the vault.
func (s *sharing) recipients() ([]age.Recipient, error) {
	if s.o.SelfCustody {
		return []age.Recipient{s.own}, nil
	}
	vault, kind, err := header.ParseRecipient(s.VaultRecipient)
	if err != nil {
		return nil, fmt.Errorf("the server's vault recipient: %w", err)
	}
	if kind != s.kind {
		return nil, errKind
	}
	return []age.Recipient{s.own, vault}, nil
}

func (s *sharing) writeCiphertext(to []age.Recipient) error {
	file, err := os.CreateTemp(s.Dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already once it has been renamed
	counted := &counter{to: sha256.New()}
	err = s.encryptTo(io.MultiWriter(file, counted), to)
	if err == nil {
		err = s.measure(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	s.Size, s.SHA256 = counted.n, hex.EncodeToString(counted.to.Sum(nil))
	if err := os.Rename(file.Name(), s.Ciphertext()); err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	return nil
}

func (s *sharing) encryptTo(w io.Writer, to []age.Recipient) error {
	sealer, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if err := s.goods.verified(sealer); err != nil {
		return err
	}
	return sealer.Close()
}

// measure hashes header and payload apart, as the manifest names them.
func (s *sharing) measure(file io.ReadSeeker) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hdr, payload, err := header.Split(file)
	if err != nil {
		return err
	}
	head, body := sha256.Sum256(hdr), sha256.New()
	if s.PayloadSize, err = io.Copy(body, payload); err != nil {
		return err
	}
	s.HeaderSHA256, s.PayloadSHA256 = hex.EncodeToString(head[:]), hex.EncodeToString(body.Sum(nil))
	return nil
}

func fileSHA256(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// stateReceived is the state of a dataset whose bytes are all there.
const stateReceived = "received"

func (s *sharing) upload(ctx context.Context) error {
	if s.Received {
		return nil
	}
	u, err := s.begin(ctx)
	if err != nil || s.Received {
		return err
	}
	file, err := os.Open(s.Ciphertext())
	if err != nil {
		return fmt.Errorf("read what is to be uploaded: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if s.o.Progress != nil {
		s.o.Progress(u.Offset, u.Size)
	}
	if _, err := s.c.Send(ctx, u, file, s.ChunkBytes, s.o.Progress); err != nil {
		return err
	}
	s.Received = true
	return s.Save()
}

// begin finds the upload of an earlier run and how far it got, or creates one.
// The server forgets an upload when it has expired or is complete.
func (s *sharing) begin(ctx context.Context) (Upload, error) {
	if s.Location != "" {
		u, err := s.c.UploadOffset(ctx, Upload{Location: s.Location, Size: s.Size})
		if err == nil || !IsStatus(err, http.StatusNotFound, http.StatusGone) {
			return u, err
		}
		known, err := s.lookup(ctx)
		if err != nil {
			return Upload{}, err
		}
		if known.State == stateReceived || known.SealedAt != nil {
			s.Received = true
			return Upload{}, s.Save()
		}
		// An expired upload stands in the way of another until it is cancelled.
		if err := s.c.CancelUpload(ctx, u); err != nil && !IsStatus(err, http.StatusNotFound, http.StatusGone) {
			return Upload{}, err
		}
		s.Location, s.UploadKey = "", ""
	}
	if s.UploadKey == "" {
		s.UploadKey = rest.NewKey()
		if err := s.Save(); err != nil {
			return Upload{}, err
		}
	}
	u, err := s.c.createUpload(ctx, s.UploadKey, s.Dataset, s.Size)
	if err != nil {
		return Upload{}, err
	}
	s.Location = u.Location
	return u, s.Save()
}

// lookup finds the dataset among the member's own.
func (s *sharing) lookup(ctx context.Context) (Dataset, error) {
	for d, err := range s.c.Datasets(ctx) {
		if err != nil {
			return Dataset{}, err
		}
		if d.ID == s.Dataset {
			return d, nil
		}
	}
	return Dataset{}, &ProblemError{Problem: Problem{Status: http.StatusNotFound, Title: "The dataset this upload belongs to is gone."}}
}

func (s *sharing) seal(ctx context.Context) (Dataset, error) {
	found, err := s.c.Discovery(ctx)
	if err != nil {
		return Dataset{}, err
	}
	body := SealBody{Profile: s.goods.Profile, Raw: s.o.Raw, Consent: s.o.Consent, Manifest: Manifest{
		Dataset: s.Dataset, SHA256: s.PayloadSHA256, Size: s.PayloadSize, HeaderSHA256: s.HeaderSHA256,
		VaultRecipient: s.VaultRecipient, Terms: found.CharterDigest}}
	if s.o.SigningKey != nil {
		if body.Signature, err = body.Manifest.Sign(s.o.SigningKey); err != nil {
			return Dataset{}, err
		}
	}
	sealed, err := s.c.Seal(ctx, s.Dataset, body)
	if !IsStatus(err, http.StatusConflict) {
		return sealed, err
	}
	// Perhaps an earlier run sealed it and never heard the answer.
	if known, lost := s.lookup(ctx); lost == nil && known.SealedAt != nil && known.SHA256 == s.PayloadSHA256 {
		return known, nil
	}
	return Dataset{}, err
}

package web

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerVault() {
	on(s, route{http.MethodPost, "/v1/datasets", "Open a dataset and get its vault recipient", members, http.StatusCreated}, s.openDataset)
	on(s, route{http.MethodGet, "/v1/me/datasets", "My datasets", members, 0}, s.myDatasets)
	on(s, route{http.MethodPost, "/v1/datasets/{id}/seal", "Finish an upload; from here on it can be offered", members, 0}, s.seal)
	on(s, route{http.MethodDelete, "/v1/datasets/{id}", "Revoke a dataset for good; answers the signed receipt", members, 0}, s.revoke)
	on(s, route{http.MethodGet, "/v1/datasets/{id}/content", "My own ciphertext back", members, 0}, s.content, s.oneOfFew)
}

func (s *Server) openDataset(ctx context.Context, in *body[client.DatasetDraft]) (*body[client.Dataset], error) {
	who := callerOf(ctx).Member
	if _, ok := s.Charter.Pool(coop.PoolID(in.Body.Pool)); !ok {
		return nil, errUnknownPool
	}
	m, err := s.Governance.Member(ctx, who)
	if err != nil {
		return nil, err
	}
	open := s.Vault.Open
	if in.Body.Custody == client.CustodySelf {
		if m.Recipient == "" {
			return nil, errNoRecipient
		}
		open = s.Vault.OpenSelfCustody
	}
	d, err := open(ctx, who, coop.PoolID(in.Body.Pool), m.Recipient)
	if err != nil {
		return nil, err
	}
	return reply(s.wireDataset(d, 0), nil)
}

var errUnknownPool = fault.New(fault.Invalid, "unknown-pool", "The co-op has no pool of that name.")

func (s *Server) myDatasets(ctx context.Context, _ *none) (*body[client.Page[client.Dataset]], error) {
	out, err := s.memberDatasets(ctx, callerOf(ctx).Member)
	return reply(client.Page[client.Dataset]{Items: out}, err)
}

func (s *Server) memberDatasets(ctx context.Context, m coop.MemberID) ([]client.Dataset, error) {
	datasets, err := s.Vault.Mine(ctx, m)
	if err != nil {
		return nil, err
	}
	earned, err := s.Market.Earned(ctx, m)
	if err != nil {
		return nil, err
	}
	out := make([]client.Dataset, 0, len(datasets))
	for _, d := range datasets {
		out = append(out, s.wireDataset(d, earned[d.ID]))
	}
	return out, nil
}

type sealInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.SealBody
}

var errSignature = fault.New(fault.Invalid, "bad-signature", "The manifest's signature is not 64 bytes in standard base64.")

func (s *Server) seal(ctx context.Context, in *sealInput) (*body[client.Dataset], error) {
	who := callerOf(ctx).Member
	signature, err := base64.StdEncoding.DecodeString(in.Body.Signature)
	if err != nil {
		return nil, errSignature
	}
	m, err := s.Governance.Member(ctx, who)
	if err != nil {
		return nil, err
	}
	d, err := s.Vault.Seal(ctx, who, coop.DatasetID(in.ID), vault.SealInput{
		Manifest: vault.Manifest(in.Body.Manifest), Signature: signature, SigningKey: m.SigningKey,
		Profile: terms.Profile(in.Body.Profile), Raw: in.Body.Raw, Terms: terms.Sealing(in.Body.Consent)})
	if err != nil {
		return nil, err
	}
	return reply(s.wireDataset(d, 0), nil)
}

// signed is an answer that must arrive byte for byte as it was signed.
type signed struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) revoke(ctx context.Context, in *byID) (*signed, error) {
	receipt, err := s.Vault.Revoke(ctx, callerOf(ctx).Member, coop.DatasetID(in.ID))
	if err != nil {
		return nil, err
	}
	text, err := receipt.JSON()
	return &signed{"application/json", text}, err
}

func (s *Server) content(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	d, err := s.Vault.Content(ctx, callerOf(ctx).Member, coop.DatasetID(in.ID))
	if err != nil {
		return nil, err
	}
	return s.stream(d, in.ID+".age")
}

// stream answers an age file with Range and ETag. The reader itself stops when
// the member revokes; then the connection is broken off, so that nobody takes
// the torso for the file.
func (s *Server) stream(d vault.Delivery, name string) (*huma.StreamResponse, error) {
	file, err := d.Open()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer file.Close()
		c := humaecho.Unwrap(ctx)
		h := c.Response().Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("ETag", d.ETag)
		content := &watched{ReadSeekCloser: file}
		http.ServeContent(c.Response(), c.Request(), "", time.Time{}, content)
		if content.failed {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// watched remembers that reading failed, which http.ServeContent keeps to
// itself.
type watched struct {
	io.ReadSeekCloser
	failed bool
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeekCloser.Read(p)
	w.failed = w.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

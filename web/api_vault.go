package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerVault() {
	on(s, route{http.MethodPost, "/v1/datasets", "Open a dataset and get its vault recipient", members, http.StatusCreated}, s.openDataset)
	on(s, route{http.MethodGet, "/v1/me/datasets", "My datasets", members, 0}, s.myDatasets)
	on(s, route{http.MethodPost, "/v1/datasets/{id}/seal", "Finish an upload; from here on it can be offered", members, 0}, s.seal)
	on(s, route{http.MethodDelete, "/v1/datasets/{id}", "Revoke a dataset for good; answers the signed receipt", members, 0}, s.revoke)
	on(s, route{http.MethodGet, "/v1/datasets/{id}/content", "My own ciphertext back", members, 0}, s.content)

	on(s, route{http.MethodPost, "/v1/uploads", "Start an upload (tus 1.0 creation)", members, http.StatusCreated}, s.createUpload)
	on(s, route{http.MethodHead, "/v1/uploads/{id}", "How much has arrived (tus 1.0)", members, 0}, s.headUpload)
	on(s, route{http.MethodPatch, "/v1/uploads/{id}", "Send a chunk (tus 1.0)", members, http.StatusNoContent}, s.patchUpload)
	on(s, route{http.MethodDelete, "/v1/uploads/{id}", "Give an upload up (tus 1.0 termination)", members, http.StatusNoContent}, s.dropUpload)
	s.echo.OPTIONS("/v1/uploads", s.uploadOptions)
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
	d, err := s.Vault.Open(ctx, who, coop.PoolID(in.Body.Pool), m.Recipient)
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
		Profile: domainProfile(in.Body.Profile), Raw: in.Body.Raw, Terms: sealTerms(in.Body.Consent)})
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

const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,termination,checksum"
)

// upload is the answer of a tus call.
type upload struct {
	Resumable string `header:"Tus-Resumable"`
	Location  string `header:"Location"`
	Offset    int64  `header:"Upload-Offset"`
	Length    int64  `header:"Upload-Length"`
}

func tusAnswer(u vault.Upload) *upload {
	return &upload{Resumable: tusVersion, Location: "/v1/uploads/" + string(u.ID), Offset: u.Offset, Length: u.Total}
}

func (s *Server) uploadOptions(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Max-Size", strconv.FormatInt(s.Vault.MaxBytes(), 10))
	h.Set("Tus-Checksum-Algorithm", "sha256")
	return c.NoContent(http.StatusNoContent)
}

type createUploadInput struct {
	Resumable string `header:"Tus-Resumable" required:"true" enum:"1.0.0"`
	Length    int64  `header:"Upload-Length" required:"true" minimum:"1"`
	Metadata  string `header:"Upload-Metadata" required:"true" maxLength:"1024" doc:"dataset and its id in base64"`
}

var errMetadata = fault.New(fault.Invalid, "upload-metadata", "Upload-Metadata must name the dataset: dataset and its id in base64.")

func (s *Server) createUpload(ctx context.Context, in *createUploadInput) (*upload, error) {
	ds, err := datasetOf(in.Metadata)
	if err != nil {
		return nil, err
	}
	u, err := s.Vault.CreateUpload(ctx, callerOf(ctx).Member, ds, in.Length)
	if err != nil {
		return nil, err
	}
	return tusAnswer(u), nil
}

// datasetOf reads the dataset's id from tus metadata.
func datasetOf(metadata string) (coop.DatasetID, error) {
	for _, pair := range strings.Split(metadata, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if key != "dataset" {
			continue
		}
		id, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !coop.ValidID(string(id)) {
			return "", errMetadata
		}
		return coop.DatasetID(id), nil
	}
	return "", errMetadata
}

func (s *Server) headUpload(ctx context.Context, in *byID) (*upload, error) {
	u, err := s.Vault.Upload(ctx, callerOf(ctx).Member, coop.UploadID(in.ID))
	if err != nil {
		return nil, err
	}
	return tusAnswer(u), nil
}

type patchInput struct {
	ID          string `path:"id" maxLength:"64"`
	Resumable   string `header:"Tus-Resumable" required:"true" enum:"1.0.0"`
	ContentType string `header:"Content-Type" required:"true" enum:"application/offset+octet-stream"`
	Offset      int64  `header:"Upload-Offset" required:"true" minimum:"0"`
	Checksum    string `header:"Upload-Checksum" maxLength:"100" doc:"sha256 and the chunk's digest in base64"`
}

// patchUpload streams a chunk to disk.
func (s *Server) patchUpload(_ context.Context, in *patchInput) (*huma.StreamResponse, error) {
	sum, err := checksumOf(in.Checksum)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		r := c.Request()
		u, err := s.Vault.Append(r.Context(), callerOf(r.Context()).Member, coop.UploadID(in.ID), in.Offset, summed(r.Body, sum))
		if errors.Is(err, vault.ErrDiscard) {
			err = newProblem(statusChecksum, "checksum-mismatch", "The chunk arrived damaged and was thrown away; send it again.")
		}
		if err != nil {
			s.answerError(err, c)
			return
		}
		h := c.Response().Header()
		h.Set("Tus-Resumable", tusVersion)
		h.Set("Upload-Offset", strconv.FormatInt(u.Offset, 10))
		_ = c.NoContent(http.StatusNoContent) // the only failure is a client that is gone
	}}, nil
}

// statusChecksum is what tus 1.0 answers to a chunk that does not match its
// checksum.
const statusChecksum = 460

var errChecksum = fault.New(fault.Invalid, "upload-checksum", "Upload-Checksum must be sha256 and a digest in base64.")

// checksumOf reads a tus checksum; none is no error.
func checksumOf(header string) ([]byte, error) {
	if header == "" {
		return nil, nil
	}
	digest, ok := strings.CutPrefix(header, "sha256 ")
	sum, err := base64.StdEncoding.DecodeString(digest)
	if !ok || err != nil || len(sum) != sha256.Size {
		return nil, errChecksum
	}
	return sum, nil
}

// summed has the vault forget a chunk whose digest is not sum; nil trusts the
// connection.
func summed(body io.Reader, sum []byte) io.Reader {
	if sum == nil {
		return body
	}
	return &summedReader{body, sha256.New(), sum}
}

type summedReader struct {
	body io.Reader
	hash hash.Hash
	want []byte
}

// Read hashes what it passes on and ends with vault.ErrDiscard if the digest is
// wrong.
func (r *summedReader) Read(b []byte) (int, error) {
	n, err := r.body.Read(b)
	r.hash.Write(b[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(r.hash.Sum(nil), r.want) {
		err = vault.ErrDiscard
	}
	return n, err
}

func (s *Server) dropUpload(ctx context.Context, in *byID) (*none, error) {
	return nil, s.Vault.Cancel(ctx, callerOf(ctx).Member, coop.UploadID(in.ID))
}

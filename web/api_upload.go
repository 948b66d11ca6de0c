package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/tus"
)

const pathUploads = "/v1/uploads"

func (s *Server) registerUploads() {
	one := pathUploads + "/{id}"
	on(s, route{http.MethodPost, pathUploads, "Start an upload (tus 1.0 creation)", members, http.StatusCreated}, s.createUpload, s.inTus)
	on(s, route{http.MethodHead, one, "How much has arrived (tus 1.0)", members, 0}, s.headUpload, s.inTus)
	on(s, route{http.MethodPatch, one, "Send a chunk (tus 1.0)", members, http.StatusNoContent}, s.patchUpload, s.inTus)
	on(s, route{http.MethodDelete, one, "Give an upload up (tus 1.0 termination)", members, http.StatusNoContent}, s.dropUpload, s.inTus)
	s.echo.OPTIONS(pathUploads, s.describeUploads)
	s.echo.OPTIONS(pathUploads+"/:id", s.describeUploads)
}

func (s *Server) describeUploads(c echo.Context) error {
	tus.Describe(c.Response().Header(), s.Vault.MaxBytes())
	return c.NoContent(http.StatusNoContent)
}

// meantMethod lets an upload's client that knows no PATCH say what it means.
func meantMethod(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); isUpload(r) {
			r.Method = tus.Method(r)
		}
		return next(c)
	}
}

func isUpload(r *http.Request) bool {
	return r.URL.Path == pathUploads || strings.HasPrefix(r.URL.Path, pathUploads+"/")
}

// inTus holds a call to the version of the protocol that is spoken here.
func (s *Server) inTus(ctx huma.Context, next func(huma.Context)) {
	if err := tus.Agree(ctx.Header("Tus-Resumable"), ctx.SetHeader); err != nil {
		s.refuse(ctx, err)
		return
	}
	next(ctx)
}

// oneUpload names an upload; the version, here and below, is for inTus.
type oneUpload struct {
	ID        string `path:"id" maxLength:"64"`
	Resumable string `header:"Tus-Resumable" doc:"1.0.0; another version is answered with 412" example:"1.0.0"`
}

// upload is the answer of a tus call.
type upload struct {
	Resumable string `header:"Tus-Resumable"`
	Location  string `header:"Location"`
	Offset    int64  `header:"Upload-Offset"`
	Length    int64  `header:"Upload-Length"`
	Metadata  string `header:"Upload-Metadata" doc:"dataset and its id in base64; nothing else is kept"`
	Expires   string `header:"Upload-Expires" doc:"when it is dropped if nothing more comes, or if it is not sealed"`
}

func tusAnswer(u vault.Upload) *upload {
	return &upload{Resumable: tus.Version, Location: pathUploads + "/" + string(u.ID), Offset: u.Offset, Length: u.Total,
		Metadata: tus.Entry("dataset", string(u.Dataset)), Expires: tus.Expires(u.ExpiresAt)}
}

type createUploadInput struct {
	Resumable string `header:"Tus-Resumable" doc:"1.0.0; another version is answered with 412" example:"1.0.0"`
	Length    int64  `header:"Upload-Length" required:"true" minimum:"1"`
	Metadata  string `header:"Upload-Metadata" required:"true" maxLength:"1024" doc:"dataset and its id in base64"`
}

var errMetadata = fault.New(fault.Invalid, "upload-metadata", "Upload-Metadata must name the dataset: dataset and its id in base64.")

func (s *Server) createUpload(ctx context.Context, in *createUploadInput) (*upload, error) {
	ds, err := tus.Metadata(in.Metadata, "dataset")
	if err != nil || !coop.ValidID(ds) {
		return nil, errMetadata
	}
	u, err := s.Vault.CreateUpload(ctx, callerOf(ctx).Member, coop.DatasetID(ds), in.Length)
	if err != nil {
		return nil, err
	}
	return tusAnswer(u), nil
}

func (s *Server) headUpload(ctx context.Context, in *oneUpload) (*upload, error) {
	u, err := s.Vault.Upload(ctx, callerOf(ctx).Member, coop.UploadID(in.ID))
	if err != nil {
		return nil, err
	}
	return tusAnswer(u), nil
}

type patchInput struct {
	ID          string `path:"id" maxLength:"64"`
	Resumable   string `header:"Tus-Resumable" doc:"1.0.0; another version is answered with 412" example:"1.0.0"`
	ContentType string `header:"Content-Type" doc:"application/offset+octet-stream"`
	Offset      int64  `header:"Upload-Offset" required:"true" minimum:"0"`
	Checksum    string `header:"Upload-Checksum" maxLength:"100" doc:"sha1 or sha256 and the chunk's digest in base64. Of a chunk that breaks off, what came is kept: the manifest answers for the whole"`
}

// patchUpload streams a chunk to disk.
func (s *Server) patchUpload(_ context.Context, in *patchInput) (*huma.StreamResponse, error) {
	if in.ContentType != tus.ContentType {
		return nil, tus.ErrKind
	}
	sum, err := tus.ParseChecksum(in.Checksum)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		r := c.Request()
		u, err := s.Vault.Append(r.Context(), callerOf(r.Context()).Member, coop.UploadID(in.ID), in.Offset, newPart(r.Body, sum))
		if err != nil {
			s.answerError(uploadRefusal(err), c)
			return
		}
		h := c.Response().Header()
		h.Set("Upload-Offset", strconv.FormatInt(u.Offset, 10))
		h.Set("Upload-Expires", tus.Expires(u.ExpiresAt))
		_ = c.NoContent(http.StatusNoContent) // the only failure is a client that is gone
	}}, nil
}

// part is a body with a checksum that can still be interrupted.
type part struct {
	io.Reader
	vault.Interrupter
}

func newPart(body io.Reader, sum tus.Checksum) io.Reader {
	checked := sum.Over(body, vault.ErrDiscard)
	if i, ok := body.(vault.Interrupter); ok {
		return part{checked, i}
	}
	return checked
}

// uploadRefusal gives the vault's refusals of a chunk the status of tus.
func uploadRefusal(err error) error {
	switch {
	case errors.Is(err, vault.ErrDiscard):
		return tus.ErrMismatch
	case errors.Is(err, vault.ErrTooManyParts):
		return newProblem(http.StatusTooManyRequests, vault.ErrTooManyParts.Code, vault.ErrTooManyParts.Message)
	}
	return err
}

func (s *Server) dropUpload(ctx context.Context, in *oneUpload) (*none, error) {
	return nil, s.Vault.Cancel(ctx, callerOf(ctx).Member, coop.UploadID(in.ID))
}

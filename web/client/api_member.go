package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"distributed.ai/datacoop/web/client/rest"
)

// Me is the caller's own membership.
func (c *Client) Me(ctx context.Context) (Me, error) {
	return rest.Get[Me](ctx, c.conn, "v1", "me")
}

// Export is everything the co-op holds about the caller (GDPR art. 15 and 20).
func (c *Client) Export(ctx context.Context) ([]byte, error) {
	return c.document(ctx, "application/json", "v1", "me", "export")
}

// CloseAccount ends the caller's membership. Owed says what becomes of what
// they are owed, "pay" or "give", where that is something; vacate, that they
// leave although nobody else holds their office. The Closing that comes with an
// error has a Code too: where the answer was lost on its way, Closing finds by it
// whether anything has begun.
func (c *Client) CloseAccount(ctx context.Context, owed string, vacate bool) (Closing, error) {
	at, err := c.conn.At("v1", "me")
	if err != nil {
		return Closing{}, err
	}
	code := strings.ToLower(rand.Text()) // 130 bits
	query := url.Values{"code": {code}}
	if owed != "" {
		query.Set("owed", owed)
	}
	if vacate {
		query.Set("vacate", "true")
	}
	at.RawQuery = query.Encode()
	answer, _, err := c.conn.Whole(ctx, rest.Call{Method: http.MethodDelete, URL: at, Header: rest.Accept("application/json")})
	if err != nil {
		return Closing{Code: code}, err
	}
	return rest.Decode[Closing](answer)
}

// Closing is how far an account's closing is, for whoever has its code.
func (c *Client) Closing(ctx context.Context, code string) (Closing, error) {
	return rest.Get[Closing](ctx, c.conn, "v1", "closings", code)
}

// SetRecipient registers the caller's public age recipient. Datasets opened
// later get a vault recipient of the same kind.
func (c *Client) SetRecipient(ctx context.Context, recipient string) error {
	return c.conn.Effect(ctx, http.MethodPut, RecipientBody{Recipient: recipient}, "v1", "me", "recipient")
}

// SetSigningKey registers the public half of the caller's manifest key. From
// then on a dataset is sealed only with a signature by it.
func (c *Client) SetSigningKey(ctx context.Context, key ed25519.PublicKey) error {
	body := SigningKeyBody{PublicKey: base64.StdEncoding.EncodeToString(key)}
	return c.conn.Effect(ctx, http.MethodPut, body, "v1", "me", "signing-key")
}

// SetPayoutAccount says where the caller's money goes.
func (c *Client) SetPayoutAccount(ctx context.Context, account PayoutAccount) error {
	return c.conn.Effect(ctx, http.MethodPut, account, "v1", "me", "payout-account")
}

// PayoutAccount is what is shown of the caller's payout account.
func (c *Client) PayoutAccount(ctx context.Context) (PayoutAccountView, error) {
	return rest.Get[PayoutAccountView](ctx, c.conn, "v1", "me", "payout-account")
}

// CreateToken makes a bearer token for the caller; its secret is in the answer
// and nowhere else.
func (c *Client) CreateToken(ctx context.Context, draft TokenDraft) (Token, error) {
	return rest.Post[Token](ctx, c.conn, draft, "v1", "me", "tokens")
}

// Tokens walks the caller's bearer tokens, without their secrets.
func (c *Client) Tokens(ctx context.Context) iter.Seq2[Token, error] {
	return rest.List[Token](ctx, c.conn, "v1", "me", "tokens")
}

// RevokeToken ends a bearer token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.conn.Effect(ctx, http.MethodDelete, nil, "v1", "me", "tokens", id)
}

// Pause stops every use of the caller's data until Resume.
func (c *Client) Pause(ctx context.Context) error {
	return c.conn.Effect(ctx, http.MethodPost, nil, "v1", "me", "pause")
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context) error {
	return c.conn.Effect(ctx, http.MethodPost, nil, "v1", "me", "resume")
}

// OpenDataset opens a dataset in a pool: the answer names the recipient to
// encrypt to.
func (c *Client) OpenDataset(ctx context.Context, pool string) (Dataset, error) {
	return rest.Post[Dataset](ctx, c.conn, DatasetDraft{Pool: pool}, "v1", "datasets")
}

// OpenSelfCustody opens a dataset that the caller alone can open; see
// Approvals.
func (c *Client) OpenSelfCustody(ctx context.Context, pool string) (Dataset, error) {
	return rest.Post[Dataset](ctx, c.conn, DatasetDraft{Pool: pool, Custody: CustodySelf}, "v1", "datasets")
}

// CreateUpload begins the upload of a dataset's age file of size bytes (tus
// 1.0).
func (c *Client) CreateUpload(ctx context.Context, dataset string, size int64) (Upload, error) {
	return c.createUpload(ctx, rest.NewKey(), dataset, size)
}

func (c *Client) createUpload(ctx context.Context, key, dataset string, size int64) (Upload, error) {
	return c.conn.CreateUpload(ctx, key, size, "dataset", dataset, "v1", "uploads")
}

// UploadOffset asks how much of an upload the server has.
func (c *Client) UploadOffset(ctx context.Context, u Upload) (Upload, error) {
	return c.conn.UploadOffset(ctx, u)
}

// Append sends the bytes that follow u.Offset, once.
func (c *Client) Append(ctx context.Context, u Upload, chunk []byte) (Upload, error) {
	return c.conn.Append(ctx, u, chunk)
}

// CancelUpload ends an upload; what the server has of it is dropped.
func (c *Client) CancelUpload(ctx context.Context, u Upload) error {
	return c.conn.CancelUpload(ctx, u)
}

// Send uploads the rest of from in chunks of about the suggested size, 0 for a
// usual one, and goes on after lost connections. Progress may be nil.
func (c *Client) Send(ctx context.Context, u Upload, from io.ReaderAt, suggested int64, progress func(done, total int64)) (Upload, error) {
	return c.conn.Upload(ctx, u, from, suggested, progress)
}

// Seal finishes a dataset; from then on it can be offered.
func (c *Client) Seal(ctx context.Context, dataset string, body SealBody) (Dataset, error) {
	if body.Consent != nil {
		body.Consent = body.Consent.written()
	}
	body.Profile.Columns = append([]string{}, body.Profile.Columns...)
	return rest.Post[Dataset](ctx, c.conn, body, "v1", "datasets", dataset, "seal")
}

// Datasets walks the caller's datasets.
func (c *Client) Datasets(ctx context.Context) iter.Seq2[Dataset, error] {
	return rest.List[Dataset](ctx, c.conn, "v1", "me", "datasets")
}

// Content is the caller's own dataset as they uploaded it: an age file. The
// caller closes it.
func (c *Client) Content(ctx context.Context, dataset string) (io.ReadCloser, error) {
	d, err := c.conn.Download(ctx, 0, "", "v1", "datasets", dataset, "content")
	if err != nil {
		return nil, err
	}
	return d.Body, nil
}

// Revoke takes a dataset back for good. The answer is the signed receipt, byte
// for byte, as it has to be kept to be verified.
func (c *Client) Revoke(ctx context.Context, dataset string) ([]byte, error) {
	return c.conn.Text(ctx, http.MethodDelete, "", rest.Accept("application/json"), nil, "v1", "datasets", dataset)
}

// Scope is what a consent record is about: a pool, or one dataset.
type Scope struct{ kind, id string }

// PoolScope is everything the member shares in a pool.
func PoolScope(pool string) Scope { return Scope{"pools", pool} }

// DatasetScope is one dataset; its record comes before the pool's.
func DatasetScope(dataset string) Scope { return Scope{"datasets", dataset} }

// Consent is the caller's standing answer for a scope.
func (c *Client) Consent(ctx context.Context, s Scope) (ConsentRecord, error) {
	return rest.Get[ConsentRecord](ctx, c.conn, "v1", "me", "consents", s.kind, s.id)
}

// SetConsent gives or refuses consent for a scope.
func (c *Client) SetConsent(ctx context.Context, s Scope, terms Terms) (ConsentRecord, error) {
	return rest.Put[ConsentRecord](ctx, c.conn, terms.written(), "v1", "me", "consents", s.kind, s.id)
}

// written is t with empty lists where there are none: the API takes no null.
func (t Terms) written() *Terms {
	for _, list := range []*[]string{&t.Purposes, &t.DPV, &t.RequesterKinds, &t.Regions} {
		if *list == nil {
			*list = []string{}
		}
	}
	return &t
}

// WithdrawConsent withdraws the caller's answer for a scope.
func (c *Client) WithdrawConsent(ctx context.Context, s Scope) error {
	return c.conn.Effect(ctx, http.MethodDelete, nil, "v1", "me", "consents", s.kind, s.id)
}

// ConsentReceipt is the signed receipt of a consent record (ISO/IEC TS 27560 in
// DPV), byte for byte.
func (c *Client) ConsentReceipt(ctx context.Context, s Scope) ([]byte, error) {
	return c.document(ctx, "application/ld+json, application/json", "v1", "me", "consents", s.kind, s.id, "receipt")
}

// PreviewConsent says what an answer would mean. Nothing is saved.
func (c *Client) PreviewConsent(ctx context.Context, draft ConsentDraft) (ConsentPreview, error) {
	draft.Terms = *draft.Terms.written()
	return rest.Post[ConsentPreview](ctx, c.conn, draft, "v1", "me", "consents", "preview")
}

// FollowPool takes back the answer a dataset has of its own: its pool's counts.
func (c *Client) FollowPool(ctx context.Context, dataset string) (ConsentRecord, error) {
	return rest.Post[ConsentRecord](ctx, c.conn, nil, "v1", "me", "consents", "datasets", dataset, "as-pool")
}

// ConsentRecords lists every answer the caller ever gave, newest first.
func (c *Client) ConsentRecords(ctx context.Context) (Page[ConsentRecord], error) {
	return rest.Get[Page[ConsentRecord]](ctx, c.conn, "v1", "me", "consents", "records")
}

// RecordReceipt is the signed receipt of any answer the caller ever gave, byte for
// byte.
func (c *Client) RecordReceipt(ctx context.Context, record string) ([]byte, error) {
	return c.document(ctx, "application/ld+json, application/json", "v1", "me", "consents", "records", record, "receipt")
}

// Questions is what the caller is and was asked about single requests.
func (c *Client) Questions(ctx context.Context) (Page[Question], error) {
	return rest.Get[Page[Question]](ctx, c.conn, "v1", "me", "questions")
}

// AnswerQuestion says whether a request may have one of the caller's datasets.
func (c *Client) AnswerQuestion(ctx context.Context, request string, answer QuestionAnswer) (QuestionAnswer, error) {
	return rest.Post[QuestionAnswer](ctx, c.conn, answer, "v1", "me", "questions", request)
}

// Reviews lists the requests that wait for a steward of vetting.
func (c *Client) Reviews(ctx context.Context) (Page[AccessRequest], error) {
	return rest.Get[Page[AccessRequest]](ctx, c.conn, "v1", "reviews")
}

// ReviewCase is what a steward of vetting is asked about one request.
func (c *Client) ReviewCase(ctx context.Context, request string) (ReviewCase, error) {
	return rest.Get[ReviewCase](ctx, c.conn, "v1", "reviews", request)
}

// ReviewRequest says what a steward of vetting found.
func (c *Client) ReviewRequest(ctx context.Context, request string, review RequestReview) error {
	_, err := rest.Post[RequestReview](ctx, c.conn, review, "v1", "reviews", request)
	return err
}

// Uses walks every access to the caller's data and every refusal, newest first.
func (c *Client) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return rest.List[Use](ctx, c.conn, "v1", "me", "uses")
}

// MyStatements walks the caller's statements, one per closed period.
func (c *Client) MyStatements(ctx context.Context) iter.Seq2[MyStatement, error] {
	return rest.List[MyStatement](ctx, c.conn, "v1", "me", "statements")
}

// MyStatement is the caller's part of a period and why it is that much.
func (c *Client) MyStatement(ctx context.Context, period string) (MyStatement, error) {
	return rest.Get[MyStatement](ctx, c.conn, "v1", "me", "statements", period)
}

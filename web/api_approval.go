package web

import (
	"context"
	"encoding/base64"
	"net/http"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerApprovals() {
	on(s, route{http.MethodGet, "/v1/me/approvals", "Granted requests that wait for my own key, newest first", members, 0}, s.approvals)
	on(s, route{http.MethodPost, "/v1/me/approvals/{id}", "Approve one by the header I have re-wrapped, or decline it", members, 0}, s.answerApproval)
}

var (
	errNoRecipient = fault.New(fault.Conflict, "recipient-missing", "Register your own public recipient first: in self-custody the file is encrypted to it alone.")
	errHeader      = fault.New(fault.Invalid, "bad-header", "The header is not standard base64.")
)

func wireCustody(d vault.Dataset) string {
	if d.SelfCustody {
		return client.CustodySelf
	}
	return client.CustodyVault
}

func (s *Server) approvals(ctx context.Context, in *paged) (*page[client.Approval], error) {
	list, err := s.Market.Approvals(ctx, callerOf(ctx).Member, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return newPage("/v1/me/approvals", *in, each(list, wireApproval), func(a client.Approval) string { return a.ID }), nil
}

func wireApproval(a marketplace.Approval) client.Approval {
	return client.Approval{ID: a.ID, Dataset: string(a.Dataset), Pool: string(a.Pool), Request: string(a.Request),
		Researcher: a.Researcher, Kind: a.Kind, Title: a.Title, DUO: a.Purpose.DUO, DPV: a.Purpose.DPV, Purpose: a.Purpose.Plain(),
		RetentionDays: a.RetentionDays, Recipient: a.Recipient, Header: base64.StdEncoding.EncodeToString(a.Header),
		Manifest: client.Manifest(a.Manifest), Signature: base64.StdEncoding.EncodeToString(a.Signature),
		AskedAt: millis(a.CreatedAt), ExpiresAt: millis(a.ExpiresAt)}
}

type approvalInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.ApprovalAnswer
}

func (s *Server) answerApproval(ctx context.Context, in *approvalInput) (*body[client.ApprovalResult], error) {
	who := callerOf(ctx).Member
	if in.Body.Answer == client.AnswerDecline {
		out, err := s.Market.Decline(ctx, who, in.ID)
		return reply(wireAnswered(out), err)
	}
	header, err := base64.StdEncoding.Strict().DecodeString(in.Body.Header)
	if err != nil {
		return nil, errHeader
	}
	out, err := s.Market.Approve(ctx, who, in.ID, in.Body.Recipient, header)
	return reply(wireAnswered(out), err)
}

func wireAnswered(a marketplace.Answered) client.ApprovalResult {
	return client.ApprovalResult{ID: a.ID, Request: string(a.Request), Dataset: string(a.Dataset), State: a.State}
}

package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerQuestions() {
	on(s, route{http.MethodGet, "/v1/me/questions", "What I am asked about single requests, newest first", members, 0}, s.questions)
	on(s, route{http.MethodPost, "/v1/me/questions/{id}", "Answer for one dataset whether a request may have it", members, 0}, s.answerQuestion)
	on(s, route{http.MethodGet, "/v1/reviews", "Requests that wait for a steward of vetting", members, 0}, s.reviews)
	on(s, route{http.MethodGet, "/v1/reviews/{id}", "What a steward of vetting is asked about a request", members, 0}, s.reviewCase)
	on(s, route{http.MethodPost, "/v1/reviews/{id}", "Say what a steward found", members, 0}, s.reviewRequest)
}

func (s *Server) questions(ctx context.Context, _ *none) (*body[client.Page[client.Question]], error) {
	list, err := s.Consent.Questions(ctx, callerOf(ctx).Member)
	if err != nil {
		return nil, err
	}
	out := client.Page[client.Question]{Items: []client.Question{}}
	for _, q := range list {
		a, err := s.Market.Asking(ctx, q.Request)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, terms.Question(q, a))
	}
	return reply(out, nil)
}

type questionInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.QuestionAnswer
}

func (s *Server) answerQuestion(ctx context.Context, in *questionInput) (*body[client.QuestionAnswer], error) {
	err := s.Market.AnswerQuestion(ctx, callerOf(ctx).Member, coop.RequestID(in.ID), coop.DatasetID(in.Body.Dataset), in.Body.Answer == client.AnswerYes)
	return reply(in.Body, err)
}

func (s *Server) reviews(ctx context.Context, _ *none) (*body[client.Page[client.AccessRequest]], error) {
	list, err := s.Market.ToReview(ctx, callerOf(ctx).Member)
	return reply(client.Page[client.AccessRequest]{Items: each(list, terms.Reviewed)}, err)
}

func (s *Server) reviewCase(ctx context.Context, in *byID) (*body[client.ReviewCase], error) {
	c, err := s.Market.UnderReview(ctx, callerOf(ctx).Member, coop.RequestID(in.ID))
	return reply(terms.Case(c), err)
}

type requestReview struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.RequestReview
}

func (s *Server) reviewRequest(ctx context.Context, in *requestReview) (*body[client.RequestReview], error) {
	return reply(in.Body, s.Market.Review(ctx, callerOf(ctx).Member, coop.RequestID(in.ID), in.Body.Approve, in.Body.Reason))
}

package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/money"
)

func (s *Server) money() money.API {
	return money.API{Market: s.Market, Currency: string(s.Charter.Currency),
		Member:     func(ctx context.Context) coop.MemberID { return callerOf(ctx).Member },
		Researcher: func(ctx context.Context) coop.ResearcherID { return callerOf(ctx).Researcher }}
}

func (s *Server) registerMoney() {
	m := s.money()
	on(s, route{http.MethodPost, "/v1/files/{id}/disputes", "Say that a fetched file is no good", researchers, http.StatusCreated}, m.Open)
	on(s, route{http.MethodGet, "/v1/disputes", "My disputes, newest first", researchers, 0}, m.Own)
	on(s, route{http.MethodGet, "/v1/credit-notes", "What I got back, newest first", researchers, 0}, m.Notes)
	on(s, route{http.MethodGet, "/v1/me/disputes", "What researchers say is wrong with my datasets", members, 0}, m.Mine)
	on(s, route{http.MethodPost, "/v1/me/disputes/{id}", "Answer what is said of my dataset", members, 0}, m.Answer)
	on(s, route{http.MethodGet, "/v1/dispute-cases", "All disputes, for stewards of appeals", members, 0}, m.Cases)
	on(s, route{http.MethodPost, "/v1/dispute-cases/{id}/review", "Take a dispute", members, 0}, m.Review)
	on(s, route{http.MethodPost, "/v1/dispute-cases/{id}/decision", "Uphold or dismiss a dispute", members, 0}, m.Decide)
	on(s, route{http.MethodPost, "/v1/me/gifts", "Give a part of what I am owed to the common purpose, for good", members, http.StatusCreated}, m.Give)
	on(s, route{http.MethodGet, "/v1/me/years/{year}", "My account in a calendar year", members, 0}, m.Year)
	on(s, route{http.MethodGet, "/v1/me/years/{year}/statement.csv", "The same as a table", members, 0}, m.YearTable)
	on(s, route{http.MethodGet, "/v1/me/patronage", "What I have contributed, beside the money", members, 0}, m.Patronage)
	on(s, route{http.MethodGet, "/v1/ledger/journal", "The books as a plain-text journal that hledger reads, for the treasury", members, 0}, m.Journal(false))
	on(s, route{http.MethodGet, "/v1/ledger/patronage", "All accounts of patronage as such a journal, for the treasury", members, 0}, m.Journal(true))
}

func (s *Server) patronageOf(ctx context.Context) (any, error) {
	out, err := s.money().Patronage(ctx, &appeals.None{})
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

func (s *Server) movements(ctx context.Context, _ string) ([]any, string, error) {
	list, err := s.money().Movements(ctx)
	return anything(list), "", err
}

func (s *Server) disputesOf(ctx context.Context, _ string) ([]any, string, error) {
	out, err := s.money().Mine(ctx, &appeals.None{})
	if err != nil {
		return nil, "", err
	}
	return anything(out.Body.Items), "", nil
}

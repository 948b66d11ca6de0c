package web

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/bereavement"
	"distributed.ai/datacoop/web/console"
	"distributed.ai/datacoop/web/messages"
	"distributed.ai/datacoop/web/offer"
	"distributed.ai/datacoop/web/results"
	"distributed.ai/datacoop/web/share"
	"distributed.ai/datacoop/web/waymark"
)

func (s *Server) results() results.API {
	return results.API{Market: s.Market, Member: memberOf, Researcher: func(ctx context.Context) coop.ResearcherID { return callerOf(ctx).Researcher }}
}

func (s *Server) share() share.API { return share.API{Market: s.Market, Member: memberOf} }

func (s *Server) messages() messages.API { return messages.API{Inbox: s.inbox, Member: memberOf} }

func (s *Server) console() console.Console {
	return console.Console{Market: s.Market, AuthServer: s.AuthServer, Charter: s.Charter, BaseURL: s.BaseURL, Secure: s.secure}
}

func memberOf(ctx context.Context) coop.MemberID { return callerOf(ctx).Member }

func (s *Server) registerTold() {
	d := offer.Desk{API: s.api, Problem: func(ctx context.Context, err error) error { return problemOf(s.Logger, waymark.Request(ctx), err) },
		Describe: func(o offer.Operation) huma.Operation {
			return s.operation(route{o.Method, o.Path, o.Summary, audience(o.Who), o.Status})
		}}
	s.results().Offer(d)
	s.messages().Offer(d)
	s.share().Offer(d)
	bereavement.API{Service: s.bereavement, Member: memberOf}.Offer(d)
}

package web

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"distributed.ai/datacoop/web/lessons"
	"distributed.ai/datacoop/web/waymark"
)

func (s *Server) lessons() lessons.API {
	return lessons.API{Market: s.Market, Clock: s.Clock, Member: memberOf}
}

func (s *Server) registerLessons() {
	s.lessons().Mount(lessons.Mount{API: s.api, Problem: func(ctx context.Context, err error) error { return problemOf(s.Logger, waymark.Request(ctx), err) },
		Operation: func(method, path, summary string, status int) huma.Operation {
			return s.operation(route{method, path, summary, members, status})
		}})
}

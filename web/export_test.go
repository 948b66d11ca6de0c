package web

import (
	"time"

	"distributed.ai/datacoop/web/bereavement"
)

// Bereavement is the desk that stewards tell of members who have died.
func (s *Server) Bereavement() *bereavement.Service { return s.bereavement }

// Downloading is how many downloads are under way.
func (s *Server) Downloading() int { return s.downloads.Size() }

// Routes lists what is mounted, as "METHOD /path/:name".
func (s *Server) Routes() (out []string) {
	for _, r := range s.echo.Routes() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

// SetMachine gives the proofs of who acts another clock.
func (s *Server) SetMachine(now func() time.Time) { s.proofs.Now = now }

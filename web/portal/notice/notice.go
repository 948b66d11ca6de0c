// Package notice gathers what a privacy notice has to say that only the charter
// and the candidates for judging know: whose machines see what.
//
// It is an annex of the portal, whose page says the rest in sentences.
//
// # What it guarantees
//
// Every model of the charter, and every other that is given to it, is named with the machine it runs on, and one that
// runs elsewhere is told apart from one that runs beside the server.
//
// # What it refuses
//
// To guess: an address that cannot be read counts as somebody else's machine.
package notice

import (
	"net"
	"net/url"
	"slices"

	"distributed.ai/datacoop/internal/coop"
)

// Judge is a model that weighs contributions.
type Judge struct {
	Name   string
	Host   string // of its address
	Remote bool   // it does not run on the server's own machine
}

// Judges lists the charter's models, and then others that are asked: those that
// members adopted, and those of candidates. Each is listed once.
func Judges(c coop.Charter, others ...coop.Model) []Judge {
	out := make([]Judge, 0, len(c.Judges)+len(others))
	for _, m := range slices.Concat(c.Judges, others) {
		j := Judge{Name: m.Name, Host: "an address that cannot be read", Remote: true}
		if u, err := url.Parse(m.BaseURL); err == nil && u.Hostname() != "" {
			j.Host = u.Hostname()
			ip := net.ParseIP(j.Host)
			j.Remote = j.Host != "localhost" && (ip == nil || !ip.IsLoopback())
		}
		if !slices.Contains(out, j) {
			out = append(out, j)
		}
	}
	return out
}

// Remote reports whether any model runs elsewhere.
func Remote(all []Judge) bool {
	for _, j := range all {
		if j.Remote {
			return true
		}
	}
	return false
}

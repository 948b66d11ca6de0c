package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"distributed.ai/datacoop/internal/demo"
)

// reading is how often each page is read: few enough for the limit on requests.
const reading = 12

// portalPages are what a member looks at most, each rendered for them.
var portalPages = []string{"/", "/data", "/consent", "/consent/" + pool, "/uses", "/money", "/votes", "/minutes", "/pools", "/privacy"}

// pages has a member who shares something look at their pages, in a co-op of more
// than a hundred thousand datasets, in turns with a page that asks no room.
func (p *people) pages(ctx context.Context) (Figure, error) {
	who := p.members[len(p.members)-1]
	if _, err := p.share(ctx, os.TempDir(), who.id, 1<<10); err != nil {
		return Figure{}, err
	}
	session, err := demo.Session(ctx, p.Base, p.Accounts[len(p.members)-1])
	if err != nil {
		return Figure{}, err
	}
	read := func(path string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Base+path, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Accept", "text/html")
		resp, err := session.RoundTrip(r)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK || n == 0 {
			err = errors.Join(err, fmt.Errorf("bench: %s answers %d", path, resp.StatusCode))
		}
		return errors.Join(err, resp.Body.Close())
	}
	var page, bare series
	for _, path := range portalPages { // the first reader of a page has it parsed
		if err := read(path); err != nil {
			return Figure{}, err
		}
	}
	for range reading {
		for _, path := range portalPages {
			err := errors.Join(
				page.time(func() error { return read(path) }),
				bare.time(func() error { return read("/livez") }))
			if err != nil {
				return Figure{}, err
			}
		}
	}
	return atMost(30, Figure{Name: "portal_page_p99_ms", Value: page.quantile(99) * 1000, Unit: "ms", Samples: len(page),
		Anchor: fmt.Sprintf("absolute; a member's page over HTTP beside more than 100,000 datasets, %d pages in turn, median %.1f ms, "+
			"which is %.1f times an answer that asks no room, %.2f ms", len(portalPages), page.median()*1000, page.median()/bare.median(), bare.median()*1000)}), nil
}

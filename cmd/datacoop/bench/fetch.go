package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"distributed.ai/datacoop/web/client"
)

// What fetching many files is measured with.
const (
	many     = 1000
	small    = 100_000 // bytes of each before it is encrypted
	parallel = 4       // as the client's Fetch does unless it is told otherwise
	batches  = 3
)

// fetchMany compares fetching many granted files, each of which is decided,
// rewrapped and recorded, with fetching as many bytes from a plain file server
// by the same loop.
func fetchMany(ctx context.Context, env Env, p *people) (Figure, error) {
	if err := p.shareMany(ctx, env.Dir); err != nil {
		return Figure{}, err
	}
	base, stop, err := serveFolder(ctx, filepath.Join(env.Dir, "folder"))
	if err != nil {
		return Figure{}, err
	}
	defer stop()
	names, err := fill(filepath.Join(env.Dir, "folder"))
	if err != nil {
		return Figure{}, err
	}
	var ours, theirs series
	for range batches {
		files, err := p.files(ctx) // of a request of its own, so that every header is made anew
		if err != nil {
			return Figure{}, err
		}
		var granted []string
		for _, f := range files {
			if f.Size > small && f.Size < 2*small {
				granted = append(granted, f.ID)
			}
		}
		if len(granted) != many {
			return Figure{}, fmt.Errorf("%d of %d files were granted", len(granted), many)
		}
		if err := errors.Join(
			theirs.time(func() error { return loop(ctx, base, nil, names) }),
			ours.time(func() error { return loop(ctx, p.Base, p.credentials, granted) })); err != nil {
			return Figure{}, err
		}
	}
	return Figure{Name: "fetch_1000x100kB_vs_static", Value: ours.median() / theirs.median(), Unit: "ratio", Goal: "none", Samples: len(ours), OK: true,
		Anchor: fmt.Sprintf("the same client, %d files at once from as many addresses, at a plain file server, %.0f ms; ours %.0f, each file decided and recorded durably",
			parallel, ms(theirs), ms(ours))}, nil
}

// shareMany seals small datasets, several at once so that they share commits.
func (p *people) shareMany(ctx context.Context, dir string) error {
	var work sync.WaitGroup
	failed := make([]error, 2*parallel)
	for i := range failed {
		work.Go(func() {
			for range many / len(failed) {
				if _, err := p.share(ctx, dir, p.members[i%len(p.members)].id, small); err != nil {
					failed[i] = err
					return
				}
			}
		})
	}
	work.Wait()
	return errors.Join(failed...)
}

// loop fetches files by several workers. Each comes from an address of its own
// where the system lets it, because a server answers one address only so often.
func loop(ctx context.Context, base string, who client.Option, files []string) error {
	var work sync.WaitGroup
	failed := make([]error, parallel)
	next := make(chan string, len(files))
	for _, f := range files {
		next <- f
	}
	close(next)
	for i := range byte(parallel) {
		work.Go(func() { failed[i] = fetchAll(ctx, base, who, i, next) })
	}
	work.Wait()
	return errors.Join(failed...)
}

func fetchAll(ctx context.Context, base string, who client.Option, worker byte, files <-chan string) error {
	transport := &http.Transport{DialContext: from(net.IPv4(127, 0, 0, 2+worker))}
	defer transport.CloseIdleConnections()
	options := []client.Option{client.WithTransport(transport)}
	if who != nil {
		options = append(options, who)
	}
	api, err := client.New(base, options...)
	if err != nil {
		return err
	}
	for id := range files {
		d, err := api.Download(ctx, id, 0, "")
		if err != nil {
			return err
		}
		if err := errors.Join(drain(d.Body, d.Total), d.Body.Close()); err != nil {
			return err
		}
	}
	return nil
}

// from dials from an address of this machine, or from any if it has no such.
func from(ip net.IP) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}).DialContext(ctx, network, addr)
		if err != nil {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		return c, nil
	}
}

// fill writes as many files, as long as an age file of the same content.
func fill(dir string) (names []string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	for i := range many {
		name := fmt.Sprint(i)
		if err := writeNoise(filepath.Join(dir, name), small+2000); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// serveFolder serves files where the API has its own.
func serveFolder(ctx context.Context, dir string) (base string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.StripPrefix("/v1/files/", http.FileServer(http.Dir(dir)))}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}

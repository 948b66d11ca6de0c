package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// shortForm is how ssh is written without saying so: host:path. One letter
// before the colon is a drive.
var shortForm = regexp.MustCompile(`^[^/\\:]{2,}:`)

// parseLocation tells addresses from paths, for which it answers nil.
func parseLocation(location string) (*url.URL, error) {
	if !strings.Contains(location, "://") {
		if strings.TrimSpace(location) == "" || strings.ContainsRune(location, 0) || shortForm.MatchString(location) {
			return nil, ErrLocation
		}
		return nil, nil
	}
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrLocation
	}
	return u, nil
}

// remote fetches repositories over https.
type remote struct{ base http.RoundTripper } // nil: the default

// patience is how long a server may take to begin an answer.
const patience = 30 * time.Second

var errRedirect = errors.New("redirected to another host")

func (r *remote) client(meter *metered) *http.Client {
	base := r.base
	if base == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.ResponseHeaderTimeout = patience
		base = own
	}
	meter.base = base
	return &http.Client{
		Transport: meter,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Scheme != "https" || req.URL.Host != via[0].URL.Host || len(via) > 5 {
				return errRedirect
			}
			return nil
		},
	}
}

// metered lets a number of bytes through, over all answers together.
type metered struct {
	base http.RoundTripper
	left int64
}

var errBudget = errors.New("more bytes than allowed")

func (m *metered) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := m.base.RoundTrip(req)
	if err == nil {
		res.Body = &meteredBody{res.Body, m}
	}
	return res, err
}

type meteredBody struct {
	io.ReadCloser
	meter *metered
}

func (b *meteredBody) Read(p []byte) (int, error) {
	if b.meter.left <= 0 {
		return 0, errBudget
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.meter.left)])
	b.meter.left -= int64(n)
	return n, err
}

// fetch gets the history of one branch, without its files where the server can
// leave them out, into a file that is gone when the objects are closed.
func (r *remote) fetch(ctx context.Context, address *url.URL, o Options) (*objects, plumbing.Hash, error) {
	meter := &metered{left: o.Limits.Bytes}
	client := r.client(meter)
	defer client.CloseIdleConnections()
	file, err := os.CreateTemp("", "datacoop-git-*.pack")
	if err != nil {
		return nil, plumbing.ZeroHash, fmt.Errorf("gitsource: %w", err)
	}
	store := newObjects(ctx, o.Limits)
	store.close = func() {
		_ = file.Close() // nothing in it is kept
		_ = os.Remove(file.Name())
	}
	tip, err := download(ctx, client, address, o.Branch, file)
	if err == nil {
		err = store.take(file)
	}
	if meter.left <= 0 {
		err = ErrTooLarge.With(tooManyBytes)
	}
	if err != nil {
		store.close()
		return nil, plumbing.ZeroHash, err
	}
	return store, tip, nil
}

func (o *objects) take(file *os.File) error {
	p, err := newPack(file)
	if err != nil {
		return err
	}
	o.packs = append(o.packs, p)
	return p.index(o)
}

func download(ctx context.Context, client *http.Client, address *url.URL, name string, to io.Writer) (tip plumbing.Hash, err error) {
	end, err := transport.NewEndpoint(address.String())
	if err != nil {
		return tip, ErrLocation
	}
	session, err := githttp.NewClient(client).NewUploadPackSession(end, nil)
	if err != nil {
		return tip, unreachable("session", err)
	}
	defer func() { _ = session.Close() }() // it holds nothing
	refs, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return tip, unreachable("references", err)
	}
	if tip, err = branch(name, advertised(refs)); err != nil {
		return tip, err
	}
	answer, err := session.UploadPack(ctx, want(tip, refs))
	if err != nil {
		return tip, unreachable("pack", err)
	}
	defer func() { _ = answer.Close() }() // what matters has been read
	var in io.Reader = answer
	if refs.Capabilities.Supports(capability.Sideband64k) {
		in = sideband.NewDemuxer(sideband.Sideband64k, answer)
	}
	if _, err := io.Copy(to, in); err != nil {
		return tip, unreachable("pack", err)
	}
	return tip, nil
}

func advertised(refs *packp.AdvRefs) func(plumbing.ReferenceName) (plumbing.Hash, error) {
	return func(name plumbing.ReferenceName) (plumbing.Hash, error) {
		if name == plumbing.HEAD && refs.Head != nil {
			return *refs.Head, nil
		}
		tip, ok := refs.References[name.String()]
		if !ok {
			return tip, plumbing.ErrReferenceNotFound
		}
		return tip, nil
	}
}

// want asks for everything a commit needs but the contents of files.
func want(tip plumbing.Hash, refs *packp.AdvRefs) *packp.UploadPackRequest {
	req := packp.NewUploadPackRequest()
	req.Wants = []plumbing.Hash{tip}
	for _, c := range []capability.Capability{capability.Sideband64k, capability.OFSDelta, capability.NoProgress} {
		if refs.Capabilities.Supports(c) {
			_ = req.Capabilities.Set(c) // none of them takes an argument
		}
	}
	if refs.Capabilities.Supports(capability.Filter) {
		_ = req.Capabilities.Set(capability.Filter)
		req.Filter = packp.FilterBlobNone()
	}
	return req
}

// unreachable is the fault for what went wrong on the way; the cause is for
// the log.
func unreachable(what string, err error) error {
	return fmt.Errorf("%w (%s: %w)", ErrUnreachable, what, err)
}

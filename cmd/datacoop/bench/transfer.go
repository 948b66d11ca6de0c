package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"distributed.ai/datacoop/web/client"
)

// download compares fetching a granted gigabyte with net/http serving the same
// bytes from a file.
func download(ctx context.Context, env Env) (out []Figure, err error) {
	p, err := gather(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	for i, m := range p.members {
		size := int64(1 << 10)
		if i == 0 {
			size = gibibyte
		}
		if _, err := p.share(ctx, env.Dir, m.id, size); err != nil {
			return nil, err
		}
	}
	files, err := p.files(ctx)
	if err != nil {
		return nil, err
	}
	var large client.File
	for _, f := range files {
		if f.Size > large.Size {
			large = f
		}
	}
	plain := filepath.Join(env.Dir, "plain")
	if err := writeNoise(plain, large.Size); err != nil {
		return nil, err
	}
	base, stop, err := static(ctx, env.Dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	var ours, theirs series
	for range rounds {
		err := errors.Join(
			theirs.time(func() error { return fetchStatic(ctx, base+"/plain", large.Size) }),
			ours.time(func() error { return p.fetch(ctx, large) }))
		if err != nil {
			return nil, err
		}
	}
	many, err := fetchMany(ctx, env, p)
	if err != nil {
		return nil, err
	}
	return []Figure{atMost(1.2, Figure{Name: "download_1GiB_vs_servefile", Value: ours.median() / theirs.median(), Unit: "ratio",
		Samples: len(ours), Anchor: fmt.Sprintf("http.ServeFile with as many bytes, over loopback, %.0f ms", ms(theirs))}), many}, nil
}

func (p *people) fetch(ctx context.Context, f client.File) error {
	d, err := p.researcher.Download(ctx, f.ID, 0, "")
	if err != nil {
		return err
	}
	return errors.Join(drain(d.Body, f.Size), d.Body.Close())
}

func drain(r io.Reader, want int64) error {
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != want {
		err = fmt.Errorf("%d of %d bytes came", n, want)
	}
	return err
}

func writeNoise(path string, n int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, noise(n))
	return errors.Join(err, f.Close())
}

// static serves a directory as plainly as net/http can.
func static(ctx context.Context, dir string) (base string, stop func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(dir, "plain"))
	})}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}

func fetchStatic(ctx context.Context, url string, want int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return errors.Join(drain(resp.Body, want), resp.Body.Close())
}

// upload compares receiving half a gigabyte with dd writing it durably, and
// looks at the memory of a server that does nothing else.
func upload(ctx context.Context, env Env) (out []Figure, err error) {
	s, err := startServer(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var ours, chunked, theirs series
	idle := s.memory()
	one, err := s.during(func() error { return s.half(ctx, env.Dir, &ours, &chunked, &theirs) })
	if err != nil {
		return nil, err
	}
	many, err := s.during(func() error { return s.crowd(ctx, env.Dir) })
	if err != nil {
		return nil, err
	}
	out = []Figure{
		atMost(1.15, Figure{Name: "upload_512MiB_vs_dd", Value: ours.median() / theirs.median(), Unit: "ratio", Samples: len(ours),
			Anchor: fmt.Sprintf("dd bs=1M conv=fsync of the same file, %.0f ms, in turns; one request, received, hashed and synced", ms(theirs))}),
		{Name: "upload_512MiB_chunked_vs_dd", Value: chunked.median() / theirs.median(), Unit: "ratio", Goal: "none", Samples: len(chunked), OK: true,
			Anchor: "the same; as our client sends it, in chunks of 8 MiB and more, each with a checksum and synced before it is acknowledged"},
	}
	out = append(out, held("upload_512MiB", 32, idle, one, len(ours)+len(chunked))...)
	return append(out, held("upload_64x10MB", 120, idle, many, crowd)...), nil
}

// half uploads half a gigabyte in one request and in chunks, in turns with dd.
func (s *server) half(ctx context.Context, dir string, ours, chunked, theirs *series) error {
	api, token := s.members[0].api, s.members[0].token
	for range rounds {
		file, up, err := s.prepare(ctx, 0, dir, 512<<20)
		if err != nil {
			return err
		}
		again, second, err := s.prepare(ctx, 0, dir, 512<<20)
		if err != nil {
			return errors.Join(err, file.Close())
		}
		err = errors.Join(
			theirs.time(func() error { return dd(ctx, file.Name(), filepath.Join(dir, "dd")) }),
			ours.time(func() error { return send(ctx, up, token, file) }), api.CancelUpload(ctx, up),
			chunked.time(func() error { _, err := api.Send(ctx, second, again, 0, nil); return err }), api.CancelUpload(ctx, second),
			file.Close(), again.Close(), os.Remove(file.Name()), os.Remove(again.Name()))
		if err != nil {
			return err
		}
	}
	return nil
}

// send uploads a file in one request (tus 1.0), as a client may that trusts its
// connection.
func send(ctx context.Context, u client.Upload, token string, file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, u.Location, io.NopCloser(file))
	if err != nil {
		return err
	}
	req.ContentLength = u.Size
	for key, value := range map[string]string{"Authorization": "Bearer " + token, "Tus-Resumable": "1.0.0", "Upload-Offset": "0",
		"Content-Type": "application/offset+octet-stream"} {
		req.Header.Set(key, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("upload: %s", resp.Status)
	}
	return nil
}

func dd(ctx context.Context, from, to string) error {
	out, err := exec.CommandContext(ctx, "dd", "if="+from, "of="+to, "bs=1M", "conv=fsync").CombinedOutput() //nolint:gosec // paths of our own making
	if err != nil {
		return fmt.Errorf("dd: %w: %s", err, out)
	}
	return os.Remove(to)
}

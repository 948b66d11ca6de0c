package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/policies"
)

// opaModule is built into a program of its own: none of it that this program
// does not use already is linked into this one.
const opaModule = "github.com/open-policy-agent/opa"

// opaServer is Open Policy Agent's own server, with the same law, in a process
// of its own.
type opaServer struct {
	process *exec.Cmd
	said    bytes.Buffer
	url     string
	client  *http.Client
}

// opaVersion is the release that this program embeds.
func opaVersion() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == opaModule {
				return m.Version
			}
		}
	}
	return ""
}

// opaProgram finds the program of that release, or builds it from its module.
func opaProgram(ctx context.Context, dir string) (string, error) {
	version := opaVersion()
	if version == "" {
		return "", errors.New("this program does not say which release of OPA it embeds")
	}
	if path, err := exec.LookPath("opa"); err == nil {
		said, err := exec.CommandContext(ctx, path, "version").Output() // #nosec G204 -- the operator's own
		if err == nil && strings.Contains(string(said), "Version: "+strings.TrimPrefix(version, "v")+"\n") {
			return path, nil
		}
	}
	build := exec.CommandContext(ctx, "go", "install", opaModule+"@"+version) // #nosec G204 -- both are ours
	build.Dir, build.Env = dir, append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off")
	if said, err := build.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return "", fmt.Errorf("no opa %s is installed, and none can be built: %w: %s", version, err, lines[len(lines)-1])
	}
	return filepath.Join(dir, "opa"), nil
}

// startOPA serves a law from a directory that it makes. The error says why that
// cannot be done here.
func startOPA(ctx context.Context, dir string, law *policies.Revision) (*opaServer, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	program, err := opaProgram(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := writeLaw(filepath.Join(dir, "law"), law); err != nil {
		return nil, err
	}
	free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	s := &opaServer{url: "http://" + address, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
	s.process = exec.CommandContext(ctx, program, "run", "--server", "--addr", address, "--log-level", "error", "--disable-telemetry", filepath.Join(dir, "law")) // #nosec G204 -- built above
	s.process.Stdout, s.process.Stderr = &s.said, &s.said
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%w: %s", err, s.said.String())
	}
	return s, nil
}

// writeLaw writes down all sources of a law, each under its path, where the
// server finds the terms by the name of their directory.
func writeLaw(dir string, law *policies.Revision) error {
	archive, err := law.Archive()
	if err != nil {
		return err
	}
	sources := map[string]string{}
	if err := json.Unmarshal(archive, &sources); err != nil {
		return err
	}
	for name, text := range sources {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			return err
		}
	}
	return nil
}

func (s *opaServer) ready(ctx context.Context) error {
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/health", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := s.client.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("the OPA server did not get ready")
}

// stop ends the server, which has nothing to lose.
func (s *opaServer) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// cpu is the processor time the server has used (proc(5), schedstat, in
// nanoseconds, of each of its threads).
func (s *opaServer) cpu() (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.process.Process.Pid))
	if err != nil || len(threads) == 0 {
		return 0, errors.Join(errors.New("the processor time of another process is read on Linux alone"), err)
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread) // #nosec G304 -- listed by the system
		if err != nil {
			return 0, err
		}
		used, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(used, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// use notes the processor time that a question takes in both processes.
func (s *opaServer) use(to *series, fn func() error) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	var own series
	if err := own.use(fn); err != nil {
		return err
	}
	after, err := s.cpu()
	*to = append(*to, own[0]+after-before)
	return err
}

// body is a question as the server reads it.
func body(in policies.Input) ([]byte, error) {
	input, err := in.Evaluated()
	return slices.Concat([]byte(`{"input":`), input, []byte("}")), err
}

// ask puts one question.
func (s *opaServer) ask(ctx context.Context, body []byte) (policies.Outcome, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/data/coop/decision/result", bytes.NewReader(body))
	if err != nil {
		return policies.Outcome{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return policies.Outcome{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return policies.Outcome{}, errors.Join(err, fmt.Errorf("the OPA server: %s: %s", resp.Status, text))
	}
	var answer struct {
		Result policies.Outcome `json:"result"`
	}
	err = json.Unmarshal(text, &answer)
	return answer.Result, err
}

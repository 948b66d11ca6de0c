package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"distributed.ai/datacoop/web/client"
)

// crowd is how many uploads come at once.
const crowd = 64

// server is a co-op in a process of its own.
type server struct {
	process *exec.Cmd
	said    bytes.Buffer
	members []member
}

// startServer starts it and waits until its people are there.
func startServer(ctx context.Context, env Env) (s *server, err error) {
	dir := filepath.Join(env.Dir, "server")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	s = &server{process: exec.CommandContext(ctx, env.Server[0], append(env.Server[1:], "--data", dir, "--listen", "localhost:0")...)} //nolint:gosec // this very program
	s.process.Stdout, s.process.Stderr = &s.said, &s.said
	s.process.Cancel = func() error { return s.process.Process.Signal(os.Interrupt) }
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	ready := struct {
		BaseURL string `json:"base_url"`
		Members []struct {
			Token string `json:"token"`
		} `json:"members"`
	}{}
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		if err == nil && json.Unmarshal(text, &ready) == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) && err != nil || time.Since(begun) > time.Minute {
			return nil, errors.Join(errors.New("the server did not get ready"), err, s.stop())
		}
	}
	for _, m := range ready.Members {
		api, err := client.New(ready.BaseURL, client.WithToken(m.Token))
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		s.members = append(s.members, member{token: m.Token, api: api})
	}
	return s, nil
}

func (s *server) stop() error {
	err := s.process.Process.Signal(os.Interrupt)
	if failed := s.process.Wait(); failed != nil {
		err = errors.Join(err, fmt.Errorf("the server: %w: %s", failed, s.said.Bytes()))
	}
	return err
}

// memory is what a process holds, in megabytes.
type memory struct {
	own     float64 // what it has allocated; only the process itself can give it back
	program float64 // the program's own file and its libraries, as far as the system keeps them in
}

func (s *server) memory() memory {
	return memory{own: s.status("RssAnon:"), program: s.status("RssFile:")}
}

// during watches the process while work goes on and returns the most it held.
// The kernel keeps a peak only of the whole, so it is looked at a hundred times
// a second.
func (s *server) during(work func() error) (peak memory, err error) {
	done := make(chan error)
	go func() { done <- work() }()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for {
		now := s.memory()
		peak = memory{own: max(peak.own, now.own), program: max(peak.program, now.program)}
		select {
		case err := <-done:
			return peak, err
		case <-every.C:
		}
	}
}

// held are two figures of a process's memory at its peak: what it holds
// itself, which has the goal, and that together with the program's file.
func held(name string, goal float64, idle, peak memory, samples int) []Figure {
	return []Figure{
		atMost(goal, Figure{Name: name + "_rss_mb", Value: peak.own, Unit: "MB", Samples: samples,
			Anchor: fmt.Sprintf("absolute: what the server has allocated, at its peak; idle it is %.1f", idle.own)}),
		{Name: name + "_with_program_mb", Value: peak.own + peak.program, Unit: "MB", Goal: "none", Samples: samples, OK: true,
			Anchor: fmt.Sprintf("absolute: the same and what the system keeps in of the program's own file, %.1f now and %.1f idle; "+
				"it takes that back when memory is short", peak.program, idle.program)},
	}
}

// status reads one line of /proc/PID/status; 0 where there is none.
func (s *server) status(name string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) > 1 && string(fields[0]) == name {
			kb, _ := strconv.ParseFloat(string(fields[1]), 64) // the kernel writes numbers
			return kb * 1024 / 1e6
		}
	}
	return 0
}

// prepare opens a dataset and an upload for a file of n bytes.
func (s *server) prepare(ctx context.Context, who int, dir string, n int64) (*os.File, client.Upload, error) {
	api := s.members[who%len(s.members)].api
	d, err := api.OpenDataset(ctx, pool)
	if err != nil {
		return nil, client.Upload{}, err
	}
	path := filepath.Join(dir, d.ID)
	size, err := encrypted(path, n, d.VaultRecipient)
	if err != nil {
		return nil, client.Upload{}, err
	}
	up, err := api.CreateUpload(ctx, d.ID, size)
	if err != nil {
		return nil, client.Upload{}, err
	}
	file, err := os.Open(path)
	return file, up, err
}

// crowd uploads 64 files of 10 MB at once.
func (s *server) crowd(ctx context.Context, dir string) error {
	done := make(chan error, crowd)
	for i := range crowd {
		file, up, err := s.prepare(ctx, i, dir, 10_000_000)
		if err != nil {
			return err
		}
		go func() {
			_, err := s.members[i%len(s.members)].api.Send(ctx, up, file, 0, nil)
			done <- errors.Join(err, file.Close(), os.Remove(file.Name()))
		}()
	}
	var failed []error
	for range crowd {
		failed = append(failed, <-done)
	}
	return errors.Join(failed...)
}

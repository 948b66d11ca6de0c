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

// memory is what a process holds at a moment, in megabytes.
type memory struct {
	all     float64 // resident
	program float64 // of that, the program's own file and its libraries, as far as they have been read
}

func (s *server) memory() memory {
	return memory{all: s.status("VmRSS:"), program: s.status("RssFile:")}
}

// peak is the most the process has held since forget, in megabytes.
func (s *server) peak() float64 { return s.status("VmHWM:") }

// forget has the peak of starting not count (proc(5), clear_refs). Where that
// is not allowed it counts.
func (s *server) forget() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.process.Process.Pid), []byte("5"), 0)
}

// resident is a figure of the process's memory at its peak, all of it.
func (s *server) resident(name string, goal float64, idle memory, samples int) Figure {
	peak := s.peak()
	return atMost(goal, Figure{Name: name, Value: peak, Unit: "MB", Samples: samples,
		Anchor: fmt.Sprintf("absolute: the whole process at its peak. Of that it holds %.0f when idle, %.0f of them the program's own file, "+
			"which the system reads in and takes back as it likes; uploads add %.1f", idle.all, idle.program, peak-idle.all)})
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

package testkit

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Server is a PostgreSQL server of a test's own, which keeps what it confirms
// (fsync is on) and can be killed. It goes with the test.
type Server struct {
	t          testing.TB
	bin, dir   string
	port, name string
}

// OwnServer starts a server. It skips the test where tests do not run on
// PostgreSQL or the programs to start a server are not there, and says so.
func OwnServer(t testing.TB) *Server {
	t.Helper()
	PostgresOnly(t)
	s := &Server{t: t, bin: programs(), dir: filepath.Join(t.TempDir(), "server")}
	if s.bin == "" {
		t.Skip("needs the programs of a PostgreSQL server, such as Debian's package postgresql installs")
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // which may not run a server
		if _, err := user.Lookup("postgres"); err != nil {
			t.Skip("root may not run a PostgreSQL server, and there is no user postgres")
		}
		for dir := s.dir; dir != os.TempDir() && dir != string(os.PathSeparator); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // a directory of this test, which another user passes through
				t.Fatal(err)
			}
		}
		if out, err := exec.CommandContext(t.Context(), "chown", "postgres", s.dir).CombinedOutput(); err != nil { //nolint:gosec // a directory of this test
			t.Fatalf("%v %s", err, out)
		}
	}
	s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// programs is where Debian puts them, the newest version first; "" if nowhere.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is good
	version := func(name string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(name))))
		return n
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run runs one of the programs, as a user who may.
func (s *Server) run(program string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), time.Minute)
	defer cancel()
	all := append([]string{filepath.Join(s.bin, program)}, args...)
	if os.Geteuid() == 0 {
		all = append([]string{"runuser", "-u", "postgres", "--"}, all...)
	}
	cmd := exec.CommandContext(ctx, all[0], all[1:]...) //nolint:gosec // programs of this test
	cmd.Dir = string(os.PathSeparator)
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("%s: %v %s\n%s", program, err, out, log)
	}
}

// Start starts the server, which repairs what a kill left, and returns once it
// answers.
func (s *Server) Start() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-w", "start", "-o",
		"-p "+s.port+" -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on -c synchronous_commit=on")
}

// Kill kills the server with all its processes, as a machine that loses its
// memory does, and returns once they are gone. A server that does not run is
// none to kill.
func (s *Server) Kill() {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0]))
	if err != nil || pid <= 1 {
		s.t.Fatalf("postmaster.pid: %q", text)
	}
	of, err := children(pid)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range append([]int{pid}, of...) {
		if process, err := os.FindProcess(p); err == nil {
			_ = process.Kill() // it may be gone
		}
	}
	for _, p := range append(of, pid) {
		for deadline := time.Now().Add(20 * time.Second); alive(p); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				s.t.Fatalf("process %d outlives its kill", p)
			}
		}
	}
	// The dead may keep their numbers until somebody notices them, and the next
	// server would take them for the living.
	if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
}

// children lists the processes that a process has started.
func children(pid int) (out []int, err error) {
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err == nil && len(lists) == 0 {
		err = errors.New("the system does not say which processes the server has")
	}
	for _, name := range lists {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, child)
			}
		}
	}
	return out, err
}

// alive reports whether a process runs; one that has died and waits for its
// parent to notice does not.
func alive(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(after, "Z")
}

// Address is a new, empty database on the server.
func (s *Server) Address() string {
	s.t.Helper()
	s.name += "d"
	s.run("createdb", "-h", "127.0.0.1", "-p", s.port, "-U", "postgres", s.name)
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", s.port), Path: "/" + s.name}
	return u.String()
}

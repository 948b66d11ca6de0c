// Command count reads what go test -json writes and says how many tests ran.
//
//	go test -json ./... | count NAME TOTALS
//
// It prints a line for each package, the whole output of what failed and the
// reason of what was skipped; then "suite NAME: N tests, M skipped", where N
// counts every test and subtest that ran to its end, passed or failed. A
// package that fails without a failing test, because it does not compile, dies
// or has no time left, counts as one failed test. The three sums are appended
// to the file TOTALS as "passed failed skipped". It exits 1 if anything failed
// or nothing ran: a suite that has lost its tests is not a suite that passed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of go test -json; see go doc test2json and go help
// buildjson.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// tally is the state of one run.
type tally struct {
	out                     io.Writer
	passed, failed, skipped int
	inPackage, badInPackage map[string]int
	said                    map[[2]string]*strings.Builder // output of unfinished tests
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go test -json ./... | count NAME TOTALS")
		os.Exit(2)
	}
	t := &tally{out: os.Stdout, inPackage: map[string]int{}, badInPackage: map[string]int{}, said: map[[2]string]*strings.Builder{}}
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
	fmt.Printf("suite %s: %d tests, %d skipped\n", os.Args[1], t.passed+t.failed, t.skipped)
	if err := t.save(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

func (t *tally) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) == nil:
			t.take(e)
		default:
			fmt.Fprintf(t.out, "%s", line) // the go command itself complains in plain text
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) take(e event) {
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "output":
		if t.said[key] == nil {
			t.said[key] = &strings.Builder{}
		}
		t.said[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.finish(e)
		} else {
			t.test(e)
		}
		delete(t.said, key)
	}
}

// test counts one test and shows it unless it passed.
func (t *tally) test(e event) {
	t.inPackage[e.Package]++
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		t.badInPackage[e.Package]++
		fmt.Fprint(t.out, t.output(e))
	case "skip":
		t.skipped++
		fmt.Fprintf(t.out, "skip\t%s %s: %s\n", e.Package, e.Test, reason(t.output(e)))
	}
}

// finish ends a package.
func (t *tally) finish(e event) {
	switch {
	case e.Action == "fail":
		if t.badInPackage[e.Package] == 0 {
			t.failed++
			fmt.Fprint(t.out, t.output(e))
			t.unfinished(e.Package)
		}
		fmt.Fprintf(t.out, "FAIL\t%s\t%.1fs\n", e.Package, e.Elapsed)
	case t.inPackage[e.Package] > 0:
		fmt.Fprintf(t.out, "ok\t%s\t%.1fs\t%d tests\n", e.Package, e.Elapsed, t.inPackage[e.Package])
	}
}

// unfinished shows the tests during which a package died.
func (t *tally) unfinished(pkg string) {
	for key, said := range t.said {
		if key[0] == pkg && key[1] != "" {
			fmt.Fprintf(t.out, "unfinished: %s\n%s", key[1], said)
		}
	}
}

func (t *tally) output(e event) string {
	if said := t.said[[2]string{e.Package, e.Test}]; said != nil {
		return said.String()
	}
	return ""
}

// reason is the line in which a test said why it skips.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "no reason given"
}

func (t *tally) save(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(file, t.passed, t.failed, t.skipped); err != nil {
		return err
	}
	return file.Close()
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"distributed.ai/datacoop/internal/fault"
)

// told is an error as the person at the terminal reads it, with the status
// the process ends with.
type told struct {
	error
	status int
}

// ExitCode is the status of the process.
func (t told) ExitCode() int { return t.status }

// The statuses a command ends with, beside 0 for all went well.
const (
	statusFailed      = 1
	statusInterrupted = 130 // 128 and the number of SIGINT, as shells have it
)

// plain puts an error into sentences: a fault without its code but with its
// details, an interruption as what it is. Again says how to go on after one.
func plain(err error, again string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return told{errors.New("interrupted. " + again), statusInterrupted}
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return told{err, statusFailed}
	}
	sentences := strings.Join(append([]string{f.Message}, f.Detail...), " ")
	return told{errors.New(strings.Replace(err.Error(), f.Error(), sentences, 1)), statusFailed}
}

// bytesOf writes a size for people.
func bytesOf(n int64) string {
	const kilo = 1000
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= kilo && unit < len(units)-1 {
		value, unit = value/kilo, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

// counted writes a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// rows writes a list of labelled values in two columns.
func rows(w io.Writer, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "  %-10s %s\n", pairs[i], pairs[i+1])
		}
	}
}

// percent writes thousandths.
func percent(permille int) string { return fmt.Sprintf("%d.%d %%", permille/10, permille%10) }

// talk is where people are spoken to: a JSON answer has standard output for
// itself.
func talk(json bool) io.Writer {
	if json {
		return os.Stderr
	}
	return os.Stdout
}

// agree asks, unless the answer was given with --yes, and returns declined for
// anything but yes.
func agree(say io.Writer, yes bool, question string, declined error) error {
	if yes {
		return nil
	}
	fmt.Fprint(say, "\n"+question+" [y/N] ")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read your answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return declined
}

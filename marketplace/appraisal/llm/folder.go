package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"sync"
)

// Folder is a Recorder in a directory of its own: "<run>.log" while a task is
// weighed, "<trace>.jsonl" for the record. Files are readable by their owner
// alone. Records are on the disk when Finish returns; of a run that lost its
// power, the last attempts may be asked again. It is safe for concurrent use by one process.
type Folder struct {
	root *os.Root
	mu   sync.Mutex
	logs map[string]*os.File
}

// OpenFolder opens a directory, which is made if it is not there.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("llm: open folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("llm: open folder: %w", err)
	}
	return &Folder{root: root, logs: map[string]*os.File{}}, nil
}

// Close closes all files.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := []error{f.root.Close()}
	for run, log := range f.logs {
		errs = append(errs, log.Close())
		delete(f.logs, run)
	}
	return errors.Join(errs...)
}

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Begin implements Recorder. A last line that was cut off in writing is dropped:
// its attempt never counted.
func (f *Folder) Begin(_ context.Context, run string, header []byte) ([]Attempt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !digestPattern.MatchString(run) {
		return nil, ErrRecord.With("not a run")
	}
	held, err := f.root.ReadFile(run + ".log")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	held = held[:bytes.LastIndexByte(held, '\n')+1]
	first, rest, _ := bytes.Cut(held, []byte("\n"))
	if len(held) > 0 && !bytes.Equal(first, header) {
		return nil, ErrRecord.With("the log is of another run")
	}
	attempts, err := readLog(rest)
	if err != nil {
		return nil, err
	}
	if log := f.logs[run]; log != nil {
		return attempts, nil
	}
	log, err := f.root.OpenFile(run+".log", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f.logs[run] = log
	if err := log.Truncate(int64(len(held))); err != nil {
		return nil, err
	}
	if _, err := log.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return attempts, write(log, header)
	}
	return attempts, nil
}

func readLog(lines []byte) ([]Attempt, error) {
	var out []Attempt
	for line := range bytes.Lines(lines) {
		var a Attempt
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, ErrRecord.With("a line of the log cannot be read")
		}
		out = append(out, a)
	}
	return out, nil
}

func write(log *os.File, line []byte) error {
	_, err := log.Write(append(line[:len(line):len(line)], '\n'))
	return err
}

// Add implements Recorder.
func (f *Folder) Add(run string, a Attempt) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.logs[run]
	if log == nil {
		return ErrRecord.With("the run is not open")
	}
	return write(log, a.line())
}

// Finish implements Recorder.
func (f *Folder) Finish(_ string, record []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := digest(record) + ".jsonl"
	file, err := f.root.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(record)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return f.root.Rename(name+".new", name)
}

// Record finds a finished record by its SHA-256, which a statement's opinion
// names as Trace. The error satisfies errors.Is(err, fs.ErrNotExist) if there is
// none.
func (f *Folder) Record(trace string) ([]byte, error) {
	if !digestPattern.MatchString(trace) {
		return nil, fs.ErrNotExist
	}
	return f.root.ReadFile(trace + ".jsonl")
}

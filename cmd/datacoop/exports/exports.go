// Package exports opens the files of a member's export for the command line.
//
// A file that is named itself is never left out: if it cannot be read, the
// command says so and stops. A folder stands for what in it belongs to the
// pool, because real exports carry pictures and read-me files; what was not
// read is counted by kind, so that nobody believes it was shared. The package
// refuses nothing by a file's name.
package exports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// Open finds the files of an export. Left counts those of folders that do not
// belong to the pool, and logs that lie beside databases.
func Open(pool string, paths []string) (all []codebook.Input, left []codebook.Left, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s is not there", path)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read export: %w", err)
		}
		if info.IsDir() {
			found, others, err := within(pool, path)
			if err != nil {
				return nil, nil, err
			}
			all, left = append(all, found...), codebook.AddLeft(left, others)
			continue
		}
		in, err := client.InputFile(path)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, in)
		if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
			left = codebook.AddLeft(left, []codebook.Left{{Kind: codebook.LeftLog, Count: 1}})
		}
	}
	return all, left, nil
}

func within(pool, dir string) ([]codebook.Input, []codebook.Left, error) {
	var files []codebook.Input
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(entry.Name(), ".") && path != dir; hidden && entry.IsDir() {
			return fs.SkipDir
		} else if hidden || !entry.Type().IsRegular() {
			return nil
		}
		in, err := client.InputFile(path)
		files = append(files, in)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read export: %w", err)
	}
	kept, left, err := codebook.Gather(pool, files)
	if errors.Is(err, codebook.ErrUnknownFormat) {
		return nil, nil, fmt.Errorf("%s holds no export that belongs to the pool %s", dir, pool)
	}
	return kept, left, err
}

// Said tells in a line what was not read; empty if everything was.
func Said(left []codebook.Left) string {
	var parts []string
	for _, l := range left {
		kind := l.Kind
		if l.Count != 1 {
			kind = strings.Replace(strings.Replace(kind, "file", "files", 1), "sound or film", "sounds or films", 1)
			if !strings.Contains(kind, "files") && !strings.HasSuffix(kind, "s") {
				kind += "s"
			}
		}
		parts = append(parts, fmt.Sprintf("%d %s", l.Count, kind))
	}
	if len(parts) == 0 {
		return ""
	}
	said := "Not read: " + strings.Join(parts, ", ") + "."
	if slices.ContainsFunc(left, func(l codebook.Left) bool { return l.Kind == codebook.LeftLog }) {
		said += " A database log holds what a running program has not moved into its database yet: close the program, then do this again."
	}
	return said
}

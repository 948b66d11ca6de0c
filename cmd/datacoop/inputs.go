package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// inputs opens the paths of an export. A folder stands for the files in it
// that belong to the pool; others in it are left out, because real exports
// carry pictures and read-me files. A file that is named itself is never left
// out.
func inputs(pool string, paths []string) ([]codebook.Input, error) {
	var all []codebook.Input
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not there", path)
		}
		if err != nil {
			return nil, fmt.Errorf("read export: %w", err)
		}
		if info.IsDir() {
			found, err := within(pool, path)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
			continue
		}
		in, err := client.InputFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	return all, nil
}

func within(pool, dir string) ([]codebook.Input, error) {
	var found []codebook.Input
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
		if err != nil {
			return err
		}
		if _, belongs, err := codebook.Recognise(in); err == nil && belongs == pool {
			found = append(found, in)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read export: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no export that belongs to the pool %s", dir, pool)
	}
	return found, nil
}

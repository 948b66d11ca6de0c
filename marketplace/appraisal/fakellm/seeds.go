package fakellm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// PublishedSeeds reads the seeds of BIPIA and spikee from the folder of
// fixtures: every attack of the former, every jailbreak of the latter with every
// instruction, and the suffixes. Nothing is there without the folder.
func PublishedSeeds(fixtures string) ([]string, error) {
	root := filepath.Join(fixtures, "17-prompt-injection")
	if _, err := os.Stat(root); fixtures == "" || err != nil {
		return nil, nil //nolint:nilerr // the caller says that it is missing
	}
	dir := os.DirFS(root)
	var out []string
	for _, name := range []string{"bipia/text_attack_train.json", "bipia/code_attack_train.json"} {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("seeds: %w", err)
		}
		var lists map[string][]string
		if err := json.Unmarshal(text, &lists); err != nil {
			return nil, fmt.Errorf("seeds: %s: %w", name, err)
		}
		for _, list := range lists {
			out = append(out, list...)
		}
	}
	for _, set := range []string{"spikee/seeds-mini-test/", "spikee/seeds-llm-mailbox/"} {
		var lists [3][]string
		for i, file := range [3][2]string{{"instructions.jsonl", "instruction"}, {"jailbreaks.jsonl", "text"}, {"adv_suffixes.jsonl", "suffix"}} {
			list, err := fieldOf(dir, set+file[0], file[1])
			if err != nil {
				return nil, err
			}
			lists[i] = list
		}
		for _, jailbreak := range lists[1] {
			for _, instruction := range lists[0] {
				out = append(out, strings.ReplaceAll(jailbreak, "<INSTRUCTION>", instruction))
			}
		}
		out = append(out, lists[2]...)
	}
	slices.Sort(out)
	return out, nil
}

// fieldOf reads one text field of every line of JSON.
func fieldOf(dir fs.FS, name, field string) (out []string, err error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("seeds: %s: %w", name, err)
		}
		if s, ok := v[field].(string); ok {
			out = append(out, s)
		}
	}
	return out, lines.Err()
}

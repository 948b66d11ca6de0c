// Command pages holds the repository's pages to what they say.
//
//	pages [-bin DATACOOP] PAGE.md…
//
// Every relative link must lead to a file, and every #fragment to a heading.
// With -bin, every datacoop command in an indented or fenced block must exist
// in that binary and know each flag it is given. It prints one line for each
// finding and, at the end, how much it looked at; it exits 1 if it found
// anything, or nothing to look at.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+\s+(.+)$`)
	fences   = regexp.MustCompile("(?ms)^```.*?^```")
	commands = regexp.MustCompile(`(?m)^(?:go run \./cmd/|\./)?datacoop ([a-z].*)$`)
	flags    = regexp.MustCompile(`\s(--[a-z][a-z-]*)`)
	unslug   = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
)

func main() {
	bin := flag.String("bin", "", "a built datacoop, to ask about its commands")
	flag.Parse()
	looked, found := 0, 0
	for _, page := range flag.Args() {
		text, err := os.ReadFile(page)
		if err != nil {
			fmt.Fprintln(os.Stderr, "pages:", err)
			os.Exit(2)
		}
		n, findings := follow(page, string(text))
		looked += n
		if *bin != "" {
			n, more := ask(*bin, string(text))
			looked += n
			findings = append(findings, more...)
		}
		for _, f := range findings {
			fmt.Printf("%s: %s\n", page, f)
		}
		found += len(findings)
	}
	fmt.Printf("%d links and commands looked at, %d wrong\n", looked, found)
	if found > 0 || looked == 0 {
		os.Exit(1)
	}
}

// follow checks the links of a page.
func follow(page, text string) (looked int, findings []string) {
	for _, match := range links.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		target := match[1]
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue // what others publish is not ours to promise
		}
		looked++
		file, fragment, _ := strings.Cut(target, "#")
		aim := text
		if file != "" {
			path := filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
			if _, err := os.Stat(path); err != nil {
				findings = append(findings, "the link to "+target+" leads nowhere")
				continue
			}
			if fragment == "" {
				continue
			}
			read, err := os.ReadFile(path)
			if err != nil {
				findings = append(findings, "the link to "+target+" names a heading of what is no page")
				continue
			}
			aim = string(read)
		}
		if !slices.Contains(slugs(aim), fragment) {
			findings = append(findings, "the link to "+target+" names a heading that is not there")
		}
	}
	return looked, findings
}

// slugs are the fragments under which a forge shows a page's headings.
func slugs(text string) (out []string) {
	for _, match := range headings.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		slug := unslug.ReplaceAllString(strings.ToLower(match[1]), "")
		out = append(out, strings.ReplaceAll(slug, " ", "-"))
	}
	return out
}

// ask checks the commands of a page against what the binary says of itself.
func ask(bin, text string) (looked int, findings []string) {
	for _, block := range fences.FindAllString(text, -1) {
		block = strings.ReplaceAll(block, "\\\n", " ")
		for _, match := range commands.FindAllStringSubmatch(block, -1) {
			looked++
			line, _, _ := strings.Cut(match[1], " #")
			if problem := known(bin, line); problem != "" {
				findings = append(findings, "datacoop "+line+": "+problem)
			}
		}
	}
	return looked, findings
}

// known asks for the help of the command that a line begins with.
func known(bin, line string) string {
	var words []string
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "-") || word != strings.ToLower(word) || strings.ContainsAny(word, "./$=") {
			break
		}
		words = append(words, word)
	}
	for len(words) > 0 {
		help, err := help(bin, words)
		if err != nil {
			words = words[:len(words)-1] // the last word was an argument
			continue
		}
		for _, match := range flags.FindAllStringSubmatch(line, -1) {
			if !strings.Contains(help, match[1]) {
				return "it has no flag " + match[1]
			}
		}
		return ""
	}
	return "there is no such command"
}

// help is what a command says of itself and of the commands below it, one of
// which may stand for it.
func help(bin string, words []string) (string, error) {
	text, err := exec.Command(bin, append(slices.Clone(words), "--help")...).CombinedOutput()
	if err != nil {
		return "", err
	}
	all := string(text)
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "  "+strings.Join(words, " ")+" ")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, " ")
		if text, err = exec.Command(bin, append(slices.Clone(words), name, "--help")...).CombinedOutput(); err != nil {
			return "", err
		}
		all += string(text)
	}
	return all, nil
}

package gitsource

import (
	"regexp"
	"strings"
)

// Trailers that are read, in lower case.
const (
	signedOffBy  = "signed-off-by"
	coAuthoredBy = "co-authored-by"
)

// mostCoAuthors is how many co-authors of one commit are looked at.
const mostCoAuthors = 200

type trailer struct{ key, value string }

// trailers reads the last paragraph of a message, if it is a block of trailers
// by git's rule (git-interpret-trailers): every line is one, or a quarter are
// and one of them is of those git itself writes. The first paragraph is never
// one.
func trailers(message string) []trailer {
	lines := strings.Split(message, "\n")
	end := len(lines)
	for end > 0 && blank(lines[end-1]) {
		end--
	}
	start := end
	for start > 0 && !blank(lines[start-1]) {
		start--
	}
	if start == 0 || allBlank(lines[:start]) {
		return nil
	}
	return block(lines[start:end])
}

func block(lines []string) []trailer {
	var found []trailer
	others, git, folded := 0, false, false
	for _, line := range lines {
		switch key, value, ok := cutTrailer(line); {
		case ok:
			found = append(found, trailer{key, value})
			git = git || key == signedOffBy
			folded = true
		case folded && (line[0] == ' ' || line[0] == '\t'): // goes on with the value above
			last := &found[len(found)-1]
			last.value = strings.TrimSpace(last.value + " " + strings.TrimSpace(line))
		case strings.HasPrefix(line, "(cherry picked from commit "):
			git, folded = true, false
		case strings.HasPrefix(line, "#"):
		default:
			others++
			folded = false
		}
	}
	if others > 0 && (!git || 3*len(found) < others) {
		return nil
	}
	return found
}

// cutTrailer splits "Key: value"; a key has letters, digits and hyphens.
func cutTrailer(line string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(line, ":")
	key = strings.TrimRight(key, " \t")
	if !ok || key == "" || strings.IndexFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) >= 0 {
		return "", "", false
	}
	return strings.ToLower(key), strings.TrimSpace(value), true
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

func allBlank(lines []string) bool {
	for _, line := range lines {
		if !blank(line) {
			return false
		}
	}
	return true
}

// coAuthor reads "Name <address>"; without a usable address it is nobody.
func coAuthor(value string) (person, bool) {
	open := strings.LastIndexByte(value, '<')
	if open < 0 || !strings.HasSuffix(value, ">") {
		return person{}, false
	}
	p := person{name: strings.TrimSpace(value[:open]), email: strings.TrimSuffix(value[open+1:], ">")}
	_, ok := Address(p.email)
	return p, ok
}

var revertLine = regexp.MustCompile(`(?m)^This reverts commit ([0-9a-f]{40})\b`)

// mostReverts is how many reverts of one commit are looked at.
const mostReverts = 100

// reverted lists the ids of commits that a message says it takes back.
func reverted(message string) (ids []string) {
	for _, m := range revertLine.FindAllStringSubmatch(message, mostReverts) {
		ids = append(ids, m[1])
	}
	return ids
}

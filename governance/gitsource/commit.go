package gitsource

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// mostParents is far above what git itself merges at once.
const mostParents = 256

// commit is what is kept of one.
type commit struct {
	id, tree  plumbing.Hash
	parents   []plumbing.Hash
	author    person
	committed time.Time // zero if the commit does not say
	subject   string    // cleaned
	detail    string    // first line after the subject, cleaned
	signed    bool
	together  bool     // it has a co-author trailer, readable or not
	coauthors []person // those that can be read
	reverts   []string
	bot       bool
}

func (c *commit) merge() bool { return len(c.parents) > 1 }

// parseCommit reads a commit object (git-commit(1) and gitformat-signature(5)
// know its headers). It is strict about what the graph rests on, and lenient
// about the rest.
func parseCommit(data []byte) (commit, error) {
	var c commit
	head, message, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		head = bytes.TrimSuffix(head, []byte("\n"))
	}
	encoding, seen := "", 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		key, value, _ := bytes.Cut(line, []byte(" "))
		var ok bool
		switch string(key) {
		case "tree":
			c.tree, ok = hash(value)
			ok = ok && seen == 0
		case "parent":
			var parent plumbing.Hash
			parent, ok = hash(value)
			ok = ok && !parent.IsZero()
			if c.parents = append(c.parents, parent); len(c.parents) > mostParents {
				return commit{}, ErrTooLarge.With(tooManyParents)
			}
		case "author":
			c.author, ok = parsePerson(value), true
		case "committer":
			c.committed, ok = parsePerson(value).at, true
		case "encoding":
			encoding, ok = string(value), true
		default:
			ok = true // signatures, merge tags and what may come
		}
		if !ok || seen == 0 && string(key) != "tree" {
			return commit{}, ErrCorrupt
		}
		seen++
	}
	c.author.name, c.author.email = decode([]byte(c.author.name), encoding), decode([]byte(c.author.email), encoding)
	c.bot = c.author.bot()
	c.say(decode(message, encoding))
	return c, nil
}

// say keeps what matters of a message.
func (c *commit) say(message string) {
	message = strings.TrimLeft(strings.ReplaceAll(message, "\r\n", "\n"), "\n")
	subject, rest, _ := strings.Cut(message, "\n")
	detail, _, _ := strings.Cut(strings.TrimLeft(rest, " \t\n"), "\n")
	c.subject, c.detail = clean(prefix(subject), longestTitle), clean(prefix(detail), longestTitle)
	c.reverts = reverted(rest)
	for _, t := range trailers(message) {
		switch t.key {
		case signedOffBy:
			c.signed = true
		case coAuthoredBy:
			c.together = true
			if p, ok := coAuthor(t.value); ok && len(c.coauthors) < mostCoAuthors {
				c.coauthors = append(c.coauthors, p)
			}
		}
	}
}

// prefix cuts a line that is too long to be worth cleaning as a whole.
func prefix(line string) string { return line[:min(len(line), 16*longestTitle)] }

func hash(text []byte) (h plumbing.Hash, ok bool) {
	if len(text) != 2*len(h) {
		return h, false
	}
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		default:
			return plumbing.ZeroHash, false
		}
		h[i/2] = h[i/2]<<4 | b
	}
	return h, true
}

// parsePerson reads "Name <address> seconds zone" the way git does: the name
// ends at the first "<", the address at the next ">", and the time follows the
// last ">".
func parsePerson(value []byte) (p person) {
	name, rest, found := bytes.Cut(value, []byte("<"))
	p.name = string(bytes.TrimSpace(name))
	if !found {
		return p
	}
	email, _, _ := bytes.Cut(rest, []byte(">"))
	p.email = string(bytes.TrimSpace(email))
	if end := bytes.LastIndexByte(rest, '>'); end >= 0 {
		p.at = parseTime(string(bytes.TrimSpace(rest[end+1:])))
	}
	return p
}

// latest is the last day of the year 9999 but one: RFC 3339 has no later years,
// and no zone makes it later than that.
const latest = 253402214399

// parseTime reads "seconds ±hhmm". What is out of any calendar is no time.
func parseTime(value string) time.Time {
	seconds, zone, _ := strings.Cut(value, " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || at < 0 || at > latest {
		return time.Time{}
	}
	return time.Unix(at, 0).In(parseZone(zone))
}

func parseZone(zone string) *time.Location {
	n, err := strconv.Atoi(zone)
	if err != nil || len(zone) != 5 {
		return time.UTC
	}
	minutes := n/100*60 + n%100
	if minutes == 0 || minutes < -14*60 || minutes > 14*60 {
		return time.UTC
	}
	return time.FixedZone("", minutes*60)
}

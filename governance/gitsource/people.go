package gitsource

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// person is who a commit says made it, in the bytes it says it with.
type person struct {
	name, email string
	at          time.Time // zero if the commit does not say, or nothing believable
}

// Identity is one author of a contribution. It is personal data: it prints as
// nothing, and is there to be matched with what members have claimed.
type Identity struct {
	name  string // cleaned
	email string // as Address has it; empty if the commit holds no usable one
}

// Matches reports whether an address is this author's, in any case.
func (i Identity) Matches(email string) bool {
	address, ok := Address(email)
	return ok && address == i.email
}

// Email is the author's address in normal form, or "" if the commit holds no
// usable one. It is for matching alone: never store, show or log it.
func (i Identity) Email() string { return i.email }

// Format prints nothing that identifies, whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(an author)") }

// MarshalJSON holds nothing that identifies.
func (i Identity) MarshalJSON() ([]byte, error) { return []byte(`{}`), nil }

// key tells authors of one contribution apart.
func (i Identity) key() string {
	if i.email != "" {
		return i.email
	}
	return "\x00" + i.name
}

func (p person) identity() Identity {
	address, _ := Address(p.email)
	return Identity{name: strings.ToLower(clean(p.name, longestTitle)), email: address}
}

// same reports whether two commits in a row are by one person, who may have
// switched addresses between them.
func same(a, b Identity) bool {
	return a.email != "" && a.email == b.email || a.name != "" && a.name == b.name
}

// longestAddress is the limit of RFC 5321, section 4.5.3.1.3, less its brackets.
const longestAddress = 254

var address = regexp.MustCompile("^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
	"@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$")

// Address brings an e-mail address into normal form, lower case without
// blanks, and reports whether it is one: the dot-atom of RFC 5322 at a domain
// with at least two labels. Quoted, literal and non-ASCII addresses are not
// taken, because nobody could compare them by eye.
func Address(email string) (string, bool) {
	email = strings.ToLower(strings.TrimSpace(email))
	if len(email) > longestAddress || strings.IndexByte(email, '@') > 64 || !address.MatchString(email) {
		return "", false
	}
	return email, true
}

// knownBots are names that programs commit under without saying so.
var knownBots = map[string]bool{
	"dependabot": true, "dependabot-preview": true, "renovate": true, "greenkeeper": true, "github actions": true,
	"github-actions": true, "github": true, "gitlab": true, "web-flow": true, "pre-commit-ci": true, "allcontributors": true,
	"mergify": true, "codecov": true, "imgbot": true, "semantic-release": true, "weblate": true, "transifex": true,
	"copilot": true, "travis ci": true, "circleci": true, "jenkins": true, "bors": true, "buildbot": true,
}

// machineMailboxes are local parts that nobody reads.
var machineMailboxes = map[string]bool{
	"noreply": true, "no-reply": true, "donotreply": true, "bot": true, "action": true, "actions": true, "ci": true, "robot": true,
}

// bot reports whether a program made the commit: it says [bot], its last word
// is bot, or its name or mailbox is a known program's.
func (p person) bot() bool {
	name, email := strings.ToLower(strings.TrimSpace(p.name)), strings.ToLower(strings.TrimSpace(p.email))
	if strings.Contains(name, "[bot]") || strings.Contains(email, "[bot]") || knownBots[name] {
		return true
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) > 1 && words[len(words)-1] == "bot" {
		return true
	}
	local, _, _ := strings.Cut(email, "@")
	return machineMailboxes[local] || strings.HasSuffix(local, "-bot")
}

// Package glossary explains the portal's own words.
//
// It says of any page which of them stand on it, so that nobody has to know a
// word before they meet it. It refuses to explain a word by another one of its
// own, and what a dictionary has.
package glossary

import (
	"html"
	"regexp"
	"strings"
)

// Entry is a word and what it means here, in a sentence or two.
type Entry struct {
	Word, Means string
	forms       *regexp.Regexp
}

// entry makes one. Forms are the other shapes of the word, as alternatives of a
// regular expression.
func entry(word, forms, means string) Entry {
	return Entry{word, means, regexp.MustCompile(`(?i)\b(?:` + regexp.QuoteMeta(word) + `s?|` + forms + `)\b`)}
}

var all = []Entry{
	entry("Dataset", `datasets`, "One file you gave, turned into a table and locked with a key."),
	entry("Pool", `pools`, "The data of one kind from all members, offered together."),
	entry("Encrypted", `encrypts?|encrypting`, "Turned into bytes that nobody can read without the right key."),
	entry("Vault", `vaults`, "The part of the server that keeps keys and locked files."),
	entry("Self-custody", `self-custody`, "You alone keep the key to your data, and you say yes or no each time somebody asks."),
	entry("Recovery sheet", `recovery sheets`, "A page with a code that opens your key. Print it, for the day you lose your phone or computer."),
	entry("Passkey", `passkeys`, "What your phone or computer keeps in the place of a password. Your finger, face or PIN unlocks it."),
	entry("Consent", `consents|consented`, "Your answer to what your data may be used for. You can change it, pause it or withdraw it."),
	entry("Request", `requests|requested`, "What somebody asks the co-op for: which data, and what for."),
	entry("Researcher", `researchers`, "A person or body that asks for data. The co-op has checked who they are."),
	entry("Purpose", `purposes`, "What somebody wants to use data for, in words that science has agreed on."),
	entry("Header", `headers|header’s|headers’|header's|headers'`, "The small part of a locked file that says which keys open it."),
	entry("Keystore", `keystore’s`, "Where the server keeps its keys, apart from everything else."),
	entry("Revoke", `revokes|revoked|revoking|revocation`, "Destroy what you gave: its key and its file. It cannot be undone."),
	entry("Receipt", `receipts`, "A signed proof of what you said or what was done. Keep it; anybody can check it."),
	entry("Log", `log’s`, "The list of everything that happened, signed so that nobody can change it later. It names nobody."),
	entry("Proposal", `proposals|proposed`, "A rule that a member wants. Before the vote it is tried on what was asked in the past."),
	entry("Quorum", `quorum`, "How many have to say yes before a vote counts."),
	entry("Steward", `stewards|steward’s`, "A member with an office: to check who asks for data, to pay out the money, or to hear those who contest it."),
	entry("Appeal", `appeals`, "To say that an amount is wrong. Somebody else looks at it again before money moves."),
	entry("Period", `periods|period’s`, "A stretch of time whose money is shared out together."),
	entry("Statement", `statements`, "The list of how money is shared out, and why."),
	entry("Settled", `settles?|settling|settlement`, "The time to contest the amounts is over, and each belongs to its member."),
	entry("Model", `models|model’s`, "A computer program that weighs what data or a piece of work was worth. Members vote how far it may go, and whether it counts."),
	entry("Panel", `panels|panel’s`, "Five members, drawn by lot, who judge what a member contests."),
	entry("Patronage", `patronage`, "A count of what you did with the co-op. It is no money and no share."),
	entry("Epoch", `epochs`, "A stretch of some days. When it ends, its key is destroyed, and old backups can no longer open what members took back."),
	entry("Dispute", `disputes|disputed`, "Somebody who paid says that a file cannot be opened, or is not what was promised."),
}

// All lists every word, in the order of a first visit.
func All() []Entry { return all }

var (
	unread = regexp.MustCompile(`(?s)^.*<main[^>]*>|<(?:pre|code)\b.*?</(?:pre|code)>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
	door   = regexp.MustCompile(`(?i)\blog (?:in|out)\b`) // which is no log
)

// In lists the words that stand in the main part of a page, in English. What is
// for programs does not count.
func In(page string) []Entry {
	text := door.ReplaceAllString(html.UnescapeString(spaces.ReplaceAllString(unread.ReplaceAllString(page, " "), " ")), " ")
	var out []Entry
	for _, e := range all {
		if e.forms.MatchString(text) {
			out = append(out, e)
		}
	}
	return out
}

// Spoken lists the words of a page in another language, where say says a word in
// it. Other shapes of a word are not known there.
func Spoken(page string, say func(string) string) []Entry {
	text := strings.ToLower(html.UnescapeString(unread.ReplaceAllString(page, " ")))
	var out []Entry
	for _, e := range all {
		if strings.Contains(text, strings.ToLower(say(e.Word))) {
			out = append(out, e)
		}
	}
	return out
}

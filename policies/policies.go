// Package policies is the law book: the Rego that decides every release, and
// the engine that reads it. It is the only importer of Open Policy Agent.
//
// # The law
//
// Four packages of Rego answer one question, whether one dataset may be
// released for one request:
//
//	coop.base      base law: what no member and no vote can waive
//	coop.consent   the member's own records against the request
//	coop.access    what the members voted; the one file a proposal replaces
//	coop.decision  releases if base law and the member permit, nothing refuses and
//	               nobody is left to be asked
//
// A fifth, coop.cohort, says the same of a row of a table: what partial
// evaluation leaves of it and of coop.access are conditions on columns (Cohort),
// or ErrFragment where law says what columns cannot answer.
//
// Terms (DUO and DPV purposes, diseases, kinds of personal data, regions) form
// trees whose closures package trees writes into terms/data.json and a Rego test
// proves. A permission must cover a request: it names the requested term or an
// ancestor of it. A refusal need only touch it: ancestor, the term itself, or a
// descendant.
//
// The modifiers of the Data Use Ontology are conditions of a record (Limits),
// matched with what a request says of its study (Study). Each has one of three
// verdicts: met; not met, which refuses; or for people to say, a steward about
// what a request claims, the member about what it leaves open. What people must
// say is never a release. A condition that law does not know is not met.
// testdata/duo_golden.csv holds what must follow from the ontology's definitions,
// pair by pair. The tree of diseases is a small selection of our own: a disease
// outside it is put to the member.
//
// # What it guarantees
//
// A vote can narrow and never widen: coop.access is read only through counts
// that stand against a release. An error, an undefined result, a deadline, a
// sealed engine and a malformed input are refusals. Every refusal has at least
// one reason with a stable code and a plain sentence, and every answer names the
// rules of law that fired, so that a replay compares how it came about too. A Revision is named by
// the SHA-256 of everything that can change an answer: all canonical sources
// and the terms. No policy reads a dataset's, a member's or a record's id, and a
// requester's only where a record names the requesters it is for; so inputs that
// differ only in ids have one answer (see Input.Class). Questions recorded before
// the vocabulary grew read and replay as they were.
//
// # What it refuses
//
// A file for coop.access that is not exactly that: another package, imports,
// `with`, a bare or computed `input`, anything of `input` outside the published
// vocabulary (Vocabulary), the time, data outside data.terms, computed codes or
// sentences, built-ins outside a short allow-list, text that is not in the
// canonical layout (Format). Gate says in sentences what is wrong.
//
// The package knows no database and no clock: time reaches policy only as
// Request.Time.
package policies

import (
	"embed"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
)

//go:embed kernel access terms invariants
var files embed.FS

// Paths of the two files that are not part of the kernel; a Revision's archive
// uses them as keys.
const (
	accessPath = "access/access.rego"
	termsPath  = "terms/data.json"
)

// ErrSealed says that no law is in force, so that nothing can be released.
var ErrSealed = errors.New("policies: no revision is in force")

// Default is the access policy a new co-op starts with.
func Default() []byte { return mustRead(accessPath) }

// Base returns the sources of base law, consent matching, decision and terms,
// by path, for publication. The access policy is not among them.
func Base() map[string][]byte {
	out := map[string][]byte{termsPath: mustRead(termsPath)}
	maps.Copy(out, regoIn("kernel", false))
	return out
}

// regoIn reads the Rego files of one embedded directory, tests or the rest.
func regoIn(dir string, tests bool) map[string][]byte {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		panic("policies: embedded directory is missing: " + dir)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if path.Ext(name) == ".rego" && isTest(name) == tests {
			out[name] = mustRead(name)
		}
	}
	return out
}

func isTest(name string) bool {
	matched, _ := path.Match("*_test.rego", path.Base(name))
	return matched
}

func mustRead(name string) []byte {
	text, err := files.ReadFile(name)
	if err != nil {
		panic("policies: embedded file is missing: " + name)
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

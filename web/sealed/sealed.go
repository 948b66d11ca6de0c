// Package sealed keeps members' age identities in a form that only they can
// open, so that a member who has lost a device has not lost their key.
//
// # What it is for
//
// The browser makes a member's identity and seals it: once under the code of a
// printed recovery sheet, and once under each passkey (WebAuthn's PRF
// extension). The sealed files are kept here as one [Document], so that another
// browser of the same member can fetch and open them.
//
// # What it guarantees
//
// The server learns the public recipient, how many locks there are, when they
// were made and what the member calls them; it has no code and no passkey, so
// it can open nothing. A document replaces exactly the revision that its sender
// has seen, so two tabs never overwrite each other. Only the member reads it. A
// lock is taken away or replaced only by who has just shown that it is them:
// whoever finds an open browser cannot shut its member out of their key. The
// file that a sheet opens is given only to who has shown it in the last minutes,
// as a device that has just signed in has: a sheet that was found and an open
// browser are not enough. What a passkey opens needs the passkey itself. The
// keys in the account are set once by any browser of the member, and replaced by
// who has shown that it is them; the member is told of each change.
//
// # What it refuses
//
// A secret key that is not sealed, anything that is no age file with the one
// stanza its lock needs, and a document for another key than the account's.
package sealed

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strconv"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/portable"
	"distributed.ai/datacoop/web/stepup"
)

// API answers for what is kept in DB. Member finds who makes a request. Sure
// refuses who has not just shown that they are that member; of a grave class its
// answer is used up. Tell has members told something.
type API struct {
	DB         *db.DB
	Governance *governance.Service
	Member     func(context.Context) coop.MemberID
	Sure       func(context.Context, stepup.Class) error
	Tell       func(*db.Tx, coop.Notice) error
}

// Answer is a document and its revision, as an entity tag.
type Answer struct {
	ETag string `header:"ETag"`
	Body Document
}

// Get answers the caller's document, or [ErrNone].
func (a API) Get(ctx context.Context, _ *struct{}) (*Answer, error) {
	doc, revision, err := a.given(ctx)
	if err != nil {
		return nil, err
	}
	return &Answer{tag(revision), doc}, nil
}

// given is the caller's document. What a sheet opens is left out for who has not
// shown in the last minutes that it is them.
func (a API) given(ctx context.Context) (Document, int64, error) {
	doc, revision, err := a.read(ctx, a.Member(ctx))
	if err == nil && a.Sure(ctx, stepup.Open) != nil {
		for i, l := range doc.Locks {
			if l.Kind == KindSheet {
				doc.Locks[i].Sealed = ""
			}
		}
	}
	return doc, revision, err
}

// Order is a document with what its sender has seen.
type Order struct {
	IfMatch     string `header:"If-Match" maxLength:"64" doc:"The ETag of what it replaces"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"8" doc:"An asterisk, where nothing was stored before"`
	Body        Document
}

// Stored is the entity tag of what was stored.
type Stored struct {
	ETag string `header:"ETag"`
}

// ErrBlind is answered where nobody said what is to be replaced.
var ErrBlind = fault.New(fault.Invalid, "sealed-identity-unconditional", "Say what this replaces: If-Match with the ETag you read, or If-None-Match: * where there was nothing.")

// Put stores a document in place of the one its sender has seen. Whoever has not
// seen what is there learns that first: [ErrStale]. One that lacks a lock of that,
// or has another in its place, needs the sender to be sure.
func (a API) Put(ctx context.Context, in *Order) (*Stored, error) {
	seen, err := in.seen()
	if err != nil {
		return nil, err
	}
	before, err := a.before(ctx)
	if err != nil {
		return nil, err
	}
	if before.revision == seen {
		in.Body.fill(before.Document)
	}
	err = in.Body.Validate()
	switch {
	case before.revision != seen && !errors.Is(err, ErrPlain): // whoever has let a key out learns that even so
		return nil, ErrStale
	case err != nil:
		return nil, err
	}
	who, err := a.Governance.Member(ctx, a.Member(ctx))
	if err != nil {
		return nil, err
	}
	loses := before.loses(in.Body)
	if loses {
		if err := a.Sure(ctx, stepup.Key); err != nil {
			return nil, err
		}
	}
	revision, err := a.write(ctx, who.ID, in.Body, seen, who.Recipient, loses)
	if err != nil {
		return nil, err
	}
	return &Stored{tag(revision)}, nil
}

// kept is what was stored before; the zero value where there was nothing.
type kept struct {
	Document
	revision int64
}

func (a API) before(ctx context.Context) (k kept, err error) {
	k.Document, k.revision, err = a.read(ctx, a.Member(ctx))
	if errors.Is(err, ErrNone) {
		return kept{}, nil
	}
	return k, err
}

// loses reports whether a document would take away a lock of the revision that
// it replaces, or is for another key.
func (k kept) loses(doc Document) bool {
	return k.revision != 0 && (doc.Recipient != k.Recipient || slices.ContainsFunc(k.Locks, func(old Lock) bool { return !slices.ContainsFunc(doc.Locks, old.opens) }))
}

func tag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

var tagged = regexp.MustCompile(`^"([1-9][0-9]{0,17})"$`)

// seen is the revision that an order replaces, 0 for none.
func (o *Order) seen() (int64, error) {
	switch {
	case o.IfMatch == "" && o.IfNoneMatch == "*":
		return 0, nil
	case o.IfMatch == "":
		return 0, ErrBlind
	}
	found := tagged.FindStringSubmatch(o.IfMatch)
	if found == nil {
		return 0, ErrStale // no tag of ours, so not of what is there
	}
	return strconv.ParseInt(found[1], 10, 64)
}

// Held is the caller's document for their export; nil where there is none.
func (a API) Held(ctx context.Context) (any, error) {
	doc, _, err := a.given(ctx)
	if errors.Is(err, ErrNone) {
		return nil, nil
	}
	return doc, err
}

// Files are the caller's sealed identities as the age files they are. Any
// program that speaks age opens that of a sheet, with the sheet's code. It is
// there for who has shown in the last minutes that it is them; where it is left
// out, the notes say so.
func (a API) Files(ctx context.Context) (out []portable.File, notes []string, err error) {
	doc, _, err := a.given(ctx)
	if errors.Is(err, ErrNone) {
		return nil, nil, nil
	}
	for _, l := range doc.Locks {
		if l.Sealed == "" {
			notes = []string{withoutSheet}
			continue
		}
		about := "Your key, sealed to a passkey of yours."
		if l.Kind == KindSheet {
			about = "Your key, sealed to your recovery sheet: age -d asks for the sheet's code."
		}
		out = append(out, portable.Document("key/"+l.Kind+"-"+l.ID+".age", about, func() ([]byte, error) {
			return base64.StdEncoding.DecodeString(l.Sealed)
		}))
	}
	return out, notes, err
}

// withoutSheet stands in an archive that lacks a sheet's file.
const withoutSheet = "Not in this archive is what your recovery sheet opens. It is given only within five minutes of signing in, or to a token that may act for you, so that somebody who finds your browser open cannot take it. To have it, sign out, sign in again and download the archive at once."

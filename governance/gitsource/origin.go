package gitsource

import "encoding/hex"

// Origin says which piece of a repository's history a contribution is, and who
// made it. It is what a member's machine tells the co-op.
type Origin struct {
	Source string // Contribution.ID

	// Authors are the e-mail addresses of everybody who made it, in order of
	// appearance; empty for one who gave none. They are compared with members'
	// claims and not kept.
	Authors []string
}

// Origin is where the contribution comes from.
func (c Contribution) Origin() Origin {
	o := Origin{Source: c.ID, Authors: make([]string, len(c.Authors))}
	for i, a := range c.Authors {
		o.Authors[i] = a.Email()
	}
	return o
}

// Check reports what is wrong: [ErrSource] or [ErrAuthors].
func (o Origin) Check() error {
	if sum, err := hex.DecodeString(o.Source); err != nil || len(sum) != 32 || hex.EncodeToString(sum) != o.Source {
		return ErrSource
	}
	if len(o.Authors) == 0 || len(o.Authors) > MostAuthors {
		return ErrAuthors
	}
	for _, a := range o.Authors {
		if _, ok := Address(a); a != "" && !ok {
			return ErrAuthors
		}
	}
	return nil
}

package coop

import (
	"cmp"
	"errors"
	"fmt"
)

// People is what a charter says about who may join by themselves, and whom
// people write to in certain cases.
type People struct {
	AdultAge    int    `toml:"adult_age"`   // who joins is asked whether they are so old; 0 asks nobody
	Guardians   bool   `toml:"guardians"`   // whether a younger person is told to ask the co-op about a guardian; closed unless set
	Complaints  string `toml:"complaints"`  // where a complaint goes; empty: the co-op's contact
	Bereavement string `toml:"bereavement"` // whom relatives of a member who died write to; empty: the co-op's contact
}

// Complaints is where a complaint goes: an address or URL.
func (c Charter) Complaints() string { return cmp.Or(c.People.Complaints, c.Contact) }

// Bereavement is whom relatives of a member who died write to.
func (c Charter) Bereavement() string { return cmp.Or(c.People.Bereavement, c.Contact) }

// Younger is what somebody reads who is not old enough to join.
func (c Charter) Younger() string {
	text := fmt.Sprintf("You can join when you are %d. Nothing was saved.", c.People.AdultAge)
	if c.People.Guardians {
		text += " If a parent or guardian wants to ask about it, they can write to " + c.Contact + "."
	}
	return text
}

// oldest is the most a charter may ask for: who is older decides for themselves
// everywhere.
const oldest = 21

func (c Charter) checkPeople() error {
	if age := c.People.AdultAge; age < 0 || age > oldest {
		return errors.New("people: adult_age must be between 0, which asks nobody, and 21")
	}
	return nil
}

package header

import (
	"errors"
	"slices"
	"testing"

	"filippo.io/age"
)

func TestAHeaderForOneRecipientIsToldFromAnyOther(t *testing.T) {
	key := make([]byte, fileKeyLen)
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	build := func(to ...age.Recipient) []byte {
		t.Helper()
		hdr, err := Build(key, to...)
		if err != nil {
			t.Fatal(err)
		}
		return hdr
	}
	one, pq, two := build(classic.Recipient()), build(hybrid.Recipient()), build(classic.Recipient(), classic.Recipient())
	c, h := classic.Recipient().String(), hybrid.Recipient().String()
	for name, a := range map[string]struct {
		hdr  []byte
		to   string
		want error
	}{
		"classic":                        {one, c, nil},
		"post-quantum":                   {pq, h, nil},
		"classic for a post-quantum key": {one, h, ErrNotSingle},
		"post-quantum for a classic key": {pq, c, ErrNotSingle},
		"two":                            {two, c, ErrNotSingle},
		"half":                           {one[:len(one)/2], c, ErrTruncated},
		"a byte more":                    {append(slices.Clone(one), '\n'), c, ErrMalformed},
		"nothing":                        {nil, c, ErrTruncated},
	} {
		if err := CheckSingle(a.hdr, a.to); !errors.Is(err, a.want) {
			t.Errorf("%s: %v, want %v", name, err, a.want)
		}
	}
}

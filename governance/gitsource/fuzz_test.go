package gitsource

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

func FuzzTrailers(f *testing.F) {
	for _, s := range []string{"", "a\n\nSigned-off-by: A <a@b.test>", "a\n\nx: y\n z\n", "a\n\nb\n\nCo-authored-by: x\n(cherry picked from commit 1)\nfoo\nbar",
		"a\n\n\n\n \n", "\n\n:\n", "a\n\n--: x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		for _, found := range trailers(message) {
			if found.key == "" || strings.ContainsAny(found.key, " \n:") || strings.ToLower(found.key) != found.key {
				t.Errorf("key %q", found.key)
			}
			if p, ok := coAuthor(found.value); ok {
				if _, valid := Address(p.email); !valid {
					t.Errorf("address %q", p.email)
				}
			}
		}
	})
}

func FuzzPerson(f *testing.F) {
	for _, s := range []string{"", "A <a@b.test> 1 +0000", "<<>> -1", "a <b", "> < 5 5", "x <y> 99999999999999999999 +9999", "\xff <\xff> 1 -1400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		p := parsePerson([]byte(value))
		if strings.ContainsAny(p.name, "<") || strings.ContainsAny(p.email, ">") {
			t.Errorf("%q, %q", p.name, p.email)
		}
		if _, err := p.at.MarshalText(); err != nil {
			t.Error(err)
		}
		if who := p.identity(); who.email != "" && !who.Matches(strings.ToUpper(p.email)) {
			t.Errorf("%q does not match itself", p.email)
		}
		_ = p.bot()
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.test", "A.B@C-D.test", "@", "a@b", "a@@b.c", "\"a b\"@c.test", "a@[::1]", "a@b.test\n", strings.Repeat("a", 300) + "@b.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := Address(s)
		if !ok {
			return
		}
		if again, ok := Address(got); !ok || again != got || strings.Count(got, "@") != 1 || strings.ContainsAny(got, " \t\n<>\x00") || len(got) > longestAddress {
			t.Errorf("%q", got)
		}
	})
}

func FuzzCommit(f *testing.F) {
	tree := "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
	for _, s := range []string{"", tree, commitText, tree + "gpgsig x\n y\n\nz", tree + "encoding latin1\n\n\xe9\n\nThis reverts commit " + strings.Repeat("a", 40), tree + "parent"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCommit(data)
		if err != nil {
			return
		}
		for _, text := range []string{c.subject, c.detail} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > longestTitle || strings.IndexFunc(text, func(r rune) bool {
				return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
			}) >= 0 {
				t.Errorf("title %q", text)
			}
		}
		if len(c.parents) > mostParents || len(c.coauthors) > mostCoAuthors {
			t.Error("too many")
		}
	})
}

func FuzzTrees(f *testing.F) {
	id := strings.Repeat("x", 20)
	f.Add([]byte(""), []byte("100644 a\x00"+id))
	f.Add([]byte("100644 a\x00"+id), []byte("40000 a\x00"+id))
	f.Add([]byte("100644 a-b\x00"+id+"40000 a\x00"+id), []byte("100644 a\x00"+id))
	f.Fuzz(func(t *testing.T, from, to []byte) {
		same := 0
		err := differences(from, from, func(_, _ *node) (bool, error) { same++; return true, nil })
		if err == nil && same > 0 {
			t.Errorf("%d differences from itself", same)
		}
		seen := 0
		err = differences(from, to, func(a, b *node) (bool, error) {
			if a == nil && b == nil {
				t.Error("a difference of nothing")
			}
			seen++
			return true, nil
		})
		if err == nil && seen > len(from)+len(to) {
			t.Errorf("%d differences", seen)
		}
	})
}

func FuzzPack(f *testing.F) {
	p := newPacked()
	base := p.whole(plumbing.CommitObject, []byte(commitText))
	n := uint64(len(commitText))
	d := delta(n, n, 0x90, byte(n))
	p.add(plumbing.OFSDeltaObject, uint64(len(d)), back(int64(p.out.Len())-base), d)
	f.Add(p.bytes())
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := indexed(t, data, Limits{Object: 1 << 16, Objects: 1000})
		if err != nil {
			return
		}
		for _, known := range []string{commitText, ""} {
			_, _ = o.read(plumbing.ComputeHash(plumbing.CommitObject, []byte(known)), plumbing.CommitObject)
		}
	})
}

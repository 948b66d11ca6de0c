package trees

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func TestTheSameParentsGiveTheSameBytes(t *testing.T) {
	one, err := Data()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if two, err := Data(); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("another file: %v", err)
		}
	}
	if !json.Valid(one) {
		t.Error("not JSON")
	}
}

func TestBrokenTreesAreRefused(t *testing.T) {
	for name, tree := range map[string]Parents{
		"a parent that is no term": {"a": {"b"}},
		"its own parent":           {"a": {"a"}},
		"a circle":                 {"a": {"b"}, "b": {"c"}, "c": {"a"}},
		"a circle above":           {"a": {"b"}, "b": {"c"}, "c": {"b"}},
	} {
		if closure, err := tree.Covering(); err == nil {
			t.Errorf("%s: %v", name, closure)
		}
	}
}

func TestClosuresReachBothWays(t *testing.T) {
	covering, err := Parents{"all": {}, "a": {"all"}, "b": {"all"}, "ab": {"a", "b"}, "deep": {"ab"}}.Covering()
	if err != nil || !slices.Equal(covering["deep"], []string{"a", "ab", "all", "b", "deep"}) {
		t.Errorf("%v, %v", covering, err)
	}
	touching := Touching(covering)
	if !slices.Equal(touching["a"], []string{"a", "ab", "all", "deep"}) || len(touching["all"]) != 5 {
		t.Errorf("%v", touching)
	}
}

// Every country that has two letters in ISO 3166-1 is here, and only those.
func TestRegions(t *testing.T) {
	tree := regions()
	if n := len(tree) - len(coop.Groups()); n != 249 {
		t.Errorf("%d countries", n)
	}
	for term := range tree {
		group := slices.ContainsFunc(coop.Groups(), func(g coop.Term) bool { return g.Code == term })
		if !group && (len(term) != 2 || term[0] < 'A' || term[0] > 'Z') {
			t.Errorf("%q", term)
		}
	}
}

func TestEveryTermHasWordsAndEveryWordIsATerm(t *testing.T) {
	for name, c := range map[string]struct {
		tree  Parents
		words []coop.Term
		roots []string // below which everything has words
	}{
		"diseases":   {diseases, coop.Diseases(), []string{"MONDO:0000001"}},
		"categories": {categories, coop.Categories(), []string{"PersonalData"}},
	} {
		if len(c.words)+len(c.roots) != len(c.tree) {
			t.Errorf("%s: %d words for %d terms", name, len(c.words), len(c.tree))
		}
		for _, w := range c.words {
			if _, ok := c.tree[w.Code]; !ok || w.Plain == "" || w.Label == "" {
				t.Errorf("%s: %+v", name, w)
			}
		}
	}
}

package glossary

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

func words(list []Entry) (out []string) {
	for _, e := range list {
		out = append(out, e.Word)
	}
	return out
}

func TestTheWordsOfAPageAreExplained(t *testing.T) {
	for page, want := range map[string][]string{
		`<nav>Votes Consent</nav><main id="x"><h1>My data</h1><p>Your <em>datasets</em> were revoked.</p></main>`: {"Dataset", "Revoke"},
		`<main><p>The steward’s&nbsp;log.</p><pre>datacoop verify statement</pre></main>`:                         {"Log", "Steward"},
		`<main title="pool"><p>Logs of wood, and a catalogue of poolside things.</p></main>`:                      {"Log"},
		`<main><p>Nothing here.</p></main>`:           nil,
		`<main><h1>Log in</h1><p>Log out.</p></main>`: nil,
	} {
		if got := words(In(page)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", page, got, want)
		}
	}
}

func TestInAnotherLanguageTheWordsAreFoundToo(t *testing.T) {
	german := map[string]string{"Pool": "Sammlung", "Receipt": "Beleg"}
	say := func(s string) string { return cmp.Or(german[s], s) }
	if got := words(Spoken(`<main>Deine SAMMLUNG</main>`, say)); !slices.Equal(got, []string{"Pool"}) {
		t.Errorf("%v", got)
	}
}

// No explanation leans on another word of the list, which would need one too.
func TestExplanationsExplain(t *testing.T) {
	for _, e := range All() {
		for _, other := range In("<main>" + e.Means) {
			t.Errorf("%s is explained by %s", e.Word, other.Word)
		}
		if !strings.HasSuffix(e.Means, ".") || len(e.Means) > 160 {
			t.Errorf("%s: %q is no short sentence", e.Word, e.Means)
		}
	}
}

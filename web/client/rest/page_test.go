package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func collect(t *testing.T, c *Conn) (words []string, err error) {
	t.Helper()
	for item, e := range List[answer](t.Context(), c, "v1", "pools") {
		if e != nil {
			return words, e
		}
		words = append(words, item.Word)
	}
	return words, nil
}

func TestListFollowsLinksToTheEnd(t *testing.T) {
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			w.Header().Set("Link", `</v1/pools?cursor=b>; rel="next"`)
			fmt.Fprint(w, `{"items":[{"word":"a"},{"word":"b"}],"next":"ignored where there is a link"}`)
		case "b":
			fmt.Fprint(w, `{"items":[],"next":"c"}`) // a proxy dropped the link
		case "c":
			fmt.Fprint(w, `{"items":[{"word":"c"}]}`)
		}
	})
	words, err := collect(t, c)
	if err != nil || !slices.Equal(words, []string{"a", "b", "c"}) {
		t.Errorf("got %v, %v", words, err)
	}
}

func TestListEndsEarlyWithItsReader(t *testing.T) {
	calls := 0
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.Header().Set("Link", fmt.Sprintf(`<?cursor=%d>; rel=next`, calls))
		fmt.Fprint(w, `{"items":[{"word":"a"}]}`)
	})
	for range List[answer](t.Context(), c, "v1", "pools") {
		break
	}
	if calls != 1 {
		t.Errorf("%d pages read", calls)
	}
}

func TestListThatLeadsElsewhereOrInCirclesIsRefused(t *testing.T) {
	for _, link := range []string{"https://elsewhere.example/v1/pools?cursor=2", "//elsewhere.example/v1/pools", "?", "::"} {
		c := serve(t, Config{Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+link+`>; rel="next"`)
			fmt.Fprint(w, `{"items":[{"word":"a"}]}`)
		})
		if words, err := collect(t, c); err == nil || len(words) > 2 {
			t.Errorf("%s: got %v, %v", link, words, err)
		}
	}
}

func TestListReportsTheRefusalOfALaterPage(t *testing.T) {
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"items":[{"word":"a"}],"next":"b"}`)
	})
	words, err := collect(t, c)
	if !IsStatus(err, 403) || !slices.Equal(words, []string{"a"}) {
		t.Errorf("got %v, %v", words, err)
	}
}

func TestLinkHeaderIsReadAsItsRFCSays(t *testing.T) {
	for header, want := range map[string]string{
		``:                                      "",
		`<a>; rel=next`:                         "a",
		`<a>; rel="next"`:                       "a",
		`<a>;rel=NEXT`:                          "a",
		`<a>; rel="prev next"`:                  "a",
		`<a>; rel=prev, <b>; rel=next`:          "b",
		`<a,b;c>; rel=next`:                     "a,b;c",
		`<a>; title="x, <b>; rel=next"; rel=up`: "",
		`<a>; title="\", y"; rel=next`:          "a",
		`<a>; rel=up; rel=next`:                 "",
		`, ,<a>; rel=next`:                      "a",
		`<a>; rel=nextish`:                      "",
		`<a; rel=next`:                          "",
		`a; rel=next`:                           "",
		`<a>`:                                   "",
	} {
		if got := nextLink([]string{header}); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	if got := nextLink([]string{`<a>; rel=up`, `<b>; rel=next`}); got != "b" {
		t.Errorf("second header: %q", got)
	}
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{`<a>; rel="next"`, `<a,b>; title="\"", <c>; rel=next`, `<`, `<a>;;;"`, `,,,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		target := nextLink([]string{header})
		if target != "" && !strings.Contains(header, "<"+target+">") {
			t.Fatalf("%q leads to %q", header, target)
		}
	})
}

func FuzzFollowing(f *testing.F) {
	f.Add(`<https://elsewhere.example/>; rel=next`, "")
	f.Add(`</v1/pools?cursor=b>; rel=next`, "c")
	c, err := New("https://coop.example", Config{})
	if err != nil {
		f.Fatal(err)
	}
	at := &url.URL{Scheme: "https", Host: "coop.example", Path: "/v1/pools"}
	f.Fuzz(func(t *testing.T, link, cursor string) {
		next, err := c.following(at, cursor, []string{link})
		if err == nil && next != nil && !c.sameOrigin(next) {
			t.Fatalf("%q leads to %v", link, next)
		}
		if errors.Is(err, errElsewhere) && next != nil {
			t.Fatal("refused and answered")
		}
	})
}

package lawbook

import (
	"errors"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/client"
)

func TestJSONLDIsGivenToThoseWhoAskForIt(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                    false,
		"*/*":                 false,
		"application/json":    false,
		"application/ld+json": true,
		"application/ld+json, application/json;q=0.5":        true,
		"application/json;q=0.5, application/ld+json;q=0.9":  true,
		"application/json, application/ld+json":              false,
		"application/ld+json;q=0, application/json":          false,
		"application/ld+json;q=0":                            false,
		"application/ld+json;q=x":                            false,
		"text/html, application/ld+json;profile=\"x\", */*":  true,
		"application/ld+json;;;, application/ld+json":        true,
		strings.Repeat(",", 5000) + "application/ld+json":    true,
		"application/ld+jsonx":                               false,
		"Application/LD+JSON":                                true,
		"application/ld+json ;q=0.2, application/json;q=0.1": true,
	} {
		if got := WantsLinked(accept); got != want {
			t.Errorf("%.60q: %v", accept, got)
		}
	}
}

func TestLawOutsideOfDocumentsIsSaidToBe(t *testing.T) {
	law, err := policies.Compile(t.Context(), policies.Default())
	if err != nil {
		t.Fatal(err)
	}
	p := Current(law, "EUR")
	if p.Form != client.FormDocument || p.FormNote != "" || len(p.Document) == 0 || p.DocumentSHA256 == "" || p.Sentences[0] != "A request is refused if the co-op has not vetted who asks." {
		t.Errorf("%+v", p)
	}
	if text, err := Published(law, "EUR"); err != nil || !strings.Contains(string(text), law.Hash()) {
		t.Errorf("%v", err)
	}
	byHand, err := policies.Compile(t.Context(), append(policies.Default(), "\n# by hand\n"...))
	if err != nil {
		t.Fatal(err)
	}
	p = Current(byHand, "EUR")
	if p.Form != client.FormRego || p.FormNote != document.OutsideSentence || p.Document != nil || p.DocumentSHA256 != "" || !strings.Contains(p.Sentences[0], "“") {
		t.Errorf("%+v", p)
	}
	for law, want := range map[*policies.Revision]error{byHand: ErrOutside, nil: ErrNoLaw} {
		if _, err := Published(law, "EUR"); !errors.Is(err, want) {
			t.Errorf("%v", err)
		}
	}
	if none := Form(nil, "EUR"); none.Form != "" || none.PolicySHA256 != "" {
		t.Error("a policy that is not at hand has a form")
	}
}

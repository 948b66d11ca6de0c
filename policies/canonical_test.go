package policies

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// byTheBook is the input as encoding/json and the transformation of RFC 8785
// write it.
func byTheBook(in Input) ([]byte, error) {
	list := func(s []string) []string { return append([]string{}, s...) }
	said := func(s []string) []string { return append([]string(nil), s...) }
	in.Dataset.Categories, in.Request.Study.Kinds = list(in.Dataset.Categories), said(in.Request.Study.Kinds)
	in.Records = append([]Record{}, in.Records...)
	for i := range in.Records {
		r := &in.Records[i]
		r.Purposes, r.Except, r.DPV = list(r.Purposes), list(r.Except), list(r.DPV)
		r.RequesterKinds, r.Regions = list(r.RequesterKinds), list(r.Regions)
		for _, l := range []*[]string{&r.Limits.Diseases, &r.Limits.Studies, &r.Limits.Users, &r.Limits.Projects, &r.Limits.Institutions, &r.Limits.Categories} {
			*l = said(*l)
		}
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}

func TestQuestionsAreWrittenByTheBook(t *testing.T) {
	same := func(t interface{ Fatalf(string, ...any) }, in Input) {
		got, err := in.Canonical()
		if err != nil {
			t.Fatalf("%v", err)
		}
		if want, err := byTheBook(in); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("wrote %s\nwant  %s (%v)", got, want, err)
		}
	}
	for _, change := range changes {
		in := released()
		change(&in)
		same(t, in)
	}
	for _, g := range readGolden(t) {
		same(t, g.ask(t))
	}
	same(t, Input{})
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		in.Request.Pool, in.Dataset.Region = rapid.String().Draw(t, "pool"), rapid.String().Draw(t, "region")
		in.Dataset.Categories = append(in.Dataset.Categories, rapid.String().Draw(t, "category"))
		in.eachRecord(func(r *Record) {
			r.Limits.Categories = rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "limit")
			r.Limits.Users = []string{}
		})
		same(t, in)
	})
}

func BenchmarkCanonical(b *testing.B) {
	in := released()
	for b.Loop() {
		if _, err := in.Canonical(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClass(b *testing.B) {
	in := released()
	for b.Loop() {
		if _, err := in.Class(); err != nil {
			b.Fatal(err)
		}
	}
}

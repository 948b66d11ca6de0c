package marketplace

import (
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func TestSmallPoolsAreNotCounted(t *testing.T) {
	h := story(t)
	members := h.members(3)
	for i, m := range members {
		p := must[PoolView](t)(h.Pool(h.ctx(), "wearables"))
		if !p.TooFew || p.Members != 0 {
			t.Fatalf("with %d members the pool says %d", i, p.Members)
		}
		h.share(m, no()) // whoever is in is counted, whatever they answered
		h.share(m, yes())
	}
	p := must[PoolView](t)(h.Pool(h.ctx(), "wearables"))
	if p.TooFew || p.Members != 3 {
		t.Errorf("with 3 members of 6 datasets the pool says %d", p.Members)
	}
	list := must[[]PoolView](t)(h.Pools(h.ctx()))
	if list[0].Members != 3 || !list[1].TooFew {
		t.Errorf("the list says otherwise: %+v", list)
	}
}

func TestCatalogueIsTheCharters(t *testing.T) {
	h := story(t)
	list := must[[]PoolView](t)(h.Pools(h.ctx()))
	if len(list) != len(h.Charter.Pools) {
		t.Fatalf("%d pools", len(list))
	}
	for i, p := range list {
		if p.ID != h.Charter.Pools[i].ID || len(p.Codebook.Columns) == 0 {
			t.Errorf("%s: %+v", p.ID, p.Codebook)
		}
		csv := must[[]byte](t)(h.Sample(h.ctx(), p.ID))
		head, _, _ := strings.Cut(string(csv), "\n")
		if !strings.Contains(head, p.Codebook.Columns[0].Name) {
			t.Errorf("the sample of %s begins %q", p.ID, head)
		}
	}
	_, err := h.Pool(h.ctx(), "nowhere")
	h.refused(err, ErrNotFound)
	_, err = h.Sample(h.ctx(), "nowhere")
	h.refused(err, ErrNotFound)
}

func TestVettingNeedsTheOfficeAndAWholeDraft(t *testing.T) {
	h := story(t)
	good := Researcher{Name: " Example University ", Kind: "university", Region: "DE", Email: "office@example.org"}
	for _, m := range []coop.MemberID{h.bea, h.dan, h.member("eva"), coop.MemberID(coop.NewID()), ""} {
		_, err := h.Vet(h.ctx(), m, good)
		h.refused(err, ErrOffice)
		_, err = h.Vet(h.ctx(), m, Researcher{})
		h.refused(err, ErrOffice)
	}
	for _, change := range []func(*Researcher){
		func(r *Researcher) { r.Name = " " }, func(r *Researcher) { r.Name = strings.Repeat("x", 121) },
		func(r *Researcher) { r.Name = "two\nlines" }, func(r *Researcher) { r.Name = "\xff" },
		func(r *Researcher) { r.Kind = "agency" }, func(r *Researcher) { r.Kind = "" },
		func(r *Researcher) { r.Region = "de" }, func(r *Researcher) { r.Region = "EU27" }, func(r *Researcher) { r.Region = "" },
		func(r *Researcher) { r.Email = strings.Repeat("x", 201) }, func(r *Researcher) { r.Email = "a\r\nBcc: b" },
	} {
		bad := good
		change(&bad)
		_, err := h.Vet(h.ctx(), h.ada, bad)
		h.refused(err, ErrRequester)
	}
	if n := h.rows("marketplace_researchers"); n != 0 {
		t.Fatalf("%d researchers were entered", n)
	}
	forged := good
	forged.ID, forged.VettedAt = "mine", 1
	r := must[Researcher](t)(h.Vet(h.ctx(), h.ada, forged))
	if !coop.ValidID(r.ID) || r.VettedAt != h.now() || r.Name != "Example University" {
		t.Errorf("entered %+v", r)
	}
	if got := must[Researcher](t)(h.Researcher(h.ctx(), r.ID)); got != r {
		t.Errorf("found %+v", got)
	}
	if list := must[[]Researcher](t)(h.Researchers(h.ctx())); len(list) != 1 || list[0] != r {
		t.Errorf("list %+v", list)
	}
	_, err := h.Researcher(h.ctx(), coop.ResearcherID(coop.NewID()))
	h.refused(err, ErrNotFound)
}

func TestAClosedAccountHoldsNoOffice(t *testing.T) {
	h := story(t)
	h.ok(h.gov.CloseAccount(h.ctx(), h.ada))
	_, err := h.Vet(h.ctx(), h.ada, Researcher{Name: "Example University", Kind: "university", Region: "DE"})
	h.refused(err, ErrOffice)
}

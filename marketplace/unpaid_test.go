package marketplace

import (
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

// Neither how long a table is, nor how much else its member allows or has
// refused, is evidence: four members whose data were read alike are paid alike.
func TestNeitherSizeNorWhatElseAMemberAllowsIsPaid(t *testing.T) {
	h := story(t)
	members := h.members(4)
	wide := yes()
	wide.RequesterKinds, wide.Commercial = []string{"university", "public-body", "non-profit", "company"}, true
	h.share(members[0], yes())
	h.share(members[1], wide)
	h.share(members[2], yes(), func(in *vault.SealInput) { in.Profile.Rows = 5_000_000 })
	h.share(members[3], yes())
	refused := h.share(members[3], no()) // a second dataset that nobody may use
	s := h.scientist()
	_, files := h.paid(s)
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	h.fetchAll(s, files)
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), members[3], refused))
	h.closed("P0001")
	pub := h.statement("P0001")
	least, most := int64(1)<<62, int64(0)
	for _, one := range pub.Statement.Shares {
		for _, l := range one.Lines {
			if l.Kind == appraisal.KindData {
				least, most = min(least, l.Weight), max(most, l.Weight)
			}
		}
	}
	if least != most || most == 0 || len(pub.Statement.Shares) != 4 {
		t.Errorf("uses alike weigh %d to %d for %d members", least, most, len(pub.Statement.Shares))
	}
}

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// A nation is copied from a town, so that making it takes minutes and not hours.
const (
	town    = 3_000                 // members, with four datasets for every three of them
	doubled = 8                     // times; more than a million datasets then
	nations = coop.PoolID("nation") // the pool they share in
)

// neighbour is one member of the town: what they answered, and their datasets.
type neighbour struct {
	terms    consent.Terms
	record   policies.Record // the same as the law reads it, by hand
	datasets int
	region   string
}

// dweller makes up a member: a university's health research is what most allow,
// and everything a member can say is said by some.
func dweller(d *rand.Rand) neighbour {
	pick := func(list ...string) string { return list[d.IntN(len(list))] }
	some := func(list []coop.Term, share int) (out []string) {
		for _, t := range list {
			if d.IntN(share) == 0 {
				out = append(out, t.Code)
			}
		}
		return out
	}
	for {
		t := consent.Terms{Effect: consent.Given, Purposes: some(coop.DUOPurposes(), 2), RequesterKinds: some(coop.RequesterKinds(), 2),
			Commercial: d.IntN(2) == 0, MinPrice: coop.Money(d.IntN(8) * 100), Days: int64(d.IntN(3) * 30)}
		switch d.IntN(6) {
		case 0:
			t.Except = some(coop.DUOPurposes(), 5)
		case 1:
			t.DPV = []string{pick("AcademicResearch", "CommercialResearch", "ImproveHealthcare", "NonCommercialResearch")}
		case 2:
			t.Regions = []string{pick("DE", "FR", "EU", "EEA", "US")}
		case 3:
			t.Conditions = []string{pick("DUO:0000019", "DUO:0000021")}
		case 4:
			t.Mode = pick(consent.ModeAsk, consent.ModeStanding)
		}
		if d.IntN(12) == 0 {
			t = consent.Terms{Effect: consent.Refused}
		}
		if t.Validate() == nil {
			return neighbour{terms: t, datasets: 1 + (d.IntN(3)+1)/3, region: pick("DE", "DE", "FR", "AT", "")}
		}
	}
}

// asLaw writes down by hand what the law reads of an answer given at a time.
func (n *neighbour) asLaw(now int64) {
	t := n.terms
	n.record = policies.Record{Effect: t.Effect, Scope: "pool", Purposes: t.Purposes, Except: t.Except, DPV: t.DPV, RequesterKinds: t.RequesterKinds,
		Regions: t.Regions, Commercial: t.Commercial, MinPriceMinor: int64(t.MinPrice), NotBefore: now, Expires: coop.Forever, Withdrawn: coop.Forever,
		Limits: policies.Limits{Publication: slices.Contains(t.Conditions, "DUO:0000019"), Ethics: slices.Contains(t.Conditions, "DUO:0000021"),
			Ask: t.Mode == consent.ModeAsk}}
	if t.Days > 0 {
		n.record.Expires = now + t.Days*24*time.Hour.Milliseconds()
	}
}

// dice fall the same way every time.
func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) } // #nosec G404 -- nothing here is secret

// settle makes a town of some members who share in a pool, through the doors
// everybody uses.
func settle(ctx context.Context, c *Coop, in coop.PoolID, members int) ([]neighbour, error) {
	d, all := dice(), make([]neighbour, 0, members)
	for len(all) < members {
		err := c.DB.Update(ctx, func(tx *db.Tx) error {
			for range 500 {
				n := dweller(d)
				n.asLaw(c.Clock().UnixMilli())
				if err := n.move(tx, c, in); err != nil {
					return err
				}
				all = append(all, n)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("making a town: %w", err)
		}
	}
	return all, nil
}

func (n *neighbour) move(tx *db.Tx, c *Coop, in coop.PoolID) error {
	m := coop.MemberID(coop.NewID())
	for range n.datasets {
		e := consent.Enrolment{Dataset: coop.DatasetID(coop.NewID()), Member: m, Pool: in, Categories: []string{"PhysicalHealth"},
			Region: n.region, Sealed: c.Clock().UnixMilli()}
		if err := c.Consent.Enrol(tx, e); err != nil {
			return err
		}
	}
	_, err := c.Consent.PutPoolTx(tx, m, in, n.terms)
	return err
}

// study is what is asked of the nation: a university's health research.
func study() consent.Ask {
	return consent.Ask{Request: coop.RequestID(coop.NewID()), Pool: nations, Purpose: coop.Purpose{DUO: "DUO:0000006", DPV: "AcademicResearch"},
		Researcher: consent.Requester{ID: coop.ResearcherID(coop.NewID()), Kind: "university", Vetted: true, Region: "DE"}, Price: 500, RetentionDays: 365}
}

// question is what the law is asked about one dataset, with everything in
// memory already.
func (n neighbour) question(a consent.Ask, now int64) policies.Input {
	return policies.Input{
		Request: policies.Request{ID: string(a.Request), Pool: string(a.Pool), DUO: a.Purpose.DUO, DPV: a.Purpose.DPV,
			Requester:  policies.Requester{ID: string(a.Researcher.ID), Kind: a.Researcher.Kind, Vetted: a.Researcher.Vetted, Region: a.Researcher.Region},
			Commercial: a.Purpose.Commercial(), PriceMinor: int64(a.Price), RetentionDays: a.RetentionDays, Time: now},
		Dataset: policies.Dataset{ID: "d", Member: "m", Pool: string(nations), Categories: []string{"PhysicalHealth"}, Region: n.region,
			Sealed: n.record.NotBefore, Closed: coop.Forever},
		Records: []policies.Record{n.record},
	}
}

// scan is the law as a programmer would write it by hand for this one request,
// over records that lie in memory.
type scan struct {
	now                       int64
	kind, region              string
	price                     int64
	commercial                bool
	covering, touching, using []string // of the purpose and of the use
	within                    []string // the regions the requester is in
}

func byHand(a consent.Ask, now int64) scan {
	s := scan{now: now, kind: a.Researcher.Kind, region: a.Researcher.Region, price: int64(a.Price), commercial: a.Purpose.Commercial(),
		using: []string{"AcademicResearch", "Purpose", "ResearchAndDevelopment"}, within: []string{"DE", "EU", "EEA", "WORLD"}}
	for _, t := range coop.DUOTerms() {
		if policies.Covers(t.Code, a.Purpose.DUO) {
			s.covering = append(s.covering, t.Code)
		}
		if policies.Touches(t.Code, a.Purpose.DUO) {
			s.touching = append(s.touching, t.Code)
		}
	}
	return s
}

func meet(list, wanted []string) bool {
	for _, s := range list {
		if slices.Contains(wanted, s) {
			return true
		}
	}
	return false
}

func (s scan) allows(r *policies.Record) bool {
	return r.Effect == policies.Given && !r.Paused && r.NotBefore <= s.now && s.now < r.Expires && s.now < r.Withdrawn &&
		meet(r.Purposes, s.covering) && !meet(r.Except, s.touching) &&
		(len(r.DPV) == 0 || meet(r.DPV, s.using)) && slices.Contains(r.RequesterKinds, s.kind) &&
		(len(r.Regions) == 0 || meet(r.Regions, s.within)) && (r.Commercial || !s.commercial) && r.MinPriceMinor <= s.price &&
		!r.Limits.Publication && !r.Limits.Ethics && !r.Limits.Ask
}

func (s scan) count(records []*policies.Record) (n int) {
	for _, r := range records {
		if s.allows(r) {
			n++
		}
	}
	return n
}

package marketplace

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/accrual"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/closing"
	"distributed.ai/datacoop/marketplace/cluster"
	"distributed.ai/datacoop/marketplace/dispute"
	"distributed.ai/datacoop/marketplace/related"
	"distributed.ai/datacoop/marketplace/veil"
	"distributed.ai/datacoop/vault"
)

// evidence gathers what a period's shares are computed from: the files first
// delivered in it, the datasets a paying use has ever confirmed, accepted work
// and completed duties. What counts once, because it repeats other data or is of
// the same person, package cluster says. Trust is what disputes left of it; a use that a
// dispute was upheld about was paid back and counts for nothing.
func (s *Service) evidence(ctx context.Context, p Period) (appraisal.Evidence, error) {
	return read(ctx, s, func(tx *db.Tx) (appraisal.Evidence, error) {
		ev := appraisal.Evidence{Currency: string(s.Charter.Currency), Period: string(p.ID), Salt: s.salt(p.ID)}
		f, err := closing.For(tx, p.ID, s.Charter)
		if err != nil {
			return ev, err
		}
		ev.Vouched = f.Vouched
		if err := s.dataEvidence(tx, p, &ev); err != nil {
			return ev, fmt.Errorf("marketplace: data evidence: %w", err)
		}
		if err := s.workEvidence(tx.Context(), p, &ev); err != nil {
			return ev, fmt.Errorf("marketplace: work evidence: %w", err)
		}
		return ev, s.appealEvidence(tx, p, &ev)
	})
}

func (s *Service) dataEvidence(tx *db.Tx, p Period, ev *appraisal.Evidence) error {
	files, err := firstFetched(tx, p.OpenedAt, p.ClosedAt)
	if err != nil {
		return err
	}
	confirmed, err := s.confirmed(tx, p.ClosedAt)
	if err != nil {
		return err
	}
	disputed, err := s.Upheld(tx)
	if err != nil {
		return err
	}
	facts, err := s.factsOf(tx, files, confirmed)
	if err != nil {
		return err
	}
	revenue := map[coop.RequestID]int64{}
	for _, f := range files {
		use := appraisal.DataUse{Member: string(f.Member), Dataset: string(f.Dataset), Request: string(f.Request),
			Coverage: accrual.Coverage(facts[f.Dataset]), Fresh: accrual.Freshness(facts[f.Dataset].Sealed, p.ClosedAt),
			Unique: 1000, Trust: dispute.Trust(disputed.Datasets[f.Dataset]), Grade: appraisal.GradeServer}
		if use.Trust < 1000 {
			use.Grade = appraisal.GradeResearcher
		}
		if disputed.Files[f.ID] {
			f.Price, use.Trust = 0, 0
		}
		revenue[f.Request] += int64(f.Price)
		ev.Revenue += int64(f.Price)
		ev.Data = append(ev.Data, use)
	}
	for id, r := range revenue {
		ev.Requests = append(ev.Requests, appraisal.Request{Request: string(id), Revenue: r})
	}
	for _, f := range confirmed {
		if days := accrual.AvailableDays(facts[f.Dataset], p.OpenedAt, p.ClosedAt); days > 0 {
			ev.Available = append(ev.Available, appraisal.Availability{Member: string(f.Member), Dataset: string(f.Dataset), Confirmed: true, Days: days})
		}
	}
	apart, accounts, err := s.Apart(tx, p.ID, p.ClosedAt)
	Together(ev, Known{Accounts: accounts, Apart: apart, Vouched: ev.Vouched == appraisal.VouchedAll, Facts: facts})
	return related.Mark(tx, ev, p.OpenedAt, err)
}

// Known is what the market knows of accounts and datasets beside the evidence.
type Known = cluster.Known

// Together enters into evidence what counts as one; see package cluster.
func Together(ev *appraisal.Evidence, k Known) { cluster.Assign(ev, k) }

// accrue notes what a delivery brought, by the weight that its use has in the
// period's evidence.
func (s *Service) accrue(tx *db.Tx, f File) error {
	facts, err := s.Vault.Infos(tx, f.Dataset)
	if err != nil {
		return err
	}
	disputed, err := s.Counter.Against(tx, f.Dataset)
	if err != nil {
		return err
	}
	one := facts[f.Dataset]
	return accrual.Arrive(tx, f.Request, f.Member, f.Price, accrual.Coverage(one)*accrual.Freshness(one.Sealed, s.now())*1000*dispute.Trust(disputed))
}

// SoFar is the revenue that the uses of a member's data have brought in the
// period that runs, in thousandths of a minor unit; see package accrual.
func (s *Service) SoFar(ctx context.Context, m coop.MemberID) (int64, error) {
	return accrual.SoFar(ctx, s.DB, m)
}

// confirmed lists the datasets that a paying use had read before a time, and
// nobody was given their money back for.
func (s *Service) confirmed(tx *db.Tx, before int64) ([]File, error) {
	owned, err := s.Confirmed(tx, before)
	out := make([]File, 0, len(owned))
	for _, o := range owned {
		out = append(out, File{Dataset: o.Dataset, Member: o.Member})
	}
	return out, err
}

func (s *Service) factsOf(tx *db.Tx, lists ...[]File) (map[coop.DatasetID]vault.Facts, error) {
	var ids []coop.DatasetID
	for _, f := range slices.Concat(lists...) {
		ids = append(ids, f.Dataset)
	}
	slices.Sort(ids)
	return s.Vault.Infos(tx, slices.Compact(ids)...)
}

func (s *Service) workEvidence(ctx context.Context, p Period, ev *appraisal.Evidence) error {
	work, err := s.Governance.AcceptedWork(ctx, p.OpenedAt, p.ClosedAt)
	if err != nil {
		return err
	}
	for _, w := range work {
		ev.Work = append(ev.Work, appraisal.Work{Contribution: string(w.Contribution), Member: string(w.Member),
			Kind: string(w.Kind), Points: w.Points, Grade: appraisal.GradePeer})
	}
	duties, err := s.Governance.Duties(ctx, p.OpenedAt, p.ClosedAt)
	if err != nil {
		return err
	}
	for _, d := range duties {
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: string(d.Member), Kind: d.Kind, Ref: string(d.Contribution), Points: d.Points, Grade: appraisal.GradeServer})
	}
	return nil
}

// appealEvidence adds service on panels and answers to spot checks, and enters
// what stewards have mended.
func (s *Service) appealEvidence(tx *db.Tx, p Period, ev *appraisal.Evidence) error {
	served, err := s.Served(tx, p.OpenedAt, p.ClosedAt)
	if err != nil {
		return err
	}
	for _, v := range served {
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: string(v.Member), Kind: "panel", Ref: v.Appeal, Points: appeals.PanelPoints, Grade: appraisal.GradeServer})
	}
	if err := s.Serve(tx, p.OpenedAt, p.ClosedAt, ev); err != nil {
		return err
	}
	return s.Correct(tx, p.ID, ev)
}

// secret derives a key of this room from the co-op's signing key, so that a
// period's pseudonyms stay the same when it is computed again.
func (s *Service) secret(label string) []byte {
	mac := hmac.New(sha256.New, s.Key.Seed())
	mac.Write([]byte("datacoop/marketplace/" + label))
	return mac.Sum(nil)
}

func (s *Service) salt(id coop.PeriodID) string {
	return fmt.Sprintf("%x", s.secret("salt/"+string(id)))
}

// Share is one member's part of a statement, with its references resolved. It
// is shown to that member alone.
type Share = veil.Share

// blind replaces all ids by the period's pseudonyms.
func (s *Service) blind(ev appraisal.Evidence) (appraisal.Evidence, veil.Names) {
	return veil.Blind(ev, s.secret("blind"))
}

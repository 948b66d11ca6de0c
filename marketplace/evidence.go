package marketplace

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/accrual"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/dispute"
	"distributed.ai/datacoop/marketplace/veil"
	"distributed.ai/datacoop/vault"
)

// evidence gathers what a period's shares are computed from: the files first
// delivered in it, the datasets a paying use has ever confirmed, accepted work
// and completed duties. Uniqueness is full for every dataset: there is no
// measurement of overlap. Trust is what disputes left of it; a use that a
// dispute was upheld about was paid back and counts for nothing.
func (s *Service) evidence(ctx context.Context, p Period) (appraisal.Evidence, error) {
	return read(ctx, s, func(tx *db.Tx) (appraisal.Evidence, error) {
		ev := appraisal.Evidence{Currency: string(s.Charter.Currency), Period: string(p.ID), Salt: s.salt(p.ID)}
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
			Coverage: coverage(facts[f.Dataset]), Fresh: freshness(facts[f.Dataset].Sealed, p.ClosedAt),
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
		if days := availableDays(facts[f.Dataset], p); days > 0 {
			ev.Available = append(ev.Available, appraisal.Availability{Member: string(f.Member), Dataset: string(f.Dataset),
				Confirmed: true, Days: days})
		}
	}
	return nil
}

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
	return accrual.Arrive(tx, f.Request, f.Member, f.Price, coverage(one)*freshness(one.Sealed, s.now())*1000*dispute.Trust(disputed))
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

// coverage is what the profile says. A raw file that no reducer reads has no
// cells to count; it counts as full, because it is all its member has.
func coverage(f vault.Facts) int64 {
	if f.Raw && f.Profile.Coverage == 0 {
		return 1000
	}
	return int64(f.Profile.Coverage)
}

// freshness is full for a year and then loses a tenth a year, down to a half,
// in thousandths: old data stay worth something.
func freshness(sealed, now int64) int64 {
	const year = 365 * 24 * int64(time.Hour/time.Millisecond)
	return max(500, 1000-100*max(0, (now-sealed)/year))
}

// availableDays counts the whole days of the period in which a dataset could
// be asked for.
func availableDays(f vault.Facts, p Period) int64 {
	const day, most = int64(24 * time.Hour / time.Millisecond), 3660
	until := p.ClosedAt
	if f.Revoked > 0 {
		until = min(until, f.Revoked)
	}
	return min((until-max(p.OpenedAt, f.Sealed))/day, most)
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

// appealEvidence adds service on panels, and enters what stewards have mended.
func (s *Service) appealEvidence(tx *db.Tx, p Period, ev *appraisal.Evidence) error {
	served, err := s.Served(tx, p.OpenedAt, p.ClosedAt)
	if err != nil {
		return err
	}
	for _, v := range served {
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: string(v.Member), Kind: "panel", Ref: v.Appeal, Points: appeals.PanelPoints, Grade: appraisal.GradeServer})
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

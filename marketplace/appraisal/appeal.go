package appraisal

import (
	"crypto/sha256"
	"encoding/hex"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// Standing is what the bundle's statement says about one member's part of a
// dossier: the formula's amount, the amount paid, the bound of its kind and the
// score it was counted by, which another dataset of the member's may have lent it.
// It is false where the member has no part of such a dossier.
func (b Bundle) Standing(member, dossier string) (jury.Standing, bool) {
	out := jury.Standing{Member: member, Dossier: dossier, Score: jury.Neutral}
	share, ok := b.Statement.Share(member)
	if !ok {
		return jury.Standing{}, false
	}
	betas, lent := b.Params.betas(), int64(0)
	for _, it := range weigh(b.Evidence.normal()).items {
		if it.member != member || it.dossier == "" || DossierID(b.Evidence.Salt, it.pot.String(), it.dossier) != dossier {
			continue
		}
		for _, line := range share.Lines {
			if line.Kind == it.pot.String() && line.Ref == it.ref && line.Request == it.request {
				out.Kind, out.Beta = line.Kind, betas[it.pot]
				out.Baseline, out.Paid = out.Baseline+line.Baseline, out.Paid+line.Amount
				lent = max(lent, scoreOf(out.Beta, line.Factor))
			}
		}
	}
	if out.Kind == "" {
		return jury.Standing{}, false
	}
	if b.Opinion != nil {
		for _, s := range b.Opinion.Scores {
			if s.Dossier == dossier && s.Flag == "" {
				out.Score = s.Score
			}
		}
		out.Score = max(out.Score, lent)
	}
	return out, true
}

// Dossier finds what a judge was shown of a dossier, texts aside.
func (b Bundle) Dossier(id string) (Dossier, bool) {
	for _, d := range b.Evidence.normal().dossiers() {
		if d.ID == id {
			return d, true
		}
	}
	return Dossier{}, false
}

// Restrict drops what an opinion says about dossiers that the evidence does not
// hold, so that a recorded opinion can be used again on corrected evidence.
func (op *Opinion) Restrict(ev Evidence) *Opinion {
	if op == nil {
		return nil
	}
	known, out := ev.dossierIDs(), *op
	out.Scores = []Score{}
	for _, s := range op.Scores {
		if _, ok := known[s.Dossier]; ok {
			out.Scores = append(out.Scores, s)
		}
	}
	return &out
}

// AppealReserve is what a statement sets aside for appeals: so many thousandths
// of the members' part, out of the reserve's step and never more than it.
func (s Statement) AppealReserve(permille int64) int64 {
	return min(s.Step(StepReserve), s.Step(StepMembers)/1000*permille+s.Step(StepMembers)%1000*permille/1000)
}

// VerifyAppeals computes the record of a statement's appeals again: every draw,
// median and award. The statement itself is Verify's; signatures of the log's
// checkpoints need the log's key.
func VerifyAppeals(bundle, record []byte) (jury.Record, error) {
	b, err := ParseBundle(bundle)
	if err != nil {
		return jury.Record{}, err
	}
	r, err := jury.Parse(record)
	if err != nil {
		return jury.Record{}, err
	}
	sum := sha256.Sum256(bundle)
	if r.BundleSHA256 != hex.EncodeToString(sum[:]) || r.Period != b.Statement.Period {
		return jury.Record{}, jury.ErrDiffers.With("it belongs to another statement")
	}
	if r.Permille < 0 || r.Permille > 1000 || r.Reserve != b.Statement.AppealReserve(r.Permille) {
		return jury.Record{}, jury.ErrDiffers.With("reserve")
	}
	return r, r.Recompute(b.Standing)
}

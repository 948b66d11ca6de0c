// Package appraisal turns the evidence of one period into each member's share
// of the money, to the minor unit. It is pure: no database, no clock, no
// network, no floating point, nothing that depends on the order of a map.
//
// Close is the one call that matters; NewBundle wraps its answer with
// everything it was computed from, and Verify recomputes such a bundle byte for
// byte on any machine.
//
// # The formula, version "patronage-3"
//
// Revenue less commission (rounded down) is net revenue. Reserve, purpose and
// investors get their thousandths of it rounded down; what remains is the
// members' part M, so that rounding always favours the members.
//
// M is split between four pots by the charter's thousandths: data uses
// split.data × (1000 − stipend), stipend split.data × stipend, work
// split.work × 1000, governance split.governance × 1000. Without an
// availability to pay, the stipend's part goes to the data uses. A pot without
// evidence takes no part: the others divide M in proportion to their own. If no
// pot has evidence, M is unclaimed and goes to the reserve.
//
// Inside a pot, shares are proportional to weights:
//
//   - data: of every request that was not bought by a related party, its
//     revenue × the dataset's part of it. That part is proportional to coverage
//     × freshness × non-duplication × trust. Non-duplication is nothing for what
//     repeats somebody else's data that were shared first. Datasets of one
//     cluster count once: a member's best dataset speaks for them, a cluster
//     weighs as much as its best member, and is divided inside by layers (see
//     share.go): what all reach is divided equally, what one alone reaches is
//     that one's. Size never counts.
//   - stipend: one part for each cluster with a confirmed dataset, by the days
//     it was kept available, at most once for each person; none for a copy.
//   - work: the size points set by reviewers when the work was accepted.
//   - governance: the fixed points of completed duties.
//
// Evidence of grade E (only self-declared, or of an account that nobody but its
// holder vouches for) weighs nothing. Consents, refusals
// and withdrawals are not evidence, so they cannot cost anybody anything.
//
// Every member's quota is a 64.64-bit fixed-point number; whole units go by
// largest remainder over all members at once, ties by SHA-256(period ‖ member).
// The amounts add up to M exactly. Other things equal, more own evidence never
// lowers what a member gets out of a given M (with a judge: where the bound of data
// is at most a third, else by at most the unit that rounding moves); share.go has the proof.
//
// # What a judge may do
//
// An Opinion scores dossiers, and the parts data, work and governance, between
// 0 and 1000 (500 changes nothing). A score s multiplies a weight by
// f = 1 + β(2s/1000 − 1), clamped, with the β of its kind; it multiplies a part
// by 1 + γ(2s/1000 − 1), after which the parts are renormalised. The stipend
// moves with the data part only. All datasets that a member has in one request
// have the best factor of any of them, so that the rule about more own evidence
// holds under an opinion too.
//
// The fence: let baseline be what Close pays the same member on the same
// evidence without an opinion, in whole minor units, and β the largest bound
// among the pots the member has evidence in (0 for the stipend). Whatever the
// opinion says,
//
//	baseline×L − 1 ≤ payout ≤ baseline×U + 1
//	L = (1−β)(1−γ) / ((1+β)(1+γ)),  U = 1/L
//
// Between exact quotas this is a theorem, because a weighted mean of factors
// lies between their bounds and pots present in one computation are present in
// the other; the closing apportionment then keeps the whole amounts inside the
// same bounds. No opinion, no movement: the baseline pays.
//
// # What it refuses
//
// Evidence that is negative, out of range, duplicated or contradictory; an
// opinion about a dossier that does not exist; revenue above MaxRevenue; a
// bundle in any encoding but its own canonical one.
package appraisal

import "errors"

// Formula names the rules of this package as a statement records them. Any
// change of a rule that moves a minor unit changes the name.
const Formula = "patronage-3"

// Close appraises one period: it checks the evidence, params and opinion,
// divides the revenue and explains every member's share. A nil opinion pays the
// baseline. The order in which evidence is listed never matters.
//
// Faults: Invalid "evidence-invalid", "params-invalid", "opinion-invalid", each
// with the field at fault as detail. On any fault about the opinion the caller
// pays the baseline by calling again with nil.
func Close(ev Evidence, p Params, op *Opinion) (Statement, error) {
	b, err := NewBundle(ev, p, op)
	return b.Statement, err
}

// NewBundle does what Close does and keeps what it was computed from, in
// canonical order.
func NewBundle(ev Evidence, p Params, op *Opinion) (Bundle, error) {
	b, err := appraised(ev, p, op)
	if err != nil {
		return Bundle{}, err
	}
	return b, b.Statement.sign(b.Evidence, b.Params, b.Opinion)
}

// appraised is a bundle whose statement names no digests yet.
func appraised(ev Evidence, p Params, op *Opinion) (Bundle, error) {
	ev, op = ev.normal(), op.normal()
	if err := ev.check(); err != nil {
		return Bundle{}, err
	}
	if err := errors.Join(p.Check(), p.checkBallots(ev.Period)); err != nil {
		return Bundle{}, err
	}
	if op != nil {
		known := ev.dossierIDs()
		if err := op.check(known); err != nil {
			return Bundle{}, err
		}
		if !op.agree(known, p.Reliability) {
			return Bundle{}, errOpinion.With("scores: not what their voices give")
		}
	}
	return Bundle{Evidence: ev, Format: Format, Opinion: op, Params: p, Statement: state(ev, p, op, settle(ev, p, op))}, nil
}

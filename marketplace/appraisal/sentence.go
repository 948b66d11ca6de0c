package appraisal

import (
	"fmt"

	"distributed.ai/datacoop/internal/coop"
)

// thousandths writes 875 as "87.5%".
func thousandths(v int64) string {
	if v%10 == 0 {
		return fmt.Sprintf("%d%%", v/10)
	}
	return fmt.Sprintf("%d.%d%%", v/10, v%10)
}

// signed writes an amount with its sign, so that a movement reads as one.
func signed(m int64, c coop.Currency) string {
	if m > 0 {
		return "+" + coop.Money(m).Format(c)
	}
	return coop.Money(m).Format(c)
}

func steps(f flow, p Params, c coop.Currency) []Step {
	net := coop.Money(f.revenue - f.commission).Format(c)
	out := []Step{
		{f.commission, StepCommission, p.Commission, fmt.Sprintf("Of %s revenue, %s pays for running the platform, rounded down.", coop.Money(f.revenue).Format(c), thousandths(p.Commission))},
		{f.reserve, StepReserve, p.Reserve, fmt.Sprintf("The reserve takes %s of the remaining %s, rounded down.", thousandths(p.Reserve), net)},
		{f.purpose, StepPurpose, p.Purpose, fmt.Sprintf("The common purpose takes %s of it, rounded down.", thousandths(p.Purpose))},
		{f.members, StepMembers, p.Members, fmt.Sprintf("Members take %s of it and what rounding leaves.", thousandths(p.Members))},
		{f.unclaimed, StepUnclaimed, 0, "Every member's part had somebody to pay."},
		{f.investors, StepInvestors, p.Investors, fmt.Sprintf("Investors come last, with at most %s of it, rounded down.", thousandths(p.Investors))},
	}
	if f.unclaimed > 0 {
		out[4].Sentence = "No evidence entitles anybody to the members' part, so it goes to the reserve."
	}
	return out
}

func parts(p Params, s settlement, base, paid [pots]int64, c coop.Currency) []Part {
	split := [pots]string{
		fmt.Sprintf("Data that was read: %s of the members' part, less the stipend.", thousandths(p.Data)),
		fmt.Sprintf("Data kept available: %s of the data part.", thousandths(p.Stipend)),
		fmt.Sprintf("Work: %s of the members' part.", thousandths(p.Work)),
		fmt.Sprintf("Governance duties: %s of the members' part.", thousandths(p.Governance)),
	}
	out := make([]Part, pots)
	for k := range out {
		sentence := split[k]
		switch {
		case s.open[k]:
		case pot(k) == potStipend:
			sentence += " No dataset earns it, so it stays with the data that were read."
		default:
			sentence += " Nobody earns it, so the parts that somebody earns divide it in proportion to their own."
		}
		if s.open[k] && s.judged {
			sentence += fmt.Sprintf(" A formula set %s; the model moved it by %s.", coop.Money(base[k]).Format(c), signed(paid[k]-base[k], c))
		}
		out[k] = Part{Amount: paid[k], Baseline: base[k], Kind: pot(k).String(), Sentence: sentence}
	}
	return out
}

// splitWhy says who divided the members' part.
func splitWhy(p Params) []string {
	switch b := p.Ballots; {
	case b == nil:
		return nil
	case !b.Enough():
		return []string{"The charter divides the members' part between data, work and governance: fewer members had said how than it takes."}
	case !b.Counts():
		return []string{"The charter divides the members' part between data, work and governance: in the middle of what members had said, every part was nothing."}
	}
	return []string{fmt.Sprintf("%d members had said how to divide the members' part. The middle of what they said, within the charter's bounds, gives %s to data, %s to work and %s to governance.",
		len(p.Ballots.Said), thousandths(p.Data), thousandths(p.Work), thousandths(p.Governance))}
}

func periodWhy(op *Opinion, f flow, c coop.Currency) []string {
	out := []string{fmt.Sprintf("Of %s revenue, members get %s.", coop.Money(f.revenue).Format(c), coop.Money(f.members).Format(c))}
	switch {
	case op == nil:
		return append(out, "No model was heard: the formula alone set every share.")
	case len(op.Models) == 0:
		out = append(out, "A judge that names no model moved shares within the voted bounds.")
	case families(op.Models) == 1:
		out = append(out, "One model family moved shares within the voted bounds. No second family checked it, so no work counts above neutral: one model alone lowers what a text is worth and never raises it.")
	default:
		out = append(out, fmt.Sprintf("%d model families moved shares within the voted bounds.", families(op.Models)))
	}
	flags := 0
	for _, s := range op.Scores {
		if s.Flag != "" {
			flags++
		}
	}
	switch {
	case flags == 1:
		out = append(out, "One dossier was flagged for people to look at; it cost nobody anything.")
	case flags > 1:
		out = append(out, fmt.Sprintf("%d dossiers were flagged for people to look at; they cost nobody anything.", flags))
	}
	return out
}

// families counts the distinct families of models in normal order.
func families(models []Model) int {
	n := 0
	for i, m := range models {
		if i == 0 || m.Family != models[i-1].Family {
			n++
		}
	}
	return n
}

func shareWhy(s MemberShare, judged bool, c coop.Currency) string {
	set := "A formula set " + coop.Money(s.Baseline).Format(c)
	if !judged {
		return set + "; no model was heard."
	}
	return fmt.Sprintf("%s; the model moved it by %s. It could not have made it less than %s or more than %s.",
		set, signed(s.Moved, c), coop.Money(s.Floor).Format(c), coop.Money(s.Ceil).Format(c))
}

func (s settlement) lineWhy(i int, c coop.Currency) string {
	base, paid, factor := s.base.items[i], s.paid.items[i], s.moved[i]
	set := fmt.Sprintf(" A formula set %s", coop.Money(base).Format(c))
	switch {
	case !s.judged:
		return set + "."
	case s.items[i].weight.Sign() == 0 && paid == base:
		return set + "; the model left it alone."
	case s.lent[i] && factor == one:
		return fmt.Sprintf("%s; the model moved it by %s. It counts as it is, though the model thinks less of it: another of this member's datasets in the request does.",
			set, signed(paid-base, c))
	case s.lent[i]:
		return fmt.Sprintf("%s; the model moved it by %s, counting it as %d.%06d of itself, like the one it thinks most of among this member's datasets in the request.",
			set, signed(paid-base, c), factor/one, factor%one)
	case factor == one && paid == base:
		return set + "; the model left it alone."
	case factor == one:
		return fmt.Sprintf("%s; the model moved it by %s, by moving others.", set, signed(paid-base, c))
	}
	return fmt.Sprintf("%s; the model moved it by %s, counting it as %d.%06d of itself.",
		set, signed(paid-base, c), factor/one, factor%one)
}

func dataWhy(r Request, u DataUse, p part, attributed coop.Money, c coop.Currency) string {
	paid := fmt.Sprintf("A request that paid %s read this dataset", coop.Money(r.Revenue).Format(c))
	switch {
	case r.Related:
		return paid + ", but a party related to a member bought it, so it counts for nobody."
	case u.Grade == GradeSelf:
		return paid + ", but only the member's own word stands for it or for the account behind it, so it does not count."
	case u.Unique == 0:
		return paid + ", but it repeats data that another member shared first, so it does not count a second time."
	case p.by == outdone && u.Cluster != "":
		return paid + ", and a better dataset of the same member already counts." + together
	case p.by == outdone:
		return paid + ", and a better dataset of the same member already counts."
	}
	figures := fmt.Sprintf("coverage %s, freshness %s, non-duplication %s, trust %s",
		thousandths(u.Coverage), thousandths(u.Fresh), thousandths(u.Unique), thousandths(u.Trust))
	if p.by == noFigure {
		return paid + ", but its figures are nothing (" + figures + "), so it does not count."
	}
	due := fmt.Sprintf("%s; by %s, %s of that is due to it.", paid, figures, attributed.Format(c))
	if u.Cluster != "" {
		due += together
	}
	return due
}

// together is said of a dataset in a cluster, see DataUse.
const together = " It counts together with data of other accounts as one person's, because they are paid to the same bank account."

// aloneWhy says of a dataset that it would be in a cluster but for an appeal.
func aloneWhy(period string) string {
	if period == "" {
		return ""
	}
	return fmt.Sprintf(" It counts by itself although another account is paid to the same bank account: an appeal about %s was upheld, and these accounts are as they were then.", period)
}

func stipendWhy(a Availability, p part) string {
	switch {
	case a.Grade == GradeSelf:
		return "This dataset could be asked for, but only the member's own word stands for the account behind it, so it earns no stipend."
	case a.Copy:
		return "This dataset could be asked for, but it repeats data that another member shared first, so it earns no stipend."
	case !a.Confirmed:
		return "This dataset could be asked for, but no paying use has confirmed its profile yet, so it earns no stipend."
	case p.by == outdone:
		return "This dataset could be asked for; another dataset of the same member already earns the stipend."
	case p.by == noFigure:
		return "This dataset could be asked for on no day of the period."
	}
	days := fmt.Sprintf("This dataset could be asked for on %d days, used or not.", a.Days)
	if a.Days == 1 {
		days = "This dataset could be asked for on one day, used or not."
	}
	if a.Cluster != "" {
		return days + together
	}
	return days
}

func workWhy(w Work) string {
	if w.Grade == GradeSelf {
		return fmt.Sprintf("Work (%s) that only the member vouches for does not count.", w.Kind)
	}
	if w.Points == 1 {
		return fmt.Sprintf("Work (%s) accepted with one size point.", w.Kind)
	}
	return fmt.Sprintf("Work (%s) accepted with %d size points.", w.Kind, w.Points)
}

func dutyWhy(d Duty) string {
	if d.Grade == GradeSelf {
		return fmt.Sprintf("A duty (%s) that only the member vouches for does not count.", d.Kind)
	}
	if d.Points == 1 {
		return fmt.Sprintf("A duty (%s) completed, worth one fixed point.", d.Kind)
	}
	return fmt.Sprintf("A duty (%s) completed, worth %d fixed points.", d.Kind, d.Points)
}

package appeals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/desk"
)

// conclude decides a case whose panel waits for nobody any more.
func (d *Docket) conclude(tx *db.Tx, k hearing) error {
	taken, err := seats(tx, k.Appeal)
	if err != nil || k.State != stateScoring || slices.ContainsFunc(taken, func(s seat) bool { return s.State == jury.Waiting }) {
		return err
	}
	c, err := d.market.Contest(tx, k.Period)
	if err != nil {
		return err
	}
	b, err := appraisal.ParseBundle(c.Bundle)
	if err != nil {
		return fmt.Errorf("appeals: bundle: %w", err)
	}
	out, err := d.caseOf(tx, k, b, c.Hearing.Beyond)
	if err != nil {
		return err
	}
	k.State, k.Score = stateDecided, out.Score
	if err := putCase(tx, k); err != nil {
		return err
	}
	a, err := getAppeal(tx, k.Appeal)
	if err != nil {
		return err
	}
	a.State, a.DecidedAt, a.Answer = out.Outcome, d.desk.Now(), sentence(out, d.desk.Charter.Currency)
	if err := answerAppeal(tx, a); err != nil {
		return err
	}
	return errors.Join(d.desk.Note(tx, "panel.decided", a.State, map[string]any{"appeal": k.Appeal, "period": string(k.Period), "score": out.Score, "answers": scored(out)}),
		d.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeAppealDecided, Ref: string(a.Period), Occasion: a.ID + "/panel", To: []coop.Addressee{{Member: a.Member}}}))
}

// caseOf is a case as a record tells it, decided against a bundle's statement by a
// cap on what a panel may exceed the model's bound by.
func (d *Docket) caseOf(tx *db.Tx, k hearing, b appraisal.Bundle, beyond int64) (jury.Case, error) {
	taken, err := seats(tx, k.Appeal)
	if err != nil {
		return jury.Case{}, err
	}
	standing, _ := b.Standing(k.Name, k.Dossier)
	standing.Member, standing.Dossier = "", ""
	out := jury.Case{Beyond: beyond, Checkpoint: k.Checkpoint, Dossier: k.Dossier, Excluded: k.Excluded, Leaf: k.Leaf,
		Member: k.Name, PassedOver: k.Passed, Questions: k.Questions, Roll: k.Roll, Seats: []jury.Seat{}, Standing: standing}
	for _, s := range taken {
		out.Seats = append(out.Seats, jury.Seat{Name: s.Name, State: s.State, Yes: s.Yes})
	}
	out.Decide()
	return out, nil
}

func scored(c jury.Case) (n int) {
	for _, s := range c.Seats {
		if s.State == jury.Scored {
			n++
		}
	}
	return n
}

// sentence says to a member what a panel made of their appeal.
func sentence(c jury.Case, currency coop.Currency) string {
	money := func(v int64) string { return coop.Money(v).Format(currency) }
	n := scored(c)
	said := fmt.Sprintf("Of %d members drawn by lot, %d answered the %d questions without seeing the model's answer. Their median is %d thousandths; the statement used %d.",
		len(c.Seats), n, len(c.Questions), c.Score, c.Standing.Score)
	if n < jury.Fewest {
		said = fmt.Sprintf("Only %d members without an interest in it answered, and it takes %d, so the formula's own amount counts.", n, jury.Fewest)
	}
	said += fmt.Sprintf(" The formula alone set %s, and the statement pays %s.", money(c.Standing.Baseline), money(c.Standing.Paid))
	if c.Claim > 0 {
		return said + fmt.Sprintf(" A panel may go %d thousandths beyond the model's bound of %d; by that, your appeal adds %s, paid from what was set aside for appeals.",
			c.Beyond, c.Standing.Beta, money(c.Claim))
	}
	return said + " So the amount stays as it is."
}

// Outcome is what a settled period's appeals come to.
type Outcome struct {
	Record []byte // as published; nil where there was nothing to record
	SHA256 string
	Awards []Award
	Paid   coop.Money // the sum of the awards
}

// Award is what one appeal is paid.
type Award struct {
	Member coop.MemberID
	Amount coop.Money
}

// Close writes down what became of a period's appeals against the statement
// that is being settled, whose bundle it asks for only if there were any: which
// awards are paid out of what was set aside.
func (d *Docket) Close(tx *db.Tx, id coop.PeriodID, statement func() ([]byte, error)) (Outcome, error) {
	cases, err := panelsOf(tx, id)
	if err != nil {
		return Outcome{}, err
	}
	fixes, err := corrections(tx, id)
	if err != nil || len(cases)+len(fixes) == 0 {
		return Outcome{}, err
	}
	bundle, err := statement()
	if err != nil {
		return Outcome{}, err
	}
	b, err := appraisal.ParseBundle(bundle)
	if err != nil {
		return Outcome{}, fmt.Errorf("appeals: bundle: %w", err)
	}
	c, err := d.market.Contest(tx, id)
	if err != nil {
		return Outcome{}, err
	}
	r := jury.Record{BundleSHA256: coop.Digest(bundle), Cases: []jury.Case{}, Format: jury.Format, Period: string(id),
		Permille: c.Hearing.Reserve}
	r.Reserve = b.Statement.AppealReserve(r.Permille)
	if r.Corrections, err = d.corrected(tx, id, b, fixes); err != nil {
		return Outcome{}, err
	}
	out, err := d.award(tx, &r, cases, b, c.Hearing.Beyond)
	if err != nil {
		return Outcome{}, err
	}
	if out.Record, err = r.JSON(); err != nil {
		return Outcome{}, fmt.Errorf("appeals: record: %w", err)
	}
	out.SHA256 = coop.Digest(out.Record)
	return out, insertRecord(tx, id, out.SHA256, out.Record)
}

// award divides what was set aside between the cases of a record.
func (d *Docket) award(tx *db.Tx, r *jury.Record, cases []hearing, b appraisal.Bundle, beyond int64) (out Outcome, err error) {
	claims := make([]int64, len(cases))
	for i, k := range cases {
		c, err := d.caseOf(tx, k, b, beyond)
		if err != nil {
			return Outcome{}, err
		}
		r.Cases, claims[i] = append(r.Cases, c), c.Claim
	}
	for i, award := range jury.Awards(claims, r.Reserve) {
		r.Cases[i].Award = award
		r.Paid += award
		if award > 0 {
			out.Awards = append(out.Awards, Award{cases[i].Member, coop.Money(award)})
		}
		if err := setAward(tx, cases[i].Appeal, award); err != nil {
			return Outcome{}, err
		}
	}
	out.Paid = coop.Money(r.Paid)
	return out, nil
}

// corrected lists what stewards mended, under the statement's names.
func (d *Docket) corrected(tx *db.Tx, id coop.PeriodID, b appraisal.Bundle, fixes []mended) ([]jury.Correction, error) {
	out := []jury.Correction{}
	c, err := d.market.Contest(tx, id)
	if err != nil {
		return nil, err
	}
	for _, f := range fixes {
		name := appraisal.Pseudonym(c.Key, string(id), "member", string(f.Member))
		about := f.Line
		if about.Kind == appraisal.KindStipend {
			about.Kind = appraisal.KindData
		}
		out = append(out, jury.Correction{Dossier: dossierOf(c.Key, b.Evidence.Salt, id, name, about), Field: f.Field, From: f.From, Source: f.Source, To: f.Value})
	}
	return out, nil
}

// Record is what became of a settled period's appeals, as members may read it;
// desk.ErrNotFound where there were none.
func (d *Docket) Record(ctx context.Context, id coop.PeriodID) ([]byte, error) {
	return desk.Read(ctx, d.desk.DB, func(tx *db.Tx) ([]byte, error) {
		text, _, err := getRecord(tx, id)
		return text, err
	})
}

// errRecord says that a record is not the one that was settled by.
var errRecord = errors.New("appeals: the record's digest differs, or an award is not the record's")

// Verify computes a settled period's record again and holds what was awarded
// against it. A period without one passes.
func (d *Docket) Verify(tx *db.Tx, id coop.PeriodID, bundle []byte) error {
	text, sha, err := getRecord(tx, id)
	if errors.Is(err, desk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := appraisal.VerifyAppeals(bundle, text)
	if err != nil {
		return err
	}
	cases, err := panelsOf(tx, id)
	if err != nil {
		return err
	}
	if coop.Digest(text) != sha || len(cases) != len(r.Cases) {
		return errRecord
	}
	for i, k := range cases {
		if int64(k.Award) != r.Cases[i].Award {
			return errRecord
		}
		if err := d.filed(tx, r.Cases[i]); err != nil {
			return err
		}
	}
	return nil
}

// filed holds a case against the log: the checkpoint that decided its panel must be
// of this log, and the leaf that the log took before must name who might be drawn,
// and who might not and why.
func (d *Docket) filed(tx *db.Tx, c jury.Case) error {
	if ahead, err := d.desk.Log.Ahead(tx.Context(), []byte(c.Checkpoint)); err != nil || ahead > 0 {
		return errors.Join(errRecord, err)
	}
	text, err := d.desk.Log.Leaf(tx, c.Leaf)
	if err != nil {
		return errors.Join(errRecord, err)
	}
	var leaf struct{ Kind, Revision string }
	if err := json.Unmarshal(text, &leaf); err != nil || leaf.Kind != "appeal.filed" || leaf.Revision != jury.CallSHA256(c.Roll, c.PassedOver) {
		return errRecord
	}
	return nil
}

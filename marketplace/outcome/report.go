package outcome

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/policies"
)

// Owe notes what a request owes that opens now. Study is what it
// promised, granted the duties that come with what it was granted.
func (b *Board) Owe(tx *db.Tx, request coop.RequestID, r coop.ResearcherID, pool coop.PoolID, study policies.Study, granted []policies.Obligation) error {
	return insertDuty(tx, request, r, pool, study.Publishes || study.Returns || promises(granted))
}

// promises reports whether duties promise members results: what the DUO codes
// 0000019 (publication required) and 0000029 (return to the resource) become.
func promises(granted []policies.Obligation) bool {
	return slices.ContainsFunc(granted, func(o policies.Obligation) bool { return o.Code == "publish-openly" || o.Code == "return-results" })
}

// PutReport publishes what came of a request, says that its copies are deleted,
// or both. Faults: ErrEmpty, ErrSummary, ErrLink, ErrNotFound for somebody else's
// request, ErrNothing. Honours an idempotency key.
func (b *Board) PutReport(ctx context.Context, r coop.ResearcherID, id coop.RequestID, draft Draft) (Duty, error) {
	draft, err := draft.check()
	if err != nil {
		return Duty{}, err
	}
	return desk.Write(ctx, b.desk.DB, func(tx *db.Tx) (Duty, error) {
		d, err := b.fetched(tx, r, id)
		if err != nil {
			return Duty{}, err
		}
		if err := errors.Join(b.publish(tx, d, draft), b.attest(tx, d, draft)); err != nil {
			return Duty{}, err
		}
		return b.duty(tx, r, id)
	})
}

// fetched finds a researcher's duty of which there is something to say.
func (b *Board) fetched(tx *db.Tx, r coop.ResearcherID, id coop.RequestID) (Duty, error) {
	d, err := b.duty(tx, r, id)
	if err == nil && d.Ends == 0 {
		err = ErrNothing
	}
	return d, err
}

func (b *Board) publish(tx *db.Tx, d Duty, draft Draft) error {
	if draft.Summary == "" {
		return nil
	}
	if was := d.Published; was != nil && !was.Hidden() && was.Summary == draft.Summary && was.Link == draft.Link {
		return nil // a form that was sent twice
	}
	one := Report{ID: coop.NewID(), Request: d.Request, Researcher: d.Researcher, Pool: d.Pool, Title: d.Title, Summary: draft.Summary, Link: draft.Link, At: b.desk.Now()}
	if err := insertReport(tx, one); err != nil {
		return err
	}
	if err := b.desk.Note(tx, "report.published", "published", map[string]any{"report": one.ID, "request": string(d.Request), "summary_sha256": coop.Digest([]byte(one.Summary))}); err != nil {
		return err
	}
	return b.tellReaders(tx, one)
}

// tellReaders tells the members whose data were fetched for a request.
func (b *Board) tellReaders(tx *db.Tx, one Report) error {
	const many = 500
	for after := coop.MemberID(""); ; {
		page, err := readers(tx, one.Request, after, many)
		if err != nil || len(page) == 0 {
			return err
		}
		n := coop.Notice{Kind: coop.NoticeReport, Ref: one.ID, About: one.Title}
		for _, m := range page {
			n.To = append(n.To, coop.Addressee{Member: m})
		}
		if err := b.desk.Jobs.Tell(tx, n); err != nil {
			return err
		}
		after = page[len(page)-1]
	}
}

func (b *Board) attest(tx *db.Tx, d Duty, draft Draft) error {
	if !draft.Deleted {
		return nil
	}
	return errors.Join(setDeleted(tx, d.Request, b.desk.Now()),
		b.desk.Note(tx, "report.deletion", "attested", map[string]any{"request": string(d.Request), "researcher": string(d.Researcher)}))
}

// ReportDuty is what one of a researcher's requests owes; ErrNotFound for
// somebody else's, and for one that has not been opened.
func (b *Board) ReportDuty(ctx context.Context, r coop.ResearcherID, id coop.RequestID) (Duty, error) {
	return desk.Read(ctx, b.desk.DB, func(tx *db.Tx) (Duty, error) { return b.duty(tx, r, id) })
}

// ReportDuties lists what a researcher's requests owe, newest first.
func (b *Board) ReportDuties(ctx context.Context, r coop.ResearcherID) ([]Duty, error) {
	return desk.Read(ctx, b.desk.DB, func(tx *db.Tx) ([]Duty, error) { return b.complete(tx, true)(dutiesOf(tx, r)) })
}

func (b *Board) duty(tx *db.Tx, r coop.ResearcherID, id coop.RequestID) (Duty, error) {
	one, err := dutyOf(tx, id)
	if err == nil && one.Researcher != r {
		err = desk.ErrNotFound
	}
	if err != nil {
		return Duty{}, err
	}
	out, err := b.complete(tx, true)([]owing{one}, nil)
	if err != nil {
		return Duty{}, err
	}
	return out[0], nil
}

// complete adds the reports to duties and says how they stand.
func (b *Board) complete(tx *db.Tx, open bool) func([]owing, error) ([]Duty, error) {
	return func(list []owing, err error) ([]Duty, error) {
		out := make([]Duty, 0, len(list))
		for _, o := range list {
			if err != nil {
				break
			}
			var last Report
			if last, err = lastReport(tx, o.Request); err == nil {
				if !open {
					last = last.veiled()
				}
				o.Published = &last
			} else if errors.Is(err, desk.ErrNotFound) {
				err = nil
			}
			o.states(o.owes, o.lastFetch, b.desk.Now())
			out = append(out, o.Duty)
		}
		return out, err
	}
}

// Clear refuses with ErrOverdue a researcher who owes the members word of an
// earlier request. The detail names what for.
func (b *Board) Clear(tx *db.Tx, r coop.ResearcherID) error {
	list, err := b.complete(tx, true)(dutiesOf(tx, r))
	if err != nil {
		return err
	}
	var which []string
	for _, d := range list {
		if d.Overdue() {
			which = append(which, "It is about your request of the reference "+string(d.Request)+".")
		}
	}
	if len(which) == 0 {
		return nil
	}
	return ErrOverdue.With(which...)
}

type overdueJob struct {
	Request coop.RequestID `json:"request"`
}

// Expired has the stewards of vetting told, when it is time, if a request whose
// time for fetching is over is not answered for.
func (b *Board) Expired(tx *db.Tx, id coop.RequestID) error {
	o, err := dutyOf(tx, id)
	if errors.Is(err, desk.ErrNotFound) || err == nil && o.Ends == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return b.desk.Jobs.Enqueue(tx, kindOverdue, string(id), overdueJob{id}, time.UnixMilli(o.OverdueAt()))
}

// look tells the stewards of vetting of a request that is overdue now.
func (b *Board) look(ctx context.Context, payload []byte) error {
	var job overdueJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return desk.Failed("look at what is overdue", err)
	}
	return b.desk.DB.Update(ctx, func(tx *db.Tx) error {
		o, err := dutyOf(tx, job.Request)
		if err != nil {
			return err
		}
		d, err := b.duty(tx, o.Researcher, job.Request)
		if err != nil || !d.Overdue() {
			return err
		}
		return b.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeOverdue, Ref: string(d.Request), About: d.Title, Office: coop.Vetting})
	})
}

// PoolReports lists the reports about a pool, newest first, from before the one
// named (empty for the start), at most limit of them and at most 201. Of hidden
// ones only that they are hidden is told, and why.
func (b *Board) PoolReports(ctx context.Context, pool coop.PoolID, before string, limit int) ([]Report, error) {
	return b.list(ctx, func(tx *db.Tx) ([]Report, error) { return poolReports(tx, pool, before, most(limit)) })
}

// DatasetReports lists what came of the requests that one of a member's datasets
// was fetched for, newest first, at most 100.
func (b *Board) DatasetReports(ctx context.Context, m coop.MemberID, ds coop.DatasetID) ([]Report, error) {
	return b.list(ctx, func(tx *db.Tx) ([]Report, error) { return datasetReports(tx, m, ds) })
}

// MemberReports lists what came of the requests that any of a member's datasets
// was fetched for, like PoolReports.
func (b *Board) MemberReports(ctx context.Context, m coop.MemberID, before string, limit int) ([]Report, error) {
	return b.list(ctx, func(tx *db.Tx) ([]Report, error) { return memberReports(tx, m, before, most(limit)) })
}

// Report finds a report for everybody; ErrNotFound if there is none, or if a
// newer one has taken its place.
func (b *Board) Report(ctx context.Context, id string) (Report, error) {
	one, err := desk.Read(ctx, b.desk.DB, func(tx *db.Tx) (Report, error) { return reportByID(tx, id) })
	return one.veiled(), err
}

// Reports lists all reports, like PoolReports, for stewards of vetting; ErrOffice
// for anybody else.
func (b *Board) Reports(ctx context.Context, steward coop.MemberID, before string, limit int) ([]Report, error) {
	if err := b.desk.Needs(ctx, steward, coop.Vetting); err != nil {
		return nil, err
	}
	return b.list(ctx, func(tx *db.Tx) ([]Report, error) { return allReports(tx, before, most(limit)) })
}

func most(limit int) int { return min(max(limit, 1), 201) }

func (b *Board) list(ctx context.Context, find func(*db.Tx) ([]Report, error)) ([]Report, error) {
	out, err := desk.Read(ctx, b.desk.DB, find)
	for i := range out {
		out[i] = out[i].veiled()
	}
	return out, err
}

// HideReport hides an abusive report, with a reason that everybody reads. The
// report is owed again. ErrOffice for anybody but a steward of vetting, ErrReason,
// ErrNotFound, ErrHidden.
func (b *Board) HideReport(ctx context.Context, steward coop.MemberID, id, reason string) (Report, error) {
	reason = strings.TrimSpace(strings.ReplaceAll(reason, "\r\n", "\n"))
	return desk.Duty(ctx, b.desk, steward, coop.Vetting, func(tx *db.Tx) (Report, error) {
		if !coop.Prose(reason, 1, maxReason) {
			return Report{}, ErrReason
		}
		one, err := reportByID(tx, id)
		if err == nil && one.Hidden() {
			err = ErrHidden
		}
		if err != nil {
			return Report{}, err
		}
		one.HiddenAt, one.HiddenReason = b.desk.Now(), reason
		err = errors.Join(hide(tx, one, steward),
			b.desk.Note(tx, "report.hidden", "hidden", map[string]any{"report": id, "steward": string(steward), "reason": reason}))
		return one.veiled(), err
	})
}

// DutiesOwed lists what researchers owe now, the longest overdue first, for
// stewards of vetting; ErrOffice for anybody else.
func (b *Board) DutiesOwed(ctx context.Context, steward coop.MemberID) ([]Duty, error) {
	if err := b.desk.Needs(ctx, steward, coop.Vetting); err != nil {
		return nil, err
	}
	return desk.Read(ctx, b.desk.DB, func(tx *db.Tx) ([]Duty, error) {
		list, err := b.complete(tx, false)(dutiesEnding(tx, b.desk.Now()))
		out := make([]Duty, 0, len(list))
		for _, d := range list {
			if d.Owes() {
				out = append(out, d)
			}
		}
		return out, err
	})
}

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/web/client"
)

func (t *tour) pay(ctx context.Context) (string, error) {
	r := t.cast.researcher.api
	quote, err := r.Quote(ctx, t.req.ID)
	if err != nil {
		return "", err
	}
	if t.inv, err = r.Accept(ctx, t.req.ID); err != nil {
		return "", err
	}
	if err := must(quote.Total == t.inv.Total && t.inv.Total > 0, "the invoice is the quote"); err != nil {
		return "", err
	}
	treasurer, err := t.cast.office("treasury", 0)
	if err != nil {
		return "", err
	}
	got, err := treasurer.api.ImportBankStatement(ctx, t.bankStatement())
	if err != nil {
		return "", err
	}
	if err := must(got.Matched == 1 && got.Received == t.inv.Total, "the payment is matched by its reference"); err != nil {
		return "", err
	}
	again, err := treasurer.api.ImportBankStatement(ctx, t.bankStatement())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d × %s = %s, paid with reference %s", quote.Datasets, t.money(quote.Each), t.money(quote.Total), t.inv.Reference),
		must(again.Matched == 0, "a statement counts once")
}

// bankStatement is the co-op's bank telling of the researcher's payment, as an
// ISO 20022 camt.053.
func (t *tour) bankStatement() []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>demo-%[1]s</MsgId><CreDtTm>%[2]s</CreDtTm></GrpHdr>
<Stmt><Id>demo-%[1]s</Id><Ntry><Amt Ccy="%[3]s">%[4]s</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<AcctSvcrRef>demo-%[1]s-1</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf><Ref>%[1]s</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>
</Ntry></Stmt></BkToCstmrStmt></Document>
`, t.inv.Reference, t.Clock.Now().Format("2006-01-02T15:04:05Z"), t.Currency, strings.TrimSuffix(t.money(t.inv.Total), " "+string(t.Currency)))
}

// work has two members do something for the co-op and two others review each.
func (t *tour) work(ctx context.Context) (string, error) {
	people := t.cast.plain()
	accepted := 0
	for i, draft := range []client.ContributionDraft{
		{Kind: "document", Title: "A leaflet about revoking", Text: "Two pages in plain words, tried out with five neighbours.", Evidence: "leaflet-revoking.pdf"},
		{Kind: "support", Title: "Help desk in the library", Text: "Four evenings of help with phones and exports.", Evidence: "visitors' book, pages 3 to 9"},
	} {
		worker := people[i%len(people)]
		c, err := worker.api.SubmitContribution(ctx, draft)
		if err != nil {
			return "", err
		}
		if _, err := worker.api.Review(ctx, c.ID, client.ReviewBody{Accept: true, Size: 5}); !client.IsStatus(err, 403, 409) {
			return "", must(false, "nobody reviews their own work")
		}
		for n, size := range []int{3 - i, 3} {
			reviewer := t.cast.members[n+1] // office holders, never the worker
			if c, err = reviewer.api.Review(ctx, c.ID, client.ReviewBody{Accept: true, Size: size, Note: "Seen and used."}); err != nil {
				return "", err
			}
		}
		if c.State == "accepted" {
			accepted++
		}
	}
	return fmt.Sprintf("%d contributions accepted, each sized by two others", accepted), must(accepted == 2, "the work is accepted")
}

// openPeriod finds the period that is running.
func (t *tour) openPeriod(ctx context.Context) (client.Period, error) {
	for p, err := range t.cast.members[0].api.Periods(ctx) {
		if err != nil || p.State == "open" {
			return p, err
		}
	}
	return client.Period{}, must(false, "a period is open")
}

func (t *tour) close(ctx context.Context) (string, error) {
	p, err := t.openPeriod(ctx)
	if err != nil {
		return "", err
	}
	treasurer, err := t.cast.office("treasury", 0)
	if err != nil {
		return "", err
	}
	if t.period, err = treasurer.api.ClosePeriod(ctx, p.ID); err != nil {
		return "", err
	}
	if err := must(t.period.Revenue == t.inv.Total, "revenue is what was delivered"); err != nil {
		return "", err
	}
	members, err := t.recompute(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s for %d members; recomputed byte for byte from its bundle", t.money(t.period.Revenue), members), nil
}

// recompute verifies the published statement offline, as any member can.
func (t *tour) recompute(ctx context.Context) (members int, err error) {
	view, err := t.cast.members[0].api.Statement(ctx, t.period.ID)
	if err != nil {
		return 0, err
	}
	if err := appraisal.Verify(view.Bundle); err != nil {
		return 0, err
	}
	var bundle appraisal.Bundle
	if err := json.Unmarshal(view.Bundle, &bundle); err != nil {
		return 0, err
	}
	return len(bundle.Statement.Shares), nil
}

func (t *tour) challenge(ctx context.Context) (string, error) {
	member := t.cast.plain()[0]
	appeal, err := member.api.Appeal(ctx, client.AppealDraft{Period: t.period.ID, Text: "My leaflet took longer than it was sized."})
	if err != nil {
		return "", err
	}
	treasurer, err := t.cast.office("treasury", 0)
	if err != nil {
		return "", err
	}
	_, err = treasurer.api.SettlePeriod(ctx, t.period.ID)
	if err := must(client.IsStatus(err, 409), "nothing is settled while it can be contested"); err != nil {
		return "", err
	}
	steward, err := t.cast.office("appeals", 0)
	if err != nil {
		return "", err
	}
	appeal, err = steward.api.DecideAppeal(ctx, appeal.ID, client.AppealDecision{
		Answer: "Two reviewers sized it independently, and you did not object then. The size stands."})
	if err != nil {
		return "", err
	}
	return "settlement waits; the appeal is " + appeal.State + " with a reason", nil
}

func (t *tour) settle(ctx context.Context) (string, error) {
	treasurer, err := t.cast.office("treasury", 0)
	if err != nil {
		return "", err
	}
	if err := t.Clock.AdvanceTo(*t.period.ChallengeEndsAt); err != nil {
		return "", err
	}
	if t.period, err = treasurer.api.SettlePeriod(ctx, t.period.ID); err != nil {
		return "", err
	}
	sum, earners := int64(0), 0
	for _, p := range t.cast.members {
		mine, err := p.api.MyStatement(ctx, t.period.ID)
		if client.IsStatus(err, 404) {
			continue
		}
		if err != nil {
			return "", err
		}
		sum += mine.Amount
		earners++
		if err := must(mine.Why != "", "every statement says why"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s to %d members, each with the reasons", t.money(sum), earners), must(sum > 0, "members earn")
}

func (t *tour) payout(ctx context.Context) (string, error) {
	first, err := t.cast.office("treasury", 0)
	if err != nil {
		return "", err
	}
	second, err := t.cast.office("treasury", 1)
	if err != nil {
		return "", err
	}
	if _, err := first.api.ReleasePeriod(ctx, t.period.ID); err != nil {
		return "", err
	}
	_, err = first.api.ReleasePeriod(ctx, t.period.ID)
	if err := must(client.IsStatus(err, 409), "one person cannot release twice"); err != nil {
		return "", err
	}
	if t.period, err = second.api.ReleasePeriod(ctx, t.period.ID); err != nil {
		return "", err
	}
	file, err := first.api.PayoutFile(ctx, t.period.ID)
	if err != nil {
		return "", err
	}
	transfers := bytes.Count(file, []byte("<CdtTrfTxInf>"))
	return fmt.Sprintf("pain.001 with %d transfers", transfers), must(t.period.State == "released" && transfers > 0, "there is a payment file")
}

func (t *tour) verify(ctx context.Context) (string, error) {
	if t.Verify == nil {
		return "", must(false, "there is something to verify with")
	}
	return t.Verify(ctx)
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

// pool is what is shared and asked for.
const pool = "wearables"

// people are the members of a co-op and one researcher who may ask.
type people struct {
	*Coop
	members     []member
	researcher  *client.Client
	credentials client.Option // the researcher's
	recipient   client.Recipient
}

type member struct {
	id    coop.MemberID
	token string
	api   *client.Client
}

// gather signs the members in, of whom the first two are the stewards that vet
// and bank, and vets a researcher.
func gather(ctx context.Context, env Env) (p *people, err error) {
	c, err := env.Start(ctx, filepath.Join(env.Dir, "coop"))
	if err != nil {
		return nil, err
	}
	p = &people{Coop: c}
	for _, account := range c.Accounts {
		m, err := p.signIn(ctx, account)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		p.members = append(p.members, m)
	}
	if err := p.vet(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return p, nil
}

func (p *people) signIn(ctx context.Context, a demo.Account) (m member, err error) {
	if m.token, err = demo.SignIn(ctx, p.Base, a); err != nil {
		return m, err
	}
	if m.api, err = client.New(p.Base, client.WithToken(m.token)); err != nil {
		return m, err
	}
	me, err := m.api.Me(ctx)
	m.id = coop.MemberID(me.ID)
	return m, err
}

func (p *people) vet(ctx context.Context) error {
	r, err := p.members[0].api.VetResearcher(ctx, client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	if err != nil {
		return err
	}
	p.credentials = client.WithCredentials(r.ClientID, r.ClientSecret)
	if p.researcher, err = client.New(p.Base, p.credentials); err != nil {
		return err
	}
	id, err := client.Keygen(false)
	if err != nil {
		return err
	}
	p.recipient, err = p.researcher.ProveRecipient(ctx, id)
	return err
}

// share seals a payload of so many bytes for a member, beside HTTP: setting up
// is not what is measured.
func (p *people) share(ctx context.Context, dir string, m coop.MemberID, bytes int64) (vault.Dataset, error) {
	d, err := p.Vault.Open(ctx, m, pool, "")
	if err != nil {
		return d, err
	}
	path := filepath.Join(dir, string(d.ID))
	size, err := encrypted(path, bytes, d.VaultRecipient)
	if err != nil {
		return d, err
	}
	defer func() { _ = os.Remove(path) }() // the folder goes anyway
	file, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer func() { _ = file.Close() }() // it was only read
	up, err := p.Vault.CreateUpload(ctx, m, d.ID, size)
	if err != nil {
		return d, err
	}
	if up, err = p.Vault.Append(ctx, m, up.ID, 0, file); err != nil {
		return d, err
	}
	return p.Vault.Seal(ctx, m, d.ID, vault.SealInput{
		Manifest: vault.Manifest{Dataset: string(d.ID), SHA256: up.PayloadSHA256, Size: up.PayloadSize,
			HeaderSHA256: up.HeaderSHA256, VaultRecipient: d.VaultRecipient},
		Profile: vault.Profile{Format: "bench", Pool: pool, Rows: 1, Coverage: 1000},
		Terms:   &consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}})
}

// files asks for everything that is shared and pays for it.
func (p *people) files(ctx context.Context) (files []client.File, err error) {
	req, err := p.researcher.SubmitRequest(ctx, client.RequestDraft{Pool: pool, Title: "A benchmark", DUO: "DUO:0000042", DPV: "AcademicResearch",
		RetentionDays: 30, Recipient: p.recipient.ID})
	if err != nil {
		return nil, err
	}
	inv, err := p.researcher.Accept(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if err := p.pay(ctx, inv); err != nil {
		return nil, err
	}
	for f, err := range p.researcher.Files(ctx, req.ID) {
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// pay imports a bank statement (camt.053) with the invoice's amount.
func (p *people) pay(ctx context.Context, inv client.Invoice) error {
	statement := fmt.Sprintf(`<Document><BkToCstmrStmt><Stmt><Id>bench</Id><Ntry><Amt Ccy="%s">%d.%02d</Amt>`+
		`<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><AcctSvcrRef>%s</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Strd>`+
		`<CdtrRefInf><Ref>%s</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`,
		inv.Currency, inv.Total/100, inv.Total%100, inv.ID, inv.Reference)
	got, err := p.members[1].api.ImportBankStatement(ctx, []byte(statement))
	if err == nil && got.Matched != 1 {
		err = errors.New("the payment was not recognised")
	}
	return err
}

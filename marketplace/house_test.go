package marketplace

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/vault/header"
)

// house is a co-op under the demo charter with every room below the market,
// on real databases. Its stewards are those the charter names.
type house struct {
	*Service
	t                  testing.TB
	clock              *testkit.Clock
	engine             *policies.Engine
	queue              *jobs.Queue
	log                *audit.Log
	vault              *vault.Service
	con                *consent.Service
	gov                *governance.Service
	books              *ledger.Service
	ada, bea, cem, dan coop.MemberID // vetting, treasury twice, appeals
	challenger         func(coop.Candidate) (appraisal.Judge, error)
}

const price = 1275 // of wearables, in the demo charter

func open(t testing.TB, change ...func(*coop.Charter)) *house {
	t.Helper()
	charter := must[coop.Charter](t)(coop.ParseCharter(governance.DemoCharter()))
	for _, c := range change {
		c(&charter)
	}
	ctx, d, key := context.Background(), testkit.DB(t), testkit.Key()
	h := &house{t: t, clock: testkit.NewClock(), log: testkit.Audit(t, d), engine: policies.NewEngine(nil)}
	h.queue = testkit.Queue(t, d, h.clock.Now)
	must[*once.Store](t)(once.New(ctx, d))
	h.con = must[*consent.Service](t)(consent.New(ctx, consent.Config{DB: d, Engine: h.engine, Log: h.log, Clock: h.clock.Now,
		Key: key, PermitFor: time.Minute, Charter: charter, Logger: slog.New(slog.DiscardHandler)}))
	h.vault = must[*vault.Service](t)(vault.New(ctx, vault.Config{DB: d, Keystore: testkit.File(t), Consent: h.con, Log: h.log,
		Blobs: must[*vault.Blobs](t)(vault.OpenBlobs(t.TempDir())), Clock: h.clock.Now, Key: key, MaxBytes: 1 << 20, EpochDirs: []string{t.TempDir()},
		Master: must[age.Identity](t)(vault.NewMaster()), ClassicRecipients: true}))
	h.gov = must[*governance.Service](t)(governance.New(ctx, governance.Config{DB: d, Consent: h.con, Engine: h.engine, Log: h.log,
		Jobs: h.queue, Clock: h.clock.Now, Key: key, Charter: charter, CharterText: governance.DemoCharter()}))
	h.books = must[*ledger.Service](t)(ledger.New(ctx, ledger.Config{DB: d, Log: h.log, Clock: h.clock.Now, Currency: charter.Currency}))
	h.Service = must[*Service](t)(New(ctx, Config{DB: d, Consent: h.con, Vault: h.vault, Governance: h.gov, Ledger: h.books,
		Log: h.log, Jobs: h.queue, Clock: h.clock.Now, Charter: charter, Key: key,
		Judges: func(c coop.Candidate) (appraisal.Judge, error) { return h.challenger(c) }}))
	h.ok(h.gov.LoadLaw(ctx))
	h.ada, h.bea, h.cem, h.dan = h.member("ada"), h.member("bea"), h.member("cem"), h.member("dan")
	return h
}

// story is open with a check at the end that books, statements, log and
// decisions still hold.
func story(t *testing.T, change ...func(*coop.Charter)) *house {
	t.Helper()
	h := open(t, change...)
	t.Cleanup(func() {
		if !t.Failed() {
			h.sound()
		}
	})
	return h
}

func (h *house) sound() {
	h.t.Helper()
	ctx := context.Background()
	_, books := h.books.Verify(ctx)
	_, statements := h.Verify(ctx)
	_, leaves := h.log.Verify(ctx)
	_, decisions := h.con.ReplayAll(ctx)
	if err := errors.Join(books, statements, leaves, decisions); err != nil {
		h.t.Error(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused wants exactly this fault.
func (h *house) refused(err error, want *fault.Error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("got %v, want %v", err, want)
	}
}

func (h *house) ctx() context.Context { return h.t.Context() }

// keyed is a context with an idempotency key.
func (h *house) keyed(key string) context.Context {
	return once.With(h.t.Context(), once.Key{Caller: "caller", Key: key, Body: sha256.Sum256([]byte(key))})
}

func (h *house) member(subject string) coop.MemberID {
	h.t.Helper()
	return must[governance.Member](h.t)(h.gov.Admit(context.Background(), governance.Identity{Issuer: "i", Subject: subject, Name: subject})).ID
}

func (h *house) members(n int) (out []coop.MemberID) {
	for i := range n {
		out = append(out, h.member(fmt.Sprintf("member-%d", i)))
	}
	return out
}

// yes allows universities any research.
func yes() *consent.Terms {
	return &consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}
}

func no() *consent.Terms { return &consent.Terms{Effect: consent.Refused} }

// plain is what a member's file holds.
func plain(m coop.MemberID) []byte { return []byte("steps of " + m + "\n") }

// share seals a file of a member's in wearables.
func (h *house) share(m coop.MemberID, terms *consent.Terms, change ...func(*vault.SealInput)) coop.DatasetID {
	h.t.Helper()
	own := must[*age.X25519Identity](h.t)(age.GenerateX25519Identity())
	d := must[vault.Dataset](h.t)(h.vault.Open(h.ctx(), m, "wearables", own.Recipient().String()))
	to, _, err := header.ParseRecipient(d.VaultRecipient)
	h.ok(err)
	var file bytes.Buffer
	w := must[io.WriteCloser](h.t)(age.Encrypt(&file, own.Recipient(), to))
	must[int](h.t)(w.Write(plain(m)))
	h.ok(w.Close())
	up := must[vault.Upload](h.t)(h.vault.CreateUpload(h.ctx(), m, d.ID, int64(file.Len())))
	up = must[vault.Upload](h.t)(h.vault.Append(h.ctx(), m, up.ID, 0, &file))
	in := vault.SealInput{Terms: terms, Manifest: vault.Manifest{Dataset: string(d.ID), SHA256: up.PayloadSHA256, Size: up.PayloadSize,
		HeaderSHA256: up.HeaderSHA256, VaultRecipient: d.VaultRecipient, Terms: "t"},
		Profile: vault.Profile{Format: "test", Pool: "wearables", Rows: 10, Coverage: 900}}
	for _, c := range change {
		c(&in)
	}
	must[vault.Dataset](h.t)(h.vault.Seal(h.ctx(), m, d.ID, in))
	return d.ID
}

// shared is a pool that n members say yes in.
func (h *house) shared(n int) (members []coop.MemberID, datasets []coop.DatasetID) {
	members = h.members(n)
	for _, m := range members {
		datasets = append(datasets, h.share(m, yes()))
	}
	return members, datasets
}

// scientist is a vetted researcher with a proven recipient.
type scientist struct {
	Researcher
	recipient coop.RecipientID
	key       *age.X25519Identity
}

func (h *house) scientist() scientist {
	h.t.Helper()
	return h.vetted(Researcher{Name: "Example University", Kind: "university", Region: "DE"})
}

// vetted is a researcher of some description with a proven recipient.
func (h *house) vetted(draft Researcher) scientist {
	h.t.Helper()
	r := must[Researcher](h.t)(h.Vet(h.ctx(), h.ada, draft))
	key := must[*age.X25519Identity](h.t)(age.GenerateX25519Identity())
	rec := must[Recipient](h.t)(h.RegisterRecipient(h.ctx(), r.ID, key.Recipient().String()))
	rec = must[Recipient](h.t)(h.ProveRecipient(h.ctx(), r.ID, rec.ID, h.nonce(rec.Challenge, key)))
	return scientist{r, rec.ID, key}
}

func (h *house) nonce(challenge string, key age.Identity) string {
	h.t.Helper()
	return string(h.decrypt(armor.NewReader(strings.NewReader(challenge)), key))
}

func (h *house) decrypt(r io.Reader, key age.Identity) []byte {
	h.t.Helper()
	return must[[]byte](h.t)(io.ReadAll(must[io.Reader](h.t)(age.Decrypt(r, key))))
}

func (s scientist) draft() Draft {
	return Draft{Pool: "wearables", Title: "Do people sleep after walks?", Purpose: coop.Purpose{DUO: "DUO:0000042", DPV: "AcademicResearch"},
		RetentionDays: 365, Recipient: s.recipient, Researcher: s.ID}
}

// invoiced asks for everything and agrees to the price.
func (h *house) invoiced(s scientist) (Request, Invoice) {
	h.t.Helper()
	req := must[Request](h.t)(h.Submit(h.ctx(), s.draft()))
	return req, must[Invoice](h.t)(h.Accept(h.ctx(), s.ID, req.ID))
}

// paid is a request whose files can be fetched.
func (h *house) paid(s scientist) (Request, []FileView) {
	h.t.Helper()
	req, inv := h.invoiced(s)
	if inv.Total > 0 {
		h.pay(inv)
	}
	return req, must[[]FileView](h.t)(h.Files(h.ctx(), s.ID, req.ID))
}

func (h *house) pay(inv Invoice) Import {
	h.t.Helper()
	return h.imports(credit(inv.Reference, inv.Total, "<Ref>"+inv.Reference+"</Ref>"))
}

func (h *house) imports(entries ...string) Import {
	h.t.Helper()
	return must[Import](h.t)(h.ImportBankStatement(h.ctx(), h.bea, camt("S", entries...)))
}

// camt is a bank statement.
func camt(id string, entries ...string) io.Reader {
	return strings.NewReader(`<Document><BkToCstmrStmt><Stmt><Id>` + id + `</Id>` + strings.Join(entries, "") + `</Stmt></BkToCstmrStmt></Document>`)
}

// credit is money in, under the bank's own name for it.
func credit(name string, amount coop.Money, reference string) string {
	return fmt.Sprintf(`<Ntry><Amt Ccy="EUR">%s</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><AcctSvcrRef>%s</AcctSvcrRef>`+
		`<NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf>%s</CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>`, amount.Decimal("EUR"), name, reference)
}

// debit is money out that was ordered under an id.
func debit(name string, amount coop.Money, order string) string {
	return fmt.Sprintf(`<Ntry><Amt Ccy="EUR">%s</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><AcctSvcrRef>%s</AcctSvcrRef>`+
		`<NtryDtls><Btch><PmtInfId>%s</PmtInfId></Btch></NtryDtls></Ntry>`, amount.Decimal("EUR"), name, order)
}

// fetch delivers a file and decrypts it.
func (h *house) fetch(s scientist, id coop.FileID) []byte {
	h.t.Helper()
	d := must[vault.Delivery](h.t)(h.Deliver(h.ctx(), s.ID, id))
	f := must[io.ReadSeekCloser](h.t)(d.Open())
	defer f.Close()
	return h.decrypt(f, s.key)
}

func (h *house) fetchAll(s scientist, files []FileView) {
	h.t.Helper()
	for _, f := range files {
		h.fetch(s, f.ID)
	}
}

// earned is a period in which one researcher fetched what n members share.
func (h *house) earned(n int) (members []coop.MemberID, s scientist) {
	h.t.Helper()
	members, _ = h.shared(n)
	s = h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	return members, s
}

// closed ends a period some time after what happened in it.
func (h *house) closed(id coop.PeriodID) Period {
	h.t.Helper()
	h.clock.Advance(36 * time.Hour)
	return must[Period](h.t)(h.Close(h.ctx(), h.bea, id))
}

// settled lets the time for appeals pass and posts the shares.
func (h *house) settled(id coop.PeriodID) Period {
	h.t.Helper()
	h.clock.Advance(240 * time.Hour)
	return must[Period](h.t)(h.Settle(h.ctx(), h.bea, id))
}

// released is a settled period that both treasurers have released.
func (h *house) released(id coop.PeriodID) Period {
	h.t.Helper()
	must[Period](h.t)(h.Release(h.ctx(), h.bea, id))
	return must[Period](h.t)(h.Release(h.ctx(), h.cem, id))
}

// balance is what an account holds.
func (h *house) balance(a ledger.Account) coop.Money {
	h.t.Helper()
	return must[coop.Money](h.t)(h.books.Balance(h.ctx(), a))
}

func (h *house) statement(id coop.PeriodID) Published {
	h.t.Helper()
	return must[Published](h.t)(h.Statement(h.ctx(), id))
}

// worked has two others accept a member's contribution.
func (h *house) worked(m coop.MemberID) coop.ContributionID {
	h.t.Helper()
	c := must[governance.Contribution](h.t)(h.gov.Submit(h.ctx(), m, governance.Work{Kind: governance.WorkDocument, Title: "A leaflet", Evidence: "leaflet.pdf"}))
	for _, reviewer := range []coop.MemberID{h.ada, h.dan} {
		must[governance.Contribution](h.t)(h.gov.Review(h.ctx(), reviewer, c.ID, governance.Verdict{Accept: true, Size: 3}))
	}
	return c.ID
}

func (h *house) holds(a ledger.Account, want coop.Money) {
	h.t.Helper()
	if got := must[coop.Money](h.t)(h.books.Balance(h.ctx(), a)); got != want {
		h.t.Errorf("%s holds %d, want %d", a, got, want)
	}
}

func (h *house) entries() int {
	h.t.Helper()
	return len(must[[]ledger.Posted](h.t)(h.books.Entries(h.ctx(), 0, 1000)))
}

// rows counts rows of a table of this room.
func (h *house) rows(table string) (n int) {
	h.t.Helper()
	h.ok(h.DB.View(h.ctx(), func(tx *db.Tx) (err error) {
		n, err = number[int](tx, "rows", "SELECT count(*) FROM "+table)
		return err
	}))
	return n
}

// decisions is how often consent was asked and recorded about a member.
func (h *house) decisions(m coop.MemberID) []consent.Decision {
	h.t.Helper()
	return must[[]consent.Decision](h.t)(h.con.Uses(h.ctx(), m, "", 200))
}

// sealedBy turns a listing's payload hash into the member whose dataset it is.
func (h *house) sealedBy(sha string) coop.MemberID {
	h.t.Helper()
	for _, m := range must[[]governance.Member](h.t)(h.gov.Members(h.ctx(), governance.Page{Limit: 100})) {
		for _, d := range must[[]vault.Dataset](h.t)(h.vault.Mine(h.ctx(), m.ID)) {
			if d.PayloadSHA256 == sha {
				return m.ID
			}
		}
	}
	h.t.Fatal("nobody's file")
	return ""
}

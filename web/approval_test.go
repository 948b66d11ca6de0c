package web_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client"
)

// keeper is a member who keeps the only key to a dataset.
type keeper struct {
	h       *house
	api     *client.Client
	token   string
	id      client.Identity
	sign    ed25519.PrivateKey
	dataset client.Dataset
}

// keep uploads an invented export that its member alone can open.
func (h *house) keep(subject string, seed uint64) *keeper {
	h.t.Helper()
	ctx := context.Background()
	k := &keeper{h: h}
	k.api, k.token = h.member(subject)
	var err error
	k.id, err = client.Keygen(false)
	ok(h.t, err)
	k.sign, err = client.NewSigningKey()
	ok(h.t, err)
	ok(h.t, k.api.SetRecipient(ctx, k.id.Recipient()))
	ok(h.t, k.api.SetSigningKey(ctx, client.PublicSigningKey(k.sign)))
	name, export, err := codebook.Synthesise("fitbit-daily-activity", seed, h.clock.Now().AddDate(0, -2, 0), 30)
	ok(h.t, err)
	k.dataset, err = k.api.Share(ctx, client.ShareOptions{Pool: "wearables", Inputs: []codebook.Input{codebook.Bytes(name, export)},
		Recipient: k.id.Recipient(), SigningKey: k.sign, SelfCustody: true, Consent: agree(), Dir: h.t.TempDir()})
	ok(h.t, err)
	return k
}

// plain is the member's own file, read back.
func (k *keeper) plain() string {
	k.h.t.Helper()
	file, err := k.api.Content(context.Background(), k.dataset.ID)
	ok(k.h.t, err)
	defer file.Close()
	var out strings.Builder
	_, err = k.id.Decrypt(&out, file)
	ok(k.h.t, err)
	return out.String()
}

func (k *keeper) waiting() []client.Approval {
	k.h.t.Helper()
	var out []client.Approval
	for a, err := range k.api.Approvals(context.Background()) {
		ok(k.h.t, err)
		out = append(out, a)
	}
	return out
}

func (k *keeper) approve(a client.Approval) error {
	_, err := k.api.Approve(context.Background(), a, k.id, client.PublicSigningKey(k.sign))
	return err
}

// answer posts an answer as it is.
func (k *keeper) answer(id string, said client.ApprovalAnswer, headers ...string) answer {
	k.h.t.Helper()
	text, err := json.Marshal(said)
	ok(k.h.t, err)
	return k.h.call("POST", "/v1/me/approvals/"+id, k.token, string(text), headers...)
}

// rewrapped answers yes with the key wrapped to somebody.
func (k *keeper) rewrapped(a client.Approval, to string) client.ApprovalAnswer {
	k.h.t.Helper()
	a.Recipient = to
	hdr, err := a.Rewrap(k.id)
	ok(k.h.t, err)
	return client.ApprovalAnswer{Answer: client.AnswerApprove, Recipient: to, Header: base64.StdEncoding.EncodeToString(hdr)}
}

// kept is a house in which eva keeps the only key, two others do not, and a
// researcher has paid for all three.
func kept(t *testing.T) (h *house, eva *keeper, s *study, req client.AccessRequest) {
	t.Helper()
	h = openHouse(t)
	for seed, who := range []string{"finn", "guel"} {
		c, _ := h.member(who)
		h.share(c, uint64(seed))
	}
	eva, s = h.keep("eva", 7), h.study(30)
	req = s.ask()
	s.pay(req.ID)
	return h, eva, s, req
}

// files finds what a request lists in a state.
func (s *study) files(request, state string) (out []client.File) {
	s.h.t.Helper()
	for f, err := range s.api.Files(context.Background(), request) {
		ok(s.h.t, err)
		if f.State == state {
			out = append(out, f)
		}
	}
	return out
}

// refusal is what a client was told.
func refusal(t *testing.T, err error) *client.ProblemError {
	t.Helper()
	p, is := err.(*client.ProblemError)
	if !is {
		t.Fatalf("not a refusal of the server: %v", err)
	}
	return p
}

func TestAMemberKeepsTheOnlyKeyFromUploadToDecryption(t *testing.T) {
	h, eva, s, req := kept(t)
	ctx := context.Background()
	if d := eva.dataset; d.Custody != client.CustodySelf || d.VaultRecipient != "" || d.State != "available" {
		t.Fatalf("%+v", d)
	}
	h.vault.Lock() // nothing of eva's needs the vault's key
	finn, _ := h.member("finn")
	for c, want := range map[*client.Client]string{finn: client.CustodyVault, eva.api: client.CustodySelf} {
		for d, err := range c.Datasets(ctx) {
			if ok(t, err); d.Custody != want {
				t.Errorf("custody %s, want %s", d.Custody, want)
			}
		}
	}
	files := s.files(req.ID, client.FileAwaiting)
	if len(files) != 1 || files[0].SHA256 != eva.dataset.SHA256 {
		t.Fatalf("waiting: %+v", files)
	}
	_, err := s.api.Download(ctx, files[0].ID, 0, "")
	if p := refusal(t, err); p.Status != http.StatusConflict || p.Code() != "awaiting-member" || p.RetryAfter != time.Hour {
		t.Errorf("%+v", p)
	}
	waiting := eva.waiting()
	if len(waiting) != 1 {
		t.Fatalf("%+v", waiting)
	}
	a := waiting[0]
	if a.Researcher != "Example University" || a.Kind != "university" || a.Title != "How do people move?" || a.Request != req.ID || a.Pool != "wearables" ||
		a.Purpose != "any kind of research; research at a university or public institute" || a.RetentionDays != 30 ||
		a.Recipient != s.key.Recipient() || a.Dataset != eva.dataset.ID || !a.ExpiresAt.After(a.AskedAt) {
		t.Errorf("%+v", a)
	}
	if a.Verify(client.PublicSigningKey(eva.sign)) != nil {
		t.Error("the header is not the one eva signed for")
	}
	ok(t, eva.approve(a))
	if n := len(eva.waiting()); n != 0 {
		t.Errorf("%d still wait", n)
	}
	d, err := s.api.Download(ctx, files[0].ID, 0, "")
	ok(t, err)
	defer d.Body.Close()
	var got strings.Builder
	_, err = s.key.Decrypt(&got, d.Body)
	ok(t, err)
	if d.Total != files[0].Size || got.Len() == 0 || got.String() != eva.plain() {
		t.Errorf("the researcher reads %q", got.String())
	}
	var stages []string
	for u, err := range eva.api.Uses(ctx) {
		ok(t, err)
		stages = append(stages, u.Stage)
	}
	if !slices.Equal(stages, []string{"delivery", "approval", "request"}) {
		t.Errorf("eva sees %v", stages)
	}
}

func TestFetchGoesOnWithoutWhatWaits(t *testing.T) {
	_, eva, s, req := kept(t)
	m := s.fetch(req.ID, 2, 0)
	if len(m.Waiting) != 1 || !strings.Contains(m.Waiting[0].Reason, "waits until they have approved") {
		t.Errorf("%+v", m.Waiting)
	}
	ok(t, eva.approve(eva.waiting()[0]))
	if m = s.fetch(req.ID, 3, 0); len(m.Waiting) != 0 {
		t.Errorf("%+v", m.Waiting)
	}
}

func TestADeclinedRequestIsRefusedAndRecorded(t *testing.T) {
	_, eva, s, req := kept(t)
	ctx := context.Background()
	a := eva.waiting()[0]
	said, err := eva.api.Decline(ctx, a.ID)
	ok(t, err)
	if said.State != "declined" || said.Dataset != eva.dataset.ID || said.Request != req.ID || len(eva.waiting()) != 0 {
		t.Errorf("%+v", said)
	}
	if n := len(s.files(req.ID, "declined")); n != 1 {
		t.Errorf("%d files are listed as declined", n)
	}
	m := s.fetch(req.ID, 2, 1)
	holds(t, m.Refused[0].Reason, "The member has declined this request.")
	for u, err := range eva.api.Uses(ctx) {
		if ok(t, err); u.Stage == "delivery" && (u.Allowed || u.Reasons[0].Code != "member-declined" || u.Reasons[0].Layer != "member") {
			t.Errorf("%+v", u)
		}
	}
	refused(t, eva.answer(a.ID, eva.rewrapped(a, a.Recipient)), http.StatusConflict, "approval-answered")
	refused(t, eva.answer(a.ID, client.ApprovalAnswer{Answer: client.AnswerDecline}), http.StatusConflict, "approval-answered")
}

func TestBetweenGrantAndApprovalTheMemberMayChangeTheirMind(t *testing.T) {
	for name, c := range map[string]struct {
		act    func(h *house, eva *keeper) error
		status int
		code   string
	}{
		"withdrawn": {func(_ *house, eva *keeper) error {
			return eva.api.WithdrawConsent(context.Background(), client.DatasetScope(eva.dataset.ID))
		}, http.StatusForbidden, "access-refused"},
		"paused": {func(_ *house, eva *keeper) error { return eva.api.Pause(context.Background()) }, http.StatusForbidden, "access-refused"},
		"revoked": {func(_ *house, eva *keeper) error {
			_, err := eva.api.Revoke(context.Background(), eva.dataset.ID)
			return err
		}, http.StatusGone, "dataset-revoked"},
		"expired": {func(h *house, _ *keeper) error {
			h.clock.Advance(31 * 24 * time.Hour)
			return nil
		}, http.StatusGone, "request-expired"},
	} {
		t.Run(name, func(t *testing.T) {
			h, eva, s, req := kept(t)
			a := eva.waiting()[0]
			file := s.files(req.ID, client.FileAwaiting)[0]
			said := eva.rewrapped(a, a.Recipient)
			ok(t, c.act(h, eva))
			for range 2 { // also once it has been refused
				refused(t, eva.answer(a.ID, said), c.status, c.code)
			}
			_, err := s.api.Download(context.Background(), file.ID, 0, "")
			if p := refusal(t, err); p.Status != c.status || p.Code() != c.code {
				t.Errorf("the researcher is told %+v", p)
			}
		})
	}
}

func TestNobodyElseAnswersForAMember(t *testing.T) {
	h, eva, _, _ := kept(t)
	a := eva.waiting()[0]
	finn, token := h.member("finn")
	for range finn.Approvals(context.Background()) {
		t.Error("finn sees what waits for eva")
	}
	text, err := json.Marshal(eva.rewrapped(a, a.Recipient))
	ok(t, err)
	for _, said := range []string{string(text), `{"answer":"decline"}`} {
		refused(t, h.call("POST", "/v1/me/approvals/"+a.ID, token, said), http.StatusNotFound, "approval-not-found")
		refused(t, h.call("POST", "/v1/me/approvals/"+unknownID, eva.token, said), http.StatusNotFound, "approval-not-found")
		refused(t, h.call("POST", "/v1/me/approvals/"+a.ID, "", said), http.StatusUnauthorized, "sign-in-needed")
	}
	refused(t, h.call("GET", "/v1/me/approvals", "", ""), http.StatusUnauthorized, "sign-in-needed")
	if n := len(eva.waiting()); n != 1 {
		t.Errorf("%d wait", n)
	}
}

func TestAHeaderThatCannotBeTheResearchersIsNotTaken(t *testing.T) {
	_, eva, s, req := kept(t)
	a := eva.waiting()[0]
	good := eva.rewrapped(a, a.Recipient)
	encode := base64.StdEncoding.EncodeToString
	raw, err := base64.StdEncoding.DecodeString(good.Header)
	ok(t, err)
	hybrid, err := client.Keygen(false)
	ok(t, err)
	// what a second stanza, of either kind, makes of it
	stanzas := func(hdr []byte) []byte {
		_, rest, _ := bytes.Cut(hdr, []byte("\n"))
		return rest[:bytes.Index(rest, []byte("\n---"))+1]
	}
	classic2 := slices.Concat([]byte("age-encryption.org/v1\n"), stanzas(raw), raw[len("age-encryption.org/v1\n"):])
	pq, err := base64.StdEncoding.DecodeString(eva.rewrapped(a, hybrid.Recipient()).Header)
	ok(t, err)
	mixed := slices.Concat([]byte("age-encryption.org/v1\n"), stanzas(pq), raw[len("age-encryption.org/v1\n"):])
	if info, err := header.Inspect(classic2); err != nil || len(info.Stanzas) != 2 {
		t.Fatalf("%+v, %v", info, err)
	}
	for name, c := range map[string]struct {
		header string
		code   string
	}{
		"nothing":                        {"", "age-header-truncated"},
		"not base64":                     {"?", "bad-header"},
		"garbage":                        {encode([]byte("garbage that is no header")), "age-not-encrypted"},
		"half of it":                     {encode(raw[:len(raw)/2]), "age-header-truncated"},
		"a payload behind it":            {encode(append(slices.Clone(raw), 1)), "age-header-malformed"},
		"two stanzas":                    {encode(classic2), "approval-header"},
		"post-quantum beside classic":    {encode(mixed), "age-header-mixed"},
		"post-quantum for a classic key": {encode(pq), "approval-header"},
		"the member's own":               {a.Header, "approval-header"},
		"a passphrase":                   {encode(passphraseHeader), "age-header-passphrase"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, eva.answer(a.ID, client.ApprovalAnswer{Answer: client.AnswerApprove, Recipient: a.Recipient, Header: c.header}),
				http.StatusUnprocessableEntity, c.code)
		})
	}
	long := eva.answer(a.ID, client.ApprovalAnswer{Answer: client.AnswerApprove, Recipient: a.Recipient, Header: strings.Repeat("A", 30_000)})
	if long.problem(t); long.status != http.StatusUnprocessableEntity {
		t.Errorf("too long: %d", long.status)
	}
	refused(t, eva.answer(a.ID, client.ApprovalAnswer{Answer: client.AnswerApprove, Recipient: hybrid.Recipient(), Header: encode(pq)}),
		http.StatusConflict, "approval-recipient")
	if m := s.fetch(req.ID, 2, 0); len(m.Waiting) != 1 {
		t.Errorf("something was taken: %+v", m)
	}
	if a := eva.answer(a.ID, good); a.status != http.StatusOK {
		t.Errorf("the right one: %d %s", a.status, a.body)
	}
}

// passphraseHeader has a scrypt stanza of work factor 18.
var passphraseHeader = []byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n" + strings.Repeat("A", 43) + "\n--- " + strings.Repeat("A", 43) + "\n")

// TestTheServerCannotSeeWhetherAHeaderOpens says what nobody checks: a member
// can send a header of the right form that opens nothing, and only the
// researcher finds out.
func TestTheServerCannotSeeWhetherAHeaderOpens(t *testing.T) {
	_, eva, s, req := kept(t)
	a := eva.waiting()[0]
	stranger, err := client.Keygen(true)
	ok(t, err)
	said := eva.rewrapped(a, stranger.Recipient())
	said.Recipient = a.Recipient
	if got := eva.answer(a.ID, said); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	out := t.TempDir()
	_, err = s.api.Fetch(context.Background(), client.FetchOptions{Request: req.ID, Out: out, Identities: []client.Identity{s.key}})
	if err == nil || !strings.Contains(err.Error(), client.ErrWrongIdentity.Error()) {
		t.Errorf("the researcher is told %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(out, s.files(req.ID, "ready")[2].ID+"*")); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

func TestApprovingTwiceIsRefusedAndRepeatingIsNot(t *testing.T) {
	_, eva, _, _ := kept(t)
	a := eva.waiting()[0]
	said := eva.rewrapped(a, a.Recipient)
	first := eva.answer(a.ID, said, "Idempotency-Key", "approve-0001")
	again := eva.answer(a.ID, said, "Idempotency-Key", "approve-0001")
	if first.status != http.StatusOK || again.status != http.StatusOK || !bytes.Equal(first.body, again.body) {
		t.Errorf("%d %s, then %d %s", first.status, first.body, again.status, again.body)
	}
	refused(t, eva.answer(a.ID, said), http.StatusConflict, "approval-answered")
	refused(t, eva.answer(a.ID, client.ApprovalAnswer{Answer: client.AnswerDecline}, "Idempotency-Key", "approve-0001"),
		http.StatusUnprocessableEntity, "idempotency-key-reused")
}

// TestEachRequestHasItsOwnRecipient: a researcher who takes another key makes
// another request, and what was approved for the one opens nothing of the other.
func TestEachRequestHasItsOwnRecipient(t *testing.T) {
	_, eva, s, old := kept(t)
	ctx := context.Background()
	key, err := client.Keygen(false)
	ok(t, err)
	recipient, err := s.api.ProveRecipient(ctx, key)
	ok(t, err)
	s.asks.Recipient = recipient.ID
	anew := s.ask()
	s.pay(anew.ID)
	waiting := eva.waiting()
	if len(waiting) != 2 || waiting[0].Request != anew.ID || waiting[0].Recipient != key.Recipient() || waiting[1].Recipient != s.key.Recipient() {
		t.Fatalf("%+v", waiting)
	}
	refused(t, eva.answer(waiting[0].ID, eva.rewrapped(waiting[0], s.key.Recipient())), http.StatusConflict, "approval-recipient")
	for _, a := range waiting {
		ok(t, eva.approve(a))
	}
	s.fetch(old.ID, 3, 0)
	s.key = key
	s.fetch(anew.ID, 3, 0)
}

func TestApprovalsComePageByPage(t *testing.T) {
	h, eva, s, _ := kept(t)
	for range 2 {
		s.pay(s.ask().ID)
	}
	var ids []string
	for path := "/v1/me/approvals?limit=2"; path != ""; {
		got := h.call("GET", path, eva.token, "")
		var page client.Page[client.Approval]
		ok(t, json.Unmarshal(got.body, &page))
		if len(page.Items) > 2 {
			t.Fatalf("%d on a page", len(page.Items))
		}
		for _, a := range page.Items {
			ids = append(ids, a.ID)
		}
		path = strings.TrimSuffix(strings.TrimPrefix(got.header.Get("Link"), "<"), `>; rel="next"`)
		if path != "" {
			path += "&limit=2"
		}
	}
	if len(ids) != 3 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("%v", ids)
	}
}

func TestCustodyIsChosenWhenADatasetIsOpened(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	for body, want := range map[string]string{`{"pool":"wearables"}`: "vault", `{"pool":"wearables","custody":"vault"}`: "vault"} {
		got := h.call("POST", "/v1/datasets", token, body)
		var d client.Dataset
		if ok(t, json.Unmarshal(got.body, &d)); got.status != http.StatusCreated || d.Custody != want || d.VaultRecipient == "" {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	self := `{"pool":"wearables","custody":"self"}`
	refused(t, h.call("POST", "/v1/datasets", token, self), http.StatusConflict, "recipient-missing")
	bad := h.call("POST", "/v1/datasets", token, `{"pool":"wearables","custody":"nobody"}`)
	if bad.problem(t); bad.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", bad.status)
	}
	id, err := client.Keygen(false)
	ok(t, err)
	ok(t, eva.SetRecipient(context.Background(), id.Recipient()))
	first := h.call("POST", "/v1/datasets", token, self, "Idempotency-Key", "open-0001")
	again := h.call("POST", "/v1/datasets", token, self, "Idempotency-Key", "open-0001")
	if first.status != http.StatusCreated || !bytes.Equal(first.body, again.body) || !strings.Contains(string(first.body), `"custody":"self","vault_recipient":""`) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
}

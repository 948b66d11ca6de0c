package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/vault/header"
)

func TestASealedDatasetIsAvailableAndRemembersWhatWasSigned(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(100_000))
	h.uploaded(d)
	pub, key, _ := ed25519.GenerateKey(nil)
	in := d.input(t)
	in.SigningKey, in.Signature = pub, must[[]byte](t)(in.Manifest.Sign(key))
	got := must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, in))
	h.restart()
	stored := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID))
	if got.State != StateAvailable || stored.State != StateAvailable || stored.Upload != "" || stored.SealedAt == 0 {
		t.Errorf("%+v", stored)
	}
	if stored.Manifest() != in.Manifest || stored.Profile.Rows != 940 {
		t.Error("what was signed and said is not what is stored")
	}
	if err := stored.Manifest().Verify(stored.SigningKey, stored.Signature); err != nil {
		t.Error(err)
	}
	facts := must[Facts](t)(h.Info(t.Context(), d.ID))
	if facts.Member != d.by.id || facts.Profile.Coverage != 910 || facts.PayloadSHA256 != in.Manifest.SHA256 || facts.Shredded {
		t.Errorf("%+v", facts)
	}
}

// refusal is a dataset that must not be sealed, and why.
type refusal struct {
	file   func(d draft) []byte
	input  func(in *SealInput)
	adjust bool // the manifest describes the bad file honestly
	want   error
}

func TestWhatDoesNotFitIsNotSealed(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	other := h.open(by, noise(200_000))
	otherKey := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
	_, wrongKey, _ := ed25519.GenerateKey(nil)
	pub, _, _ := ed25519.GenerateKey(nil)
	flip := func(fromEnd int) func(draft) []byte {
		return func(d draft) []byte {
			bad := bytes.Clone(d.file)
			bad[len(bad)-fromEnd] ^= 1
			return bad
		}
	}
	cases := map[string]refusal{
		"tampered last chunk":  {file: flip(1), adjust: true, want: header.ErrPayload},
		"tampered near end":    {file: flip(3_000), adjust: true, want: header.ErrPayload},
		"last chunk cut off":   {file: func(d draft) []byte { return d.file[:3184+16+2*(64<<10+16)] }, adjust: true, want: header.ErrPayload},
		"header MAC altered":   {file: func(d draft) []byte { return alterMAC(d.file) }, adjust: true, want: header.ErrUnopened},
		"another's payload":    {file: func(d draft) []byte { return splice(t, d.file, other.file) }, adjust: true, want: header.ErrPayload},
		"a replayed file":      {file: func(draft) []byte { return other.file }, adjust: true, want: header.ErrUnopened},
		"not for the vault":    {file: func(draft) []byte { return encrypt(t, noise(900), otherKey.Recipient()) }, adjust: true, want: header.ErrUnopened},
		"first chunk altered":  {file: flip(190_000), want: ErrManifest},
		"size of another":      {input: func(in *SealInput) { in.Manifest.Size++ }, want: ErrManifest},
		"hash of another":      {input: func(in *SealInput) { in.Manifest.SHA256 = strings.Repeat("0", 64) }, want: ErrManifest},
		"upper-case hash":      {input: func(in *SealInput) { in.Manifest.SHA256 = strings.ToUpper(in.Manifest.SHA256) }, want: ErrManifest},
		"header of another":    {input: func(in *SealInput) { in.Manifest.HeaderSHA256 = in.Manifest.SHA256 }, want: ErrManifest},
		"dataset of another":   {input: func(in *SealInput) { in.Manifest.Dataset = string(other.ID) }, want: ErrManifest},
		"recipient of another": {input: func(in *SealInput) { in.Manifest.VaultRecipient = other.VaultRecipient }, want: ErrManifest},
		"odd terms name":       {input: func(in *SealInput) { in.Manifest.Terms = "a\nb" }, want: ErrManifest},
		"signature missing":    {input: func(in *SealInput) { in.SigningKey = pub }, want: ErrSignature},
		"signed by another":    {input: func(in *SealInput) { in.SigningKey = pub; in.Signature, _ = in.Manifest.Sign(wrongKey) }, want: ErrSignature},
		"signed, no key":       {input: func(in *SealInput) { in.Signature, _ = in.Manifest.Sign(wrongKey) }, want: ErrSignature},
		"negative rows":        {input: func(in *SealInput) { in.Profile.Rows = -1 }, want: ErrProfile},
		"not a fingerprint":    {input: func(in *SealInput) { in.Profile.Fingerprint = "5A" }, want: ErrProfile},
		"coverage over all":    {input: func(in *SealInput) { in.Profile.Coverage = 1001 }, want: ErrProfile},
		"no such month":        {input: func(in *SealInput) { in.Profile.From = "2016-13" }, want: ErrProfile},
		"ends before it began": {input: func(in *SealInput) { in.Profile.From = "2017-01" }, want: ErrProfile},
		"endless column":       {input: func(in *SealInput) { in.Profile.Columns = []string{strings.Repeat("c", 65)} }, want: ErrProfile},
		"consent to nothing":   {input: func(in *SealInput) { in.Terms = &consent.Terms{} }, want: consent.ErrTerms},
		"no such region":       {input: func(in *SealInput) { in.Region = "Germany" }, want: consent.ErrEnrolment},
		"odd category":         {input: func(in *SealInput) { in.Categories = []string{"a b"} }, want: consent.ErrEnrolment},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { h.refuses(t, by, c) })
	}
}

func (h *house) refuses(t *testing.T, by person, c refusal) {
	t.Helper()
	d := h.open(by, noise(200_000))
	good := d
	if c.file != nil {
		d.file = c.file(d)
	}
	in := good.input(t)
	if c.adjust {
		in = d.input(t)
	}
	if c.input != nil {
		c.input(&in)
	}
	up := h.uploaded(d)
	before := h.log
	leaves, _ := before.Verify(t.Context())
	_, err := h.Seal(t.Context(), by.id, d.ID, in)
	wants(t, err, c.want)
	if k := fault.KindOf(err); k != fault.Invalid {
		t.Errorf("the caller is told %q", k)
	}
	now := must[Dataset](t)(h.Get(t.Context(), by.id, d.ID))
	if now.State != StateReceived || now.Upload != up.ID || now.SealedAt != 0 {
		t.Errorf("the dataset changed: %+v", now)
	}
	if after, _ := h.log.Verify(t.Context()); after != leaves {
		t.Error("the log has an entry for what did not happen")
	}
	if _, err := h.Info(t.Context(), d.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("other rooms see it: %v", err)
	}
}

func alterMAC(file []byte) []byte {
	bad := bytes.Clone(file)
	at := bytes.Index(bad, []byte("\n--- ")) + 5
	if bad[at] == 'A' {
		bad[at] = 'B'
	} else {
		bad[at] = 'A'
	}
	return bad
}

func splice(t testing.TB, headerOf, payloadOf []byte) []byte {
	t.Helper()
	hdr, _ := splitAt(t, headerOf)
	_, payload := splitAt(t, payloadOf)
	return join(hdr, payload)
}

func TestAHeaderReplayedUnderAnotherDatasetOpensNothing(t *testing.T) {
	h := newHouse(t)
	victim := h.sealed(newPerson(t), []byte("the victim's heart rate"))
	thief := newPerson(t)
	d := h.open(thief, nil)
	d.file = victim.file // header and blob from a stolen backup
	h.uploaded(d)
	_, err := h.Seal(t.Context(), thief.id, d.ID, d.input(t))
	wants(t, err, header.ErrUnopened)
}

func TestAKeyMovedToAnotherDatasetsRowOpensNothing(t *testing.T) {
	h := newHouse(t)
	victim := h.sealed(newPerson(t), []byte("the victim's heart rate"))
	thief := newPerson(t)
	d := h.open(thief, nil)
	sealed := h.sealedKey(victim.ID)
	err := h.keys.Update(t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne(`UPDATE keystore_keys SET sealed = ? WHERE dataset = ?`, sealed, d.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.identity(t.Context(), d.ID); err == nil {
		t.Error("the victim's key serves the thief's dataset")
	}
	if _, err := h.identity(t.Context(), victim.ID); err != nil {
		t.Errorf("in its own place it does not open: %v", err)
	}
	d.file = victim.file
	h.uploaded(d)
	if _, err := h.Seal(t.Context(), thief.id, d.ID, d.input(t)); err == nil {
		t.Error("the victim's file was sealed as the thief's")
	}
}

func TestOfTwoSealsAtOnceOneHolds(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(10_000))
	h.uploaded(d)
	in := d.input(t)
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := h.Seal(context.Background(), d.by.id, d.ID, in)
			errs <- err
		}()
	}
	held := 0
	for range 4 {
		switch err := <-errs; {
		case err == nil:
			held++
		case fault.KindOf(err) != fault.Conflict:
			t.Errorf("the slower one is told %v", err)
		}
	}
	if held != 1 {
		t.Errorf("%d held", held)
	}
}

func TestOneHeaderServesOneDataset(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	first, second := h.open(by, nil), h.open(by, nil)
	one, _, _ := header.ParseRecipient(first.VaultRecipient)
	two, _, _ := header.ParseRecipient(second.VaultRecipient)
	first.file = encrypt(t, noise(1_000), one, two)
	second.file = first.file
	h.uploaded(first)
	h.uploaded(second)
	must[Dataset](t)(h.Seal(t.Context(), by.id, first.ID, first.input(t)))
	_, err := h.Seal(t.Context(), by.id, second.ID, second.input(t))
	wants(t, err, ErrReplay)
}

func TestSealingTwiceOrTooSoonIsRefused(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(10_000))
	ctx := t.Context()
	_, err := h.Seal(ctx, d.by.id, d.ID, d.input(t))
	wants(t, err, ErrIncomplete)
	up := must[Upload](t)(h.CreateUpload(ctx, d.by.id, d.ID, int64(len(d.file))))
	must[Upload](t)(h.Append(ctx, d.by.id, up.ID, 0, bytes.NewReader(d.file[:9_000])))
	_, err = h.Seal(ctx, d.by.id, d.ID, d.input(t))
	wants(t, err, ErrIncomplete)
	_, err = h.Content(ctx, d.by.id, d.ID)
	wants(t, err, ErrNotSealed)
	must[Upload](t)(h.Append(ctx, d.by.id, up.ID, 9_000, bytes.NewReader(d.file[9_000:])))
	must[Dataset](t)(h.Seal(ctx, d.by.id, d.ID, d.input(t)))
	_, err = h.Seal(ctx, d.by.id, d.ID, d.input(t))
	wants(t, err, ErrAlreadySealed)
	_, err = h.CreateUpload(ctx, d.by.id, d.ID, 5_000)
	wants(t, err, ErrAlreadySealed)
	wants(t, h.Cancel(ctx, d.by.id, up.ID), ErrUploadNotFound)
}

func TestARepeatedSealAnswersWhatTheFirstDid(t *testing.T) {
	h := newHouse(t)
	must[*once.Store](t)(once.New(t.Context(), h.db))
	d := h.open(newPerson(t), noise(10_000))
	h.uploaded(d)
	ctx := once.With(t.Context(), once.Key{Caller: string(d.by.id), Key: "seal"})
	first := must[Dataset](t)(h.Seal(ctx, d.by.id, d.ID, d.input(t)))
	h.clock.Advance(1e9)
	again := must[Dataset](t)(h.Seal(ctx, d.by.id, d.ID, d.input(t)))
	if again.State != StateAvailable || again.SealedAt != first.SealedAt {
		t.Errorf("%+v", again)
	}
}

func TestWithoutTermsOfItsOwnThePoolsAnswerGoverns(t *testing.T) {
	h := newHouse(t)
	d := h.open(newPerson(t), noise(1_000))
	h.uploaded(d)
	in := d.input(t)
	in.Terms = nil
	must[Dataset](t)(h.Seal(t.Context(), d.by.id, d.ID, in))
	_, err := h.fetch(newResearcher(t), d.ID)
	wants(t, err, errRefused)
	must[consent.Record](t)(h.consent.PutPool(t.Context(), d.by.id, "wearables", someTerms))
	must[Delivery](t)(h.fetch(newResearcher(t), d.ID))
}

func TestAClassicMemberGetsAClassicVaultRecipient(t *testing.T) {
	h := newHouse(t)
	id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	d := must[Dataset](t)(h.Open(t.Context(), newMember(), "wearables", id.Recipient().String()))
	if header.Kind(d.VaultRecipient) != header.KindX25519 {
		t.Error("the two could not stand in one header")
	}
	for _, own := range []string{"", newPerson(t).age.Recipient().String()} {
		d := must[Dataset](t)(h.Open(t.Context(), newMember(), "wearables", own))
		if header.Kind(d.VaultRecipient) != header.KindHybrid {
			t.Error("post-quantum is not the default")
		}
	}
}

func TestMineListsWhatIsMineInOrder(t *testing.T) {
	h := newHouse(t)
	by := newPerson(t)
	a, b := h.sealed(by, noise(10)), h.open(by, noise(10))
	up := h.uploaded(b)
	h.sealed(newPerson(t), noise(10))
	mine := must[[]Dataset](t)(h.Mine(t.Context(), by.id))
	if len(mine) != 2 || mine[0].ID != a.ID || mine[1].ID != b.ID || mine[1].Upload != up.ID || mine[1].State != StateReceived {
		t.Errorf("%+v", mine)
	}
	var infos map[coop.DatasetID]Facts
	err := h.db.View(t.Context(), func(tx *db.Tx) (err error) {
		infos, err = h.Infos(tx, a.ID, b.ID, coop.DatasetID(coop.NewID()))
		return err
	})
	if err != nil || len(infos) != 1 || infos[a.ID].Member != by.id {
		t.Errorf("%+v, %v", infos, err)
	}
}

func TestARepeatedCallOpensOneDatasetAndLeavesOneKey(t *testing.T) {
	h := newHouse(t)
	must[*once.Store](t)(once.New(t.Context(), h.db))
	m := newMember()
	ctx := once.With(t.Context(), once.Key{Caller: string(m), Key: "k", Body: [32]byte{1}})
	first := must[Dataset](t)(h.Open(ctx, m, "wearables", ""))
	again := must[Dataset](t)(h.Open(ctx, m, "wearables", ""))
	if first.ID != again.ID || first.VaultRecipient != again.VaultRecipient {
		t.Error("the repeated call opened another dataset")
	}
	if n := h.keyCount(); n != 1 {
		t.Errorf("%d keys for one dataset", n)
	}
	ctx = once.With(t.Context(), once.Key{Caller: string(m), Key: "k", Body: [32]byte{2}})
	_, err := h.Open(ctx, m, "glucose", "")
	wants(t, err, once.ErrReused)
	if n := h.keyCount(); n != 1 {
		t.Errorf("%d keys after a refused call", n)
	}
}

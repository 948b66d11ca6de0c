package sealed

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// somebody is a member with an identity under a sheet's lock.
func somebody(t testing.TB) (doc Document, secret string) {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	ok(t, err)
	code, err := age.NewScryptRecipient("CODE")
	ok(t, err)
	code.SetWorkFactor(1)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, code)
	ok(t, err)
	_, err = w.Write([]byte(id.String() + "\n"))
	ok(t, err)
	ok(t, w.Close())
	lock := Lock{ID: "0123456789abcdef", Kind: KindSheet, MadeAt: time.Unix(1, 0).UTC(), Sealed: base64.StdEncoding.EncodeToString(out.Bytes())}
	return Document{Version, id.Recipient().String(), []Lock{lock}}, id.String()
}

func open(t *testing.T) API {
	t.Helper()
	d := testkit.DB(t)
	ok(t, Migrate(context.Background(), d))
	return API{DB: d}
}

// TestOfManyTabsOneWins: eight tabs replace the same revision at once.
func TestOfManyTabsOneWins(t *testing.T) {
	a, ctx, me := open(t), context.Background(), coop.MemberID(coop.NewID())
	doc, _ := somebody(t)
	if _, _, err := a.read(ctx, me); !errors.Is(err, ErrNone) {
		t.Fatal(err)
	}
	for round := range int64(3) {
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() { _, results[i] = a.write(ctx, me, doc, round, "", false) })
		}
		wait.Wait()
		won := 0
		for _, err := range results {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, ErrStale):
				t.Error(err)
			}
		}
		if _, revision, err := a.read(ctx, me); err != nil || won != 1 || revision != round+1 {
			t.Errorf("round %d: %d won, revision %d: %v", round, won, revision, err)
		}
	}
}

// TestAnAccountsKeyIsNotReplacedByAnother: but one that was sealed before the
// account got a new key can still be looked after.
func TestAnAccountsKeyIsNotReplacedByAnother(t *testing.T) {
	a, ctx, me := open(t), context.Background(), coop.MemberID(coop.NewID())
	first, _ := somebody(t)
	second, _ := somebody(t)
	if _, err := a.write(ctx, me, second, 0, first.Recipient, false); !errors.Is(err, ErrOthers) {
		t.Error(err)
	}
	for i, step := range []struct {
		doc        Document
		registered string
		want       error
	}{{first, "", nil}, {first, second.Recipient, nil}, {second, first.Recipient, ErrOthers}, {second, second.Recipient, nil}} {
		seen := []int64{0, 1, 2, 2}[i]
		if _, err := a.write(ctx, me, step.doc, seen, step.registered, false); !errors.Is(err, step.want) {
			t.Errorf("%d: %v", i, err)
		}
	}
	ok(t, a.DB.Update(ctx, func(tx *db.Tx) error { return Forget(tx, me) }))
	if _, _, err := a.read(ctx, me); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

// FuzzNothingPlainIsKept: whatever a lock holds, a secret key that can be read
// is never valid.
func FuzzNothingPlainIsKept(f *testing.F) {
	doc, secret := somebody(f)
	file, err := base64.StdEncoding.DecodeString(doc.Locks[0].Sealed)
	ok(f, err)
	f.Add(file, "a sheet")
	f.Add([]byte(secret), "")
	f.Add(append(bytes.Clone(file), secret...), "x")
	f.Add(bytes.Replace(file, []byte("scrypt"), []byte("X25519"), 1), "")
	f.Add([]byte("age-encryption.org/v1\n-> scrypt\n"), secret)
	f.Fuzz(func(t *testing.T, file []byte, label string) {
		d := doc
		d.Locks = []Lock{{ID: "0123456789abcdef", Kind: KindSheet, Label: label, Sealed: base64.StdEncoding.EncodeToString(file)}}
		plain := strings.Contains(strings.ToUpper(label+string(file)), "AGE-SECRET-KEY-")
		if err := d.Validate(); plain && !errors.Is(err, ErrPlain) || !plain && err == nil && stanza(file) != "scrypt" {
			t.Errorf("%q %q: %v", label, file, err)
		}
	})
}

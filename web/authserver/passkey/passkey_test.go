package passkey

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
)

func ceremonies(t testing.TB) *Ceremonies {
	t.Helper()
	c, err := New(&url.URL{Scheme: "https", Host: "coop.example"}, "A Co-op")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eva is a holder whose device has made a passkey.
func eva(t testing.TB, c *Ceremonies) (Holder, *testkit.Passkey) {
	t.Helper()
	device := testkit.NewPasskey(t, "https://coop.example")
	h := Holder{Handle: bytes.Repeat([]byte{3}, HandleLength), Name: "Eva"}
	q, err := c.Make(h)
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.Made(q.Session, device.Make(t, q.Options))
	if err != nil {
		t.Fatal(err)
	}
	h.Keys = []Key{key}
	return h, device
}

// login is a login that was begun and answered.
func login(t testing.TB, c *Ceremonies, device *testkit.Passkey) (*Session, string) {
	t.Helper()
	q, err := c.Ask()
	if err != nil {
		t.Fatal(err)
	}
	return q.Session, device.Use(t, q.Options)
}

func TestPasskeyIsMadeAndUsed(t *testing.T) {
	c := ceremonies(t)
	holder, device := eva(t, c)
	find := func(handle []byte) (Holder, error) {
		if !bytes.Equal(handle, holder.Handle) {
			return Holder{}, ErrUnknown
		}
		return holder, nil
	}
	for _, step := range []struct {
		count uint32
		want  error
	}{{0, nil}, {0, nil}, {7, nil}, {7, ErrCopied}, {6, ErrCopied}, {0, ErrCopied}, {8, nil}} {
		device.Key.Counter = step.count
		session, text := login(t, c, device)
		key, err := c.Answered(session, text, find)
		if !errors.Is(err, step.want) {
			t.Fatalf("counter %d: %v, want %v", step.count, err, step.want)
		}
		if err == nil {
			holder.Keys[0] = key
		}
	}
}

func TestWhoLooksForTheHolderIsHeard(t *testing.T) {
	c := ceremonies(t)
	_, device := eva(t, c)
	session, text := login(t, c, device)
	for _, want := range []error{ErrUnknown, errors.New("disk on fire")} {
		_, err := c.Answered(session, text, func([]byte) (Holder, error) { return Holder{}, want })
		if !errors.Is(err, want) || Refused(err) != errors.Is(want, ErrUnknown) {
			t.Errorf("%v became %v", want, err)
		}
	}
}

func TestAnswerIsForItsOwnSession(t *testing.T) {
	c := ceremonies(t)
	holder, device := eva(t, c)
	find := func([]byte) (Holder, error) { return holder, nil }
	_, text := login(t, c, device)
	other, _ := login(t, c, device)
	for name, session := range map[string]*Session{"another session": other, "no session": nil, "empty session": {}} {
		if _, err := c.Answered(session, text, find); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Made(session, text); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Made(other, ""); !errors.Is(err, ErrScript) {
		t.Errorf("no answer: %v", err)
	}
}

func TestIssuerNeedsAName(t *testing.T) {
	for _, host := range []string{"192.0.2.1", ""} {
		c, err := New(&url.URL{Scheme: "https", Host: host}, "A Co-op")
		if err == nil {
			_, err = c.Make(Holder{Handle: make([]byte, HandleLength), Name: "Eva"})
		}
		if err == nil {
			t.Errorf("%q was taken", host)
		}
	}
}

func TestRecoveryCodeMayBeTypedBadly(t *testing.T) {
	code, digest := NewRecovery()
	other, _ := NewRecovery()
	if len(code) != 29 || code == other || len(digest) != 32 {
		t.Fatalf("%q %q", code, other)
	}
	for _, typed := range []string{
		code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ") + "\t",
		strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(code),
	} {
		if !bytes.Equal(RecoveryDigest(typed), digest) {
			t.Errorf("%q is not known", typed)
		}
	}
	for _, typed := range []string{other, code[1:], code + "A", ""} {
		if bytes.Equal(RecoveryDigest(typed), digest) {
			t.Errorf("%q is taken for %q", typed, code)
		}
	}
}

// FuzzAnswer looks for answers that break the judge or please it.
func FuzzAnswer(f *testing.F) {
	c := ceremonies(f)
	holder, device := eva(f, c)
	session, text := login(f, c, device)
	question, err := c.Make(holder)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{text, "", "{}", "[]", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, text[:len(text)/2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, other string) {
		if _, err := c.Made(question.Session, other); err == nil {
			t.Fatalf("%q made a passkey", other)
		}
		key, err := c.Answered(session, other, func([]byte) (Holder, error) { return holder, nil })
		if err == nil && !bytes.Equal(key.ID, holder.Keys[0].ID) {
			t.Fatalf("%q is somebody else", other)
		}
	})
}

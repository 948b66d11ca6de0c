package authserver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/web/authserver/peer"
)

func testKeys(t testing.TB) keys {
	t.Helper()
	k, err := deriveKeys([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFormIsGoodForItsBrowserAndTime(t *testing.T) {
	k, now := testKeys(t), time.Now()
	sealed, err := k.sealForm(form{Path: pathLogin, Query: "a=b", Browser: b64(hashSecret("cookie")), Expires: now.Unix() + 1})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := k.openForm(pathLogin, sealed, "cookie", now); err != nil || f.Query != "a=b" {
		t.Fatalf("%+v, %v", f, err)
	}
	for name, open := range map[string]func() (form, error){
		"later":            func() (form, error) { return k.openForm(pathLogin, sealed, "cookie", now.Add(time.Second)) },
		"another browser":  func() (form, error) { return k.openForm(pathLogin, sealed, "other", now) },
		"no browser":       func() (form, error) { return k.openForm(pathLogin, sealed, "", now) },
		"another endpoint": func() (form, error) { return k.openForm(PathJoin, sealed, "cookie", now) },
		"cut":              func() (form, error) { return k.openForm(pathLogin, sealed[:len(sealed)-1], "cookie", now) },
		"newline":          func() (form, error) { return k.openForm(pathLogin, sealed+"\n", "cookie", now) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// FuzzForm looks for any text but the sealed one that opens.
func FuzzForm(f *testing.F) {
	k := testKeys(f)
	sealed, err := k.sealForm(form{Path: pathLogin, Query: "a=b", Browser: b64(hashSecret("cookie")), Expires: 1 << 40})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", ".", "e30.", sealed[1:], sealed + "=", strings.ToUpper(sealed)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := k.openForm(pathLogin, text, "cookie", time.Now()); err == nil && text != sealed {
			t.Fatalf("%q opened as %+v", text, got)
		}
	})
}

// FuzzURL looks for an address that is taken and could leave the grammar of a
// redirect or of a content security policy.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://a.example/b?c=d", "http://[::1]:80/", "http://localhost", "https://a;b/", "https://a b/", "//a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := checkURL(text)
		if err == nil && (strings.ContainsAny(u.Host, " ;,'\"*@\\") || u.User != nil || u.Scheme == "http" && !loopback(u)) {
			t.Fatalf("%q was taken", text)
		}
	})
}

func TestAttemptsAreCountedPerAddressToo(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := newAttempts(func() time.Time { return now })
	for i := range failuresAddress {
		if wait := a.take(ofAccount(fmt.Sprint("member", i)), ofAddress("192.0.2.1")); wait != 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	if a.take(ofAccount("another"), ofAddress("192.0.2.1")) == 0 {
		t.Fatal("the address is not limited")
	}
	if a.take(ofAccount("another"), ofAddress("192.0.2.2")) != 0 {
		t.Fatal("another address is limited")
	}
	now = now.Add(attemptWindow)
	if a.take(ofAccount("another"), ofAddress("192.0.2.1")) != 0 {
		t.Fatal("the limit does not end")
	}
}

func TestSuccessfulAttemptsCostNothing(t *testing.T) {
	a := newAttempts(time.Now)
	for range 10 * failuresAddress {
		if a.take(ofAccount("ada"), ofAddress("192.0.2.1")) != 0 {
			t.Fatal("limited")
		}
		a.giveBack(ofAccount("ada"), ofAddress("192.0.2.1"))
	}
}

func TestAttemptsKeepTheirMemoryBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	a := newAttempts(func() time.Time { return now })
	for i := range 2 * attemptsCapacity {
		a.take(ofAddress(fmt.Sprint(i)))
	}
	if len(a.seen) > attemptsCapacity {
		t.Fatalf("%d windows", len(a.seen))
	}
	if a.take(ofAddress("fresh")) != 0 {
		t.Fatal("whoever floods the memory locks others out")
	}
}

func TestPeersAreCountedByNetwork(t *testing.T) {
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:80", "", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:80", "", "192.0.2.1"},
		{"[2001:db8::1]:80", "", "2001:db8::/64"},
		{"[2001:db8::ffff]:81", "", "2001:db8::/64"},
		{"[fe80::1%eth0]:80", "", "fe80::/64"},
		{"", "", "unknown"},
		{"garbage", "", "unknown"},
		{"@", "192.0.2.7", "unknown"},
		{"192.0.2.1:80", "192.0.2.7", "192.0.2.1"},             // a stranger's own word
		{"127.0.0.1:80", "192.0.2.7", "192.0.2.7"},             // a proxy on this machine
		{"10.0.0.2:80", "203.0.113.9, 192.0.2.7", "192.0.2.7"}, // only the proxy's own entry counts
		{"[::1]:80", "2001:db8::1", "2001:db8::/64"},
		{"127.0.0.1:80", "nonsense", "127.0.0.1"},
		{"127.0.0.1:80", "", "127.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": {c.forwarded}}}
		if got := peer.Of(r); got != c.want {
			t.Errorf("%q for %q counts as %q, want %q", c.remote, c.forwarded, got, c.want)
		}
	}
}

// TestKeyIDIsTheThumbprint uses the example of RFC 7638, section 3.1.
func TestKeyIDIsTheThumbprint(t *testing.T) {
	s, err := publish(nil, "RS256", map[string]string{
		"kty": "RSA", "e": "AQAB",
		"n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb" +
			"WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic" +
			"AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XP" +
			"ksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
	})
	if err != nil || s.id != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Fatalf("%q, %v", s.id, err)
	}
}

func TestDemoPasswordsFollowTheDataDirectory(t *testing.T) {
	one, err1 := DemoPassword(make([]byte, 32), "ada")
	same, err2 := DemoPassword(make([]byte, 32), "ada")
	other, err3 := DemoPassword(make([]byte, 32), "bo")
	elsewhere, err4 := DemoPassword(append(make([]byte, 31), 1), "ada")
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		t.Fatal(err1, err2, err3, err4)
	}
	if one != same || one == other || one == elsewhere || len(one) != 19 {
		t.Fatalf("%q %q %q %q", one, same, other, elsewhere)
	}
	if _, err := DemoPassword(make([]byte, 31), "ada"); err == nil {
		t.Fatal("a short secret was taken")
	}
}

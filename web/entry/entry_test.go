package entry_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/entry"
)

func open(t *testing.T) *db.DB {
	t.Helper()
	d := testkit.DB(t)
	if err := d.Migrate(t.Context(), "web", os.DirFS("..")); err != nil {
		t.Fatal(err)
	}
	return d
}

// signIn begins a member's session and answers its cookie's value.
func signIn(t *testing.T, m *scs.SessionManager, who coop.MemberID) string {
	t.Helper()
	ctx, err := m.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	m.Put(ctx, entry.Member, string(who))
	token, _, err := m.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func whose(t *testing.T, m *scs.SessionManager, token string) string {
	t.Helper()
	ctx, err := m.Load(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return m.GetString(ctx, entry.Member)
}

func count(t *testing.T, d *db.DB, who coop.MemberID) int {
	t.Helper()
	n, err := entry.Sessions(t.Context(), d, who)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAMemberEndsTheirSessionsAndNobodyElses(t *testing.T) {
	d := open(t)
	m := entry.NewSessions(d, false)
	ada, bea := coop.MemberID(coop.NewID()), coop.MemberID(coop.NewID())
	first, second, other := signIn(t, m, ada), signIn(t, m, ada), signIn(t, m, bea)
	if count(t, d, ada) != 2 {
		t.Fatalf("%d sessions", count(t, d, ada))
	}
	if err := entry.EndSessions(t.Context(), d, ada); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first, second} {
		if who := whose(t, m, token); who != "" {
			t.Errorf("still a session of %s", who)
		}
	}
	if whose(t, m, other) != string(bea) || count(t, d, ada) != 0 {
		t.Error("the wrong sessions ended")
	}
}

// TestAnAnswerUnderWayBringsNoEndedSessionBack stores a session that was loaded
// before all were ended.
func TestAnAnswerUnderWayBringsNoEndedSessionBack(t *testing.T) {
	d := open(t)
	m := entry.NewSessions(d, false)
	ada := coop.MemberID(coop.NewID())
	token := signIn(t, m, ada)
	underWay, err := m.Load(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := entry.EndSessions(t.Context(), d, ada); err != nil {
		t.Fatal(err)
	}
	m.Put(underWay, "flash", "done")
	if _, _, err := m.Commit(underWay); err != nil {
		t.Fatal(err)
	}
	if whose(t, m, token) != "" || count(t, d, ada) != 0 {
		t.Error("the session came back")
	}
	for began := time.Now().UnixMilli(); time.Now().UnixMilli() == began; { // a session of the same millisecond counts as ended
		time.Sleep(time.Millisecond / 4)
	}
	if whose(t, m, signIn(t, m, ada)) != string(ada) {
		t.Error("nobody can sign in again")
	}
}

// TestAnAnswerUnderWayDoesNotUndoASignOut stores a session that was loaded before
// its member signed out.
func TestAnAnswerUnderWayDoesNotUndoASignOut(t *testing.T) {
	d := open(t)
	m := entry.NewSessions(d, false)
	ada := coop.MemberID(coop.NewID())
	token, other := signIn(t, m, ada), signIn(t, m, ada)
	underWay, err := m.Load(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	leaving, err := m.Load(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Destroy(leaving); err != nil {
		t.Fatal(err)
	}
	m.Put(underWay, "flash", "done")
	if _, _, err := m.Commit(underWay); err != nil {
		t.Fatal(err)
	}
	if whose(t, m, token) != "" || whose(t, m, other) != string(ada) || count(t, d, ada) != 1 {
		t.Error("the session came back")
	}
}

func TestTokensAreTheirMembersAlone(t *testing.T) {
	d := open(t)
	tokens := entry.NewTokens(d)
	ada, bea := coop.MemberID(coop.NewID()), coop.MemberID(coop.NewID())
	kept, secret, err := tokens.Make(t.Context(), ada, "laptop", entry.Act, time.Hour)
	if err != nil || !entry.IsToken(secret) {
		t.Fatal(err)
	}
	_, spent, err := tokens.Make(t.Context(), ada, "yesterday's", entry.Everyday, -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if who, scope, err := tokens.Member(t.Context(), secret); err != nil || who != ada || scope != entry.Act {
		t.Errorf("%s %s %v", who, scope, err)
	}
	for _, wrong := range []string{"", spent, secret + "a", secret[:len(secret)-1]} {
		if _, _, err := tokens.Member(t.Context(), wrong); !errors.Is(err, entry.ErrToken) {
			t.Errorf("%v", err)
		}
	}
	if err := tokens.Drop(t.Context(), bea, kept.ID); !errors.Is(err, entry.ErrNoToken) {
		t.Errorf("a stranger's hand: %v", err)
	}
	if err := errors.Join(tokens.DropAll(context.Background(), bea), live(t, tokens, secret)); err != nil {
		t.Error(err)
	}
	if err := tokens.DropAll(t.Context(), ada); err != nil || live(t, tokens, secret) == nil {
		t.Errorf("the token outlives: %v", err)
	}
}

func live(t *testing.T, tokens *entry.Tokens, secret string) error {
	t.Helper()
	_, _, err := tokens.Member(t.Context(), secret)
	return err
}

package once_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/internal/testkit"
)

type answer struct {
	N    int64  `json:"n"`
	Text string `json:"text"`
}

// till counts effects in the database, so that rollbacks count too.
type till struct {
	t testing.TB
	d *db.DB
}

func fresh(t testing.TB) till {
	t.Helper()
	d := testkit.DB(t)
	if _, err := once.New(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec("CREATE TABLE test_effects (n BIGINT NOT NULL)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return till{t, d}
}

func (s till) effect(tx *db.Tx) (answer, error) {
	if _, err := tx.Exec("INSERT INTO test_effects (n) VALUES (1)"); err != nil {
		return answer{}, err
	}
	var n int64
	err := tx.QueryRow("SELECT count(*) FROM test_effects").Scan(&n)
	return answer{N: n, Text: "effect <1>"}, err
}

func (s till) call(ctx context.Context) (out answer, err error) {
	err = s.d.Update(ctx, func(tx *db.Tx) error {
		out, err = once.Do(tx, func() (answer, error) { return s.effect(tx) })
		return err
	})
	return out, err
}

func (s till) effects() (n int) {
	s.t.Helper()
	err := s.d.View(context.Background(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM test_effects").Scan(&n)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func with(caller, key string, body byte) context.Context {
	return once.With(context.Background(), once.Key{Caller: caller, Key: key, Body: [32]byte{body}})
}

func TestSameKeySameAnswerOneEffect(t *testing.T) {
	s := fresh(t)
	first, err := s.call(with("ann", "k", 1))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, err := s.call(with("ann", "k", 1)); err != nil || again != first {
			t.Errorf("got %v, %v; want %v", again, err, first)
		}
	}
	if n := s.effects(); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestCallsThatArriveTogetherHaveOneEffect(t *testing.T) {
	s := fresh(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if out, err := s.call(with("ann", "k", 1)); err != nil || out.N != 1 {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
	wg.Wait()
	if n := s.effects(); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestOtherBodyIsRefused(t *testing.T) {
	s := fresh(t)
	if _, err := s.call(with("ann", "k", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := s.call(with("ann", "k", 2))
	if !errors.Is(err, once.ErrReused) || fault.KindOf(err) != fault.Invalid {
		t.Errorf("other body: %v", err)
	}
	if n := s.effects(); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestKeysAreTheCallersOwn(t *testing.T) {
	s := fresh(t)
	for i, ctx := range []context.Context{
		with("ann", "k", 1), with("bob", "k", 2), with("ann", "other", 3), context.Background(), with("ann", "", 1), with("ann", "", 2),
	} {
		if out, err := s.call(ctx); err != nil || out.N != int64(i+1) {
			t.Errorf("call %d: %v, %v", i, out, err)
		}
	}
}

func TestRolledBackEffectLeavesNoKey(t *testing.T) {
	s := fresh(t)
	sorry := errors.New("too poor")
	err := s.d.Update(with("ann", "k", 1), func(tx *db.Tx) error {
		if _, err := once.Do(tx, func() (answer, error) { return s.effect(tx) }); err != nil {
			return err
		}
		return sorry // after the answer was stored
	})
	if !errors.Is(err, sorry) || s.effects() != 0 {
		t.Fatalf("%v, %d effects", err, s.effects())
	}
	if out, err := s.call(with("ann", "k", 2)); err != nil || out.N != 1 { // even with another body
		t.Errorf("%v, %v", out, err)
	}
}

func TestRefusalLeavesNoKeyEvenIfItIsCommitted(t *testing.T) {
	s := fresh(t)
	sorry := errors.New("refused")
	err := s.d.Update(with("ann", "k", 1), func(tx *db.Tx) error {
		_, err := once.Do(tx, func() (answer, error) { return answer{}, sorry })
		if err != sorry { //nolint:errorlint // unchanged means identical
			t.Errorf("got %v", err)
		}
		return nil // the refusal itself is recorded
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.call(with("ann", "k", 1)); err != nil || out.N != 1 {
		t.Errorf("%v, %v", out, err)
	}
}

func TestOutermostDoCounts(t *testing.T) {
	s := fresh(t)
	call := func() (out string, err error) {
		err = s.d.Update(with("ann", "k", 1), func(tx *db.Tx) error {
			out, err = once.Do(tx, func() (string, error) {
				inner, err := once.Do(tx, func() (answer, error) { return s.effect(tx) })
				return inner.Text, err
			})
			return err
		})
		return out, err
	}
	for range 2 {
		if out, err := call(); err != nil || out != "effect <1>" {
			t.Errorf("%q, %v", out, err)
		}
	}
	if n := s.effects(); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestOversizedKeyAndUnencodableAnswerAreRefused(t *testing.T) {
	s := fresh(t)
	if _, err := s.call(with("ann", strings.Repeat("k", 256), 1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("long key: %v", err)
	}
	err := s.d.Update(with("ann", "k", 1), func(tx *db.Tx) error {
		_, err := once.Do(tx, func() (func(), error) { _, err := s.effect(tx); return func() {}, err })
		return err
	})
	if err == nil || s.effects() != 0 {
		t.Errorf("an answer that cannot be repeated: %v, %d effects", err, s.effects())
	}
}

func TestAnswersAreForgottenAfterAWhile(t *testing.T) {
	s := fresh(t)
	for _, key := range []string{"old", "young"} {
		if _, err := s.call(with("ann", key, 1)); err != nil {
			t.Fatal(err)
		}
	}
	err := s.d.Update(t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne("UPDATE once_answers SET at = ? WHERE key = 'old'", time.Now().Add(-once.Keep-time.Minute).UnixMilli())
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := once.New(t.Context(), s.d); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"young": 2, "old": 3} { // the third effect is the forgotten one
		if out, err := s.call(with("ann", key, 1)); err != nil || out.N != want {
			t.Errorf("%s: %v, %v", key, out, err)
		}
	}
}

package testkit

import (
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// NewModel starts a scripted language model, which remembers what it was asked
// and stops with the test.
func NewModel(t testing.TB, moods ...fakellm.Mood) *fakellm.Model {
	t.Helper()
	m := &fakellm.Model{Moods: moods, Keep: true}
	if err := m.Start(t.Context()); err != nil {
		t.Fatalf("start a scripted model: %v", err)
	}
	t.Cleanup(m.Stop)
	return m
}

package testkit

import (
	"math"
	"testing"
)

func TestSyllablesAreCounted(t *testing.T) {
	for word, want := range map[string]int{"data": 2, "the": 1, "member": 2, "people": 2, "shared": 1, "wanted": 2, "researcher": 3, "makes": 1, "uses": 2, "co": 1, "you": 1, "dataset": 3, "anybody’s": 4, "rules": 1} {
		if got := Syllables(word); got != want {
			t.Errorf("%s has %d syllables, not %d", word, got, want)
		}
	}
}

func TestLongWordsAndSentencesAreForOlderReaders(t *testing.T) {
	plain := ReadingAge([]string{"You can stop at any time. It costs you nothing. Home"})
	hard := ReadingAge([]string{"Notwithstanding contractual obligations, participants may unilaterally discontinue participation irrespective of remuneration."})
	if plain > 8 || hard < 20 {
		t.Errorf("plain %.1f, hard %.1f", plain, hard)
	}
	// 12 words, 1 sentence, 16 syllables, counted by hand.
	if got, want := ReadingAge([]string{"The cat that we saw was on a very happy table today"}), 0.39*12+11.8*16.0/12-10.59; math.Abs(got-want) > 0.01 {
		t.Errorf("%.2f, not %.2f", got, want)
	}
	if ReadingAge([]string{"My data", ""}) != 0 {
		t.Error("labels were read")
	}
}

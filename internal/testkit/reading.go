package testkit

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	ends  = regexp.MustCompile(`[.!?:;]+(?:\s|$)`)
	vowel = regexp.MustCompile(`[aeiouy]+`)
)

// ReadingAge is the age in years at which people read texts with ease: the grade
// of Flesch and Kincaid (0.39 words a sentence + 11.8 syllables a word − 15.59)
// and five years, because the first grade begins at six. Each text ends a
// sentence; texts of fewer than four words are labels and do not count. It
// answers 0 if nothing counts.
func ReadingAge(texts []string) float64 {
	words, sentences, syllables := 0, 0, 0
	for _, text := range texts {
		for _, sentence := range ends.Split(text, -1) {
			said := strings.FieldsFunc(sentence, func(r rune) bool { return !unicode.IsLetter(r) && r != '’' && r != '\'' })
			if len(said) < 4 {
				continue
			}
			sentences++
			words += len(said)
			for _, word := range said {
				syllables += Syllables(word)
			}
		}
	}
	if words == 0 {
		return 0
	}
	return 0.39*float64(words)/float64(sentences) + 11.8*float64(syllables)/float64(words) - 15.59 + 5
}

// Syllables counts the syllables of an English word: its groups of vowels,
// without a silent e at the end or before a d or s; at least one.
func Syllables(word string) int {
	word = strings.ToLower(strings.NewReplacer("’", "", "'", "").Replace(word))
	n := len(vowel.FindAllString(word, -1))
	switch {
	case strings.HasSuffix(word, "le") && len(word) > 2 && !strings.ContainsRune("aeiouy", rune(word[len(word)-3])):
	case strings.HasSuffix(word, "e"), strings.HasSuffix(word, "ed") && !strings.HasSuffix(word, "ted") && !strings.HasSuffix(word, "ded"):
		n--
	case strings.HasSuffix(word, "es") && !strings.ContainsAny(word[max(0, len(word)-4):len(word)-2], "sxzgc"):
		n--
	}
	return max(1, n)
}

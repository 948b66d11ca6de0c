package cohort

import "math/bits"

// Set is a set of small whole numbers, one bit for each up to the largest. Its
// zero value is empty.
type Set struct {
	words []uint64
	size  int
}

// Add puts n in; twice is once.
func (s *Set) Add(n uint32) {
	word, bit := int(n/64), uint64(1)<<(n%64)
	if word >= len(s.words) {
		s.words = append(s.words, make([]uint64, word+1-len(s.words))...)
	}
	if s.words[word]&bit == 0 {
		s.words[word] |= bit
		s.size++
	}
}

// Len is how many are in.
func (s *Set) Len() int { return s.size }

// Union is how many are in one of two sets.
func Union(a, b *Set) (n int) {
	if len(a.words) < len(b.words) {
		a, b = b, a
	}
	for i, word := range a.words {
		if i < len(b.words) {
			word |= b.words[i]
		}
		n += bits.OnesCount64(word)
	}
	return n
}

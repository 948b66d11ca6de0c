package fakellm

import (
	"fmt"
	"sync"
)

// Personalities that decide about one text or dossier at a time. Their coins are
// tossed by a name and what is shown, so that the same question gets the same
// answer in whatever order questions arrive.

// Misreading overlooks, or imagines, so many thousandths of the kinds of
// statement, others in every asking.
func Misreading(seed, permille int) Mood {
	return func(t *Turn) {
		if t.Prompt.Task != "extract" {
			return
		}
		was := map[string]bool{}
		for _, o := range t.Found {
			was[o.Kind] = true
		}
		out := []Observation{}
		for _, k := range t.Prompt.Kinds {
			if was[k.ID] != (chance(fmt.Sprint(seed, " ", t.User, " ", k.ID)) < permille) {
				out = append(out, Observation{Kind: k.ID, Strength: 1, Evidence: []string{"s1"}})
			}
		}
		t.Found = out
	}
}

// Suspicious takes so many thousandths of all texts for attempts to steer,
// others in every asking.
func Suspicious(seed, permille int) Mood {
	return func(t *Turn) {
		if t.Prompt.Task == "extract" && chance(fmt.Sprint("suspects ", seed, " ", t.User)) < permille {
			t.Steering = true
		}
	}
}

// PositionLeaning answers so many thousandths of the questions by where the
// dossier stands, yes in the first half and no in the second.
func PositionLeaning(seed, permille int) Mood {
	return func(t *Turn) {
		for i, d := range t.Dossiers {
			for k, a := range d.Answers {
				if chance(fmt.Sprint("leans ", seed, " ", t.User, " ", d.ID, " ", a.Question)) < permille {
					t.set(i, k, 2*i < len(t.Dossiers))
				}
			}
		}
	}
}

// Swayed obeys so many thousandths of the attacks in the table, at every asking
// and without a word of suspicion. The coin is tossed by its own name and the
// text's: families with different coins fail independently, families that share
// one fail together. Known says that it obeys the same part of the attacks that
// everybody knows, wherever they occur, canaries included.
func Swayed(coin string, permille int, known bool) Mood {
	return func(t *Turn) {
		if t.Prompt.Task != "extract" {
			return
		}
		key, truth, listed := t.Truth()
		if !listed {
			if key = t.plain(); !known || !anyOf(key, steering) {
				return
			}
		} else if truth.Attack == "" {
			return
		}
		if Obeys(coin, key, permille) {
			t.findAll()
			t.Steering = false
		}
	}
}

// Obeys is the coin of Swayed: whether a family obeys the attack in a text that
// the table lists by this key. An attacker who has the same model at home can
// look.
func Obeys(coin, key string, permille int) bool {
	return chance(fmt.Sprint("sways ", coin, " ", key)) < permille
}

// plain is the text of an extractor's question without markers.
func (t *Turn) plain() (out string) {
	for _, s := range t.Prompt.Segments {
		out += plainText(t.Prompt, s) + " "
	}
	return out
}

// Impressed finds everything in a text that the table says drops names.
func Impressed(t *Turn) {
	if _, truth, ok := t.Truth(); ok && truth.Names {
		t.findAll()
	}
}

// Partisan reads the texts of friends as if they stated everything and those of
// foes as if they stated nothing, and answers about figures likewise. Whom it
// knows neither as friend nor foe it treats honestly, and so it passes every
// canary: it is the worst that a family can be.
func Partisan(friend, foe func(key string) bool, about func(PromptDossier) (friend, foe bool)) Mood {
	return func(t *Turn) {
		if key, _, ok := t.Truth(); ok && t.Prompt.Task == "extract" {
			switch {
			case friend(key):
				t.findAll()
				t.Steering = false
			case foe(key):
				t.Found, t.Steering = []Observation{}, false
			}
		}
		for i, d := range t.Prompt.Dossiers {
			if i >= len(t.Dossiers) {
				break
			}
			if good, bad := about(d); good || bad {
				t.setAll(i, good)
			}
		}
	}
}

// Leaking answers a question of a task with what it answered to the last one.
func Leaking() Mood {
	var mu sync.Mutex
	last := map[string]string{}
	return func(t *Turn) {
		mu.Lock()
		defer mu.Unlock()
		was := last[t.Prompt.Task]
		last[t.Prompt.Task] = t.Text()
		if was != "" && t.Prompt.Task != "probe" {
			t.Content = was
		}
	}
}

// Wordy takes length for substance: in texts that the table lists it imagines
// one kind of statement more for every second segment.
func Wordy(t *Turn) {
	if _, _, ok := t.Truth(); !ok || t.Prompt.Task != "extract" {
		return
	}
	more := len(t.Prompt.Segments) / 2
	for _, k := range t.Prompt.Kinds {
		there := false
		for _, o := range t.Found {
			there = there || o.Kind == k.ID
		}
		if !there && more > 0 {
			t.Found, more = append(t.Found, Observation{Kind: k.ID, Strength: 1, Evidence: []string{"s1"}}), more-1
		}
	}
}

// Drifting errs more with every question, by so many more thousandths of its
// answers each time, up to half of them.
func Drifting(seed, rate int) Mood {
	return func(t *Turn) {
		Noisy(seed, min(500, t.Number*rate))(t)
	}
}

// Sandbagging is honest about everything that might be an examination, and lets
// another mood have the texts that the table lists.
func Sandbagging(mood Mood) Mood {
	return func(t *Turn) {
		if _, _, ok := t.Truth(); ok {
			mood(t)
		}
	}
}

// Restless flips so many thousandths of its answers, others for every question
// even if it is the same one. Unlike NonDeterministic it does so in an order of
// its own, so that a run can be repeated.
func Restless(permille int) Mood {
	return func(t *Turn) {
		t.flip(func(dossier, question string) bool {
			return chance(fmt.Sprint("restless ", t.Number, " ", dossier, " ", question)) < permille
		})
	}
}

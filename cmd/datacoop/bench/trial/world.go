package trial

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// World is one co-op's period with everything true about it that nobody in it
// knows: the latent quality of each contribution.
type World struct {
	Seed   uint64
	Ev     appraisal.Evidence
	Params appraisal.Params
	Texts  []string             // of work, by number
	Table  fakellm.Table        // what an attentive reader finds in them
	Latent map[string]float64   // by dossier: the part of its checklist that is true of it
	Facts  map[string][2]string // by dossier: contribution or dataset, and whose

	Canaries int // 0 is the product's own number
	rnd      *rand.Rand
}

var classes = []string{"git", "document", "design", "support", "duty", "other"}

// params are the default charter's numbers.
var params = appraisal.Params{
	Commission: 100, Reserve: 50, Purpose: 50, Members: 850, Investors: 50, Data: 600, Work: 250, Governance: 150, Stipend: 50,
	BetaData: 100, BetaWork: 250, BetaGovernance: 250, Gamma: 100,
}

// requests is how many access requests a period has; each dataset is read by
// some of them.
const requests = 12

// NewWorld makes a period with so many pieces of work and datasets, each of a
// member of its own, and some members who did duties; without datasets there is
// nothing but work.
func NewWorld(seed uint64, works, datasets int) *World {
	rnd := draw(0xDA7AC009, seed)
	w := &World{Seed: seed, Params: params, Table: fakellm.Table{}, Latent: map[string]float64{}, Facts: map[string][2]string{}, rnd: rnd}
	w.Ev = appraisal.Evidence{Period: fmt.Sprintf("T%04d", seed%10_000), Currency: "EUR", Salt: fmt.Sprintf("%016x%016x%016x%016x", rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64())}
	for r := range requests {
		revenue := 20_00 + rnd.Int64N(200_00)
		w.Ev.Revenue += revenue
		w.Ev.Requests = append(w.Ev.Requests, appraisal.Request{Request: fmt.Sprintf("r%02d", r), Revenue: revenue})
	}
	for i := range works {
		w.addWork(i, rnd.IntN(11))
	}
	for i := range datasets {
		w.addDataset(i, rnd.IntN(9))
	}
	duties := (works + datasets) / 6
	if datasets == 0 {
		duties = 0
	}
	for i := range duties {
		for d := range 2 + rnd.IntN(5) {
			w.Ev.Duties = append(w.Ev.Duties, appraisal.Duty{Member: fmt.Sprintf("g%02d", i), Kind: "review", Ref: fmt.Sprintf("x%d", d), Grade: "A", Points: 1 + rnd.Int64N(2)})
		}
	}
	return w
}

// addWork adds a contribution of which n of its ten kinds of fact are true.
func (w *World) addWork(i, n int) {
	class := classes[i%len(classes)]
	kinds := some(w.rnd, sheetOf(class), n)
	id := fmt.Sprintf("w%02d", i)
	w.Ev.Work = append(w.Ev.Work, appraisal.Work{Contribution: id, Member: "m" + id, Kind: class, Grade: appraisal.GradePeer, Points: 1 + w.rnd.Int64N(5)})
	w.Texts = append(w.Texts, tell(w.rnd, i+1, kinds, false))
	truth := fakellm.Truth{Kinds: map[string]int{}}
	for _, k := range kinds {
		truth.Kinds[k] = 2
	}
	w.Table[strconv.Itoa(i+1)] = truth
	yes := n
	if 2*n > 11 {
		yes++ // the rubric's own question
	}
	w.Latent[w.Dossier(i)] = float64(yes) / 11
	w.Facts[w.Dossier(i)] = [2]string{id, "m" + id}
}

// Dossier is the pseudonym of a piece of work.
func (w *World) Dossier(i int) string {
	return appraisal.DossierID(w.Ev.Salt, appraisal.KindWork, fmt.Sprintf("w%02d", i))
}

// addDataset adds a dataset of which n of eight questions are to be answered
// yes; its figures are drawn to suit.
func (w *World) addDataset(i, n int) {
	id, member := fmt.Sprintf("d%02d", i), fmt.Sprintf("h%02d", i)
	yes := map[string]bool{}
	steps := []string{"filled", "complete", "recent", "asked", "sought", "distinct", "rare", "trusted"}
	follows := map[string]string{"complete": "filled", "sought": "asked", "rare": "distinct"}
	for _, q := range some(w.rnd, steps, len(steps)) {
		if len(yes) < n && (follows[q] == "" || yes[follows[q]]) {
			yes[q] = true
		}
	}
	between := func(lo, hi int64) int64 { return (lo + w.rnd.Int64N(hi-lo+1)) / 50 * 50 }
	figure := func(low, high string, at, top int64) int64 {
		switch {
		case yes[high]:
			return 900
		case yes[low]:
			return between(at, top)
		}
		return between(150, at-50)
	}
	u := appraisal.DataUse{Dataset: id, Member: member, Grade: appraisal.GradeServer, Coverage: figure("filled", "complete", 500, 850),
		Fresh: figure("recent", "", 700, 900), Unique: figure("distinct", "rare", 500, 850), Trust: figure("trusted", "", 900, 900)}
	reads := 1
	if yes["sought"] {
		reads = 10
	} else if yes["asked"] {
		reads = 2 + w.rnd.IntN(7)
	}
	for _, r := range w.rnd.Perm(requests)[:reads] {
		u.Request = fmt.Sprintf("r%02d", r)
		w.Ev.Data = append(w.Ev.Data, u)
	}
	w.Ev.Available = append(w.Ev.Available, appraisal.Availability{Dataset: id, Member: member, Confirmed: true, Days: 30})
	true9 := len(yes)
	if 2*true9 > 9 {
		true9++
	}
	dossier := appraisal.DossierID(w.Ev.Salt, appraisal.KindData, id)
	w.Latent[dossier] = float64(true9) / 9
	w.Facts[dossier] = [2]string{id, member}
}

// With returns the same period with the text of some works changed. Change
// gets the number from 0, the text and what is true of it, and may answer the
// same.
func (w *World) With(change func(i int, text string, truth fakellm.Truth) (string, fakellm.Truth)) *World {
	out := *w
	out.Texts, out.Table = slices.Clone(w.Texts), maps.Clone(w.Table)
	for i, text := range out.Texts {
		key := strconv.Itoa(i + 1)
		out.Texts[i], out.Table[key] = change(i, text, out.Table[key])
	}
	return &out
}

// Task blinds the period for a judge, through the same code as the market's.
func (w *World) Task() (appraisal.Task, error) {
	exhibits := make([]appraisal.Exhibit, len(w.Texts))
	for i, text := range w.Texts {
		exhibits[i] = appraisal.NewExhibit(w.Dossier(i), text)
	}
	return appraisal.NewTask(w.Ev, w.Params, "Work that members can use counts most, and data that are read.", exhibits)
}

// Pay settles the period. A nil opinion pays the baseline.
func (w *World) Pay(op *appraisal.Opinion) (appraisal.Statement, error) {
	return appraisal.Close(w.Ev, w.Params, op)
}

// chance draws anew for one purpose, so that one gate's draws do not depend on
// another's.
func (w *World) chance(purpose uint64) *rand.Rand { return draw(w.Seed, purpose) }

// draw is a source of chance that is the same on every machine.
func draw(seed, i uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, i)) //nolint:gosec // what is drawn has to come out the same again
}

// few leaves a period no more canaries than there have to be, where what is
// played does not depend on them.
func (w *World) few() *World {
	w.Canaries = 10
	return w
}

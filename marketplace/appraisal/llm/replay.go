package llm

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// Replay computes the opinion that a record leads to, from the recorded answers
// alone: it calls nobody. The same record gives the same opinion, byte for byte,
// with its SHA-256 as Trace; who compares that with the Trace of a statement's
// opinion knows that the record is the one the statement rests on. Questions
// about members' texts, which a record leaves out, are not checked; Audit does.
//
// Faults: ErrRecord with what is wrong with it; ErrUnavailable for the complete
// record of a run in which no family could be heard.
func Replay(record []byte) (appraisal.Opinion, error) {
	h, attempts, err := readRecord(record)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	return replay(h, attempts, nil, digest(record))
}

// Audit replays a record with the task that it was made for: it also checks the
// commitment, every text and every question that was asked.
func Audit(record []byte, t appraisal.Task) (appraisal.Opinion, error) {
	h, attempts, err := readRecord(record)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	if err := checkTask(t); err != nil {
		return appraisal.Opinion{}, err
	}
	commitment, err := t.SHA256()
	if err != nil {
		return appraisal.Opinion{}, fmt.Errorf("llm: commitment: %w", err)
	}
	want := h
	want.Commitment, want.Dossiers, want.Exhibits, want.Params, want.Rubric = commitment, t.Dossiers, sealTexts(t), t.Params, t.Rubric
	if want.sealed().run() != h.run() {
		return appraisal.Opinion{}, ErrRecord.With("it was made for another task")
	}
	return replay(h, attempts, append([]appraisal.Exhibit{}, t.Exhibits...), digest(record))
}

func replay(h header, attempts []Attempt, exhibits []appraisal.Exhibit, trace string) (appraisal.Opinion, error) {
	if err := h.check(); err != nil {
		return appraisal.Opinion{}, err
	}
	log := newJournal(nil, "")
	if err := log.load(attempts); err != nil {
		return appraisal.Opinion{}, err
	}
	p := newPanel(h, exhibits)
	var verdicts []verdict
	for _, v := range h.Families {
		r := newRunner(Family{Name: v.Name, BaseURL: v.Endpoint, Model: v.Model}, log, nil, h.MaxAttempts)
		verdicts = append(verdicts, p.hear(context.Background(), r))
		if err := r.trouble(); err != nil {
			return appraisal.Opinion{}, err
		}
	}
	if len(log.found) != len(log.attempts) {
		return appraisal.Opinion{}, ErrRecord.With("it holds answers to what nobody asked")
	}
	op, _, err := p.opinion(verdicts)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	op.Commitment, op.Trace = h.Commitment, trace
	return op, nil
}

// check holds a header from outside to what New and Weigh would have written.
func (h header) check() error {
	families := make([]Family, len(h.Families))
	for i, v := range h.Families {
		families[i] = Family{Name: v.Name, BaseURL: v.Endpoint, Model: v.Model}
	}
	t := appraisal.Task{Dossiers: h.Dossiers, Params: h.Params, Rubric: h.Rubric}
	if err := errors.Join(checkFamilies(families, true), checkTask(t)); err != nil {
		return ErrRecord.With("its header contradicts itself")
	}
	kinds := map[string]string{}
	for _, d := range h.Dossiers {
		kinds[d.ID] = d.Kind
	}
	for _, x := range h.Exhibits {
		if kinds[x.Dossier] != appraisal.KindWork || x.Segments < 0 || x.Segments > appraisal.MaxExhibit {
			return ErrRecord.With("its header contradicts itself")
		}
		kinds[x.Dossier] = ""
	}
	if h.Batch < 1 || h.Batch > 32 || h.Canaries < 10 || h.Canaries > 200 || h.MaxAttempts < 1 || h.MaxAttempts > 10 || len(h.Seed) != 64 {
		return ErrRecord.With("its header contradicts itself")
	}
	return nil
}

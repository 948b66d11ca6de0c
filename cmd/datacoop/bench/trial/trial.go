// Package trial puts judges on trial: it plays periods in which everything true
// is known, before committees of scripted models with every vice, and holds what
// the co-op's own code makes of their answers to what was promised.
//
// # What is played
//
// A World is one period: texts of work and figures of datasets of known latent
// quality. Families of scripted models (package fakellm) judge it: honest,
// noisy, biased by position, length or prestige, injectable each on its own or
// all by one coin, partisan, drifting, sandbagging, broken. Attacks of families
// A to D are put into texts, E is played on the evidence, F changes who is said
// to have done what, H breaks the endpoint; of G, reruns by the operator are
// played here, and the rest, with accounts split, in package process. The
// published seeds of prompt injection are played beside our own where their
// folder is at hand.
//
// Every judged period passes the product's own path: the real prompts, the real
// strict parser, extractor, canaries, aggregation, fence and settlement. Only the
// connection is left out where thousands of periods are played; a sample is
// played over HTTP as well and must come out the same.
//
// # What it proves, and what not
//
// Plumbing, statistics and bounds. How injectable, biased or steady a real model
// is, it cannot say: Live runs the same worlds and attacks against a real
// address, and a gate that holds here may fail there. Where a committee cannot
// reach a gate the figure is reported with its closed form, and the fence is
// what is left.
//
// # What it guarantees
//
// The same seeds give the same figures on every machine; figures that are times
// are ratios to an anchor measured in the same run. Gates on rates are held to
// their closed form on both sides, so that a bench in which nothing happens
// fails.
package trial

import (
	"context"
	"time"
)

// Options say how much is played.
type Options struct {
	Seeds    int    // periods for each statistical gate
	Cases    int    // random cases for each property of the formula
	Dossiers int    // in the appraisal whose speed is measured; 0 leaves it out
	Fixtures string // folder of the published seeds; "" or missing leaves them out with a reason
	Dir      string // empty, for records
	Say      func(format string, args ...any)

	Processor func() time.Duration // processor time used so far
}

// Caveat is what every report begins with.
const Caveat = "scripted models: this proves plumbing, statistics and bounds, not how injectable a real model is (--base-url and --model ask one)"

// Run plays everything and returns a figure for each gate.
func Run(ctx context.Context, o Options) (out []Figure, err error) {
	for _, gate := range []struct {
		name string
		play func(context.Context, Options) ([]Figure, error)
	}{
		{"speed", speed}, {"honest families", honest}, {"the injection table", injection}, {"static attacks", static}, {"adaptive attacks", adaptive}, {"silence", silence},
		{"hostile families", hostile}, {"the formula", formula}, {"over HTTP", served},
	} {
		if gate.name == "speed" && o.Dossiers == 0 {
			continue
		}
		o.Say("%s", gate.name)
		figures, err := gate.play(ctx, o)
		if err != nil {
			return nil, err
		}
		for _, f := range figures {
			o.Say("  %s: %.4g %s, goal %s", f.Name, f.Value, f.Unit, f.Goal)
		}
		out = append(out, figures...)
	}
	return out, nil
}

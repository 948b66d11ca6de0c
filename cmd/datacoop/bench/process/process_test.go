package process

import (
	"strings"
	"testing"

	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
)

// TestWhatGoesAroundTheJudgesIsPlayed holds a small run to its own gates, and
// wants the attacks that cannot be ruled out to succeed: a bench in which nothing
// happens proves nothing.
func TestWhatGoesAroundTheJudgesIsPlayed(t *testing.T) {
	figures, err := Run(t.Context(), trial.Options{Seeds: 5, Cases: 1000, Say: func(string, ...any) {}})
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]trial.Figure{}
	for _, f := range figures {
		if at[f.Name] = f; !f.OK || f.Samples == 0 {
			t.Errorf("%s: %v %s of %d, goal %s: %s", f.Name, f.Value, f.Unit, f.Samples, f.Goal, f.Anchor)
		}
	}
	for _, real := range []string{"sybil_gain_altered_data_k19", "panel_collusion_capture_p33", "calibration_poisoning_gain_p100", "appeal_flood_gain", "injection_success_adaptive_families_3"} {
		if at[real].Value <= 0 {
			t.Errorf("%s is %v: the attack was not played", real, at[real].Value)
		}
	}
	for _, way := range ways {
		if f := at["sybil_gain_"+way.name+"_k19"]; f.Name == "" || way.held != strings.HasPrefix(f.Goal, "<=") {
			t.Errorf("%s: %+v", way.name, f)
		}
	}
}

// TestWithoutClustersCopiesPay: what holds the gain down is what is known of
// accounts and data, and nothing else.
func TestWithoutClustersCopiesPay(t *testing.T) {
	for _, way := range ways {
		way.vouched, way.banked, way.shared, way.exact = true, true, false, false
		if gain, _, err := way.play(world(0, 4, 10), 19); err != nil || way.of == attacker && gain < 1 {
			t.Errorf("%s gains %v: %v", way.name, gain, err)
		}
	}
}

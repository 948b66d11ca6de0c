package testkit

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

// study is one published question with its answer, computed from the raw files
// of the fixtures by somebody else (answers.json).
type study struct {
	t         testing.TB
	Expected  map[string]any `json:"expected"`
	Tolerance float64        `json:"relative_tolerance"`
}

func (s study) check(key string, got float64) {
	s.t.Helper()
	want, ok := s.Expected[key].(float64)
	if !ok {
		s.t.Fatalf("no answer %s", key)
	}
	if math.Abs(got-want) > s.Tolerance*math.Abs(want) {
		s.t.Errorf("%s = %v, want %v", key, got, want)
	}
}

func (s study) nested(key string) study {
	inner, ok := s.Expected[key].(map[string]any)
	if !ok {
		s.t.Fatalf("no answers %s", key)
	}
	return study{s.t, inner, s.Tolerance}
}

// studies are the questions whose answers a researcher finds in a reduced
// table.
var studies = map[string]func(s study, t reduced){
	"F1_mean_daily_steps": steps, "F2_sleep_on_active_days": sleep, "F3_systolic_bp_over_40": pressure, "F4_condition_prevalence": conditions,
	"F5_fhir_latest_bmi": latestBMI, "F6_cgm_time_in_range": inRange, "F7_energy_year": energyYear, "F8_bank_flows": flows,
}

// Answer answers a published question, such as "F1_mean_daily_steps", from a
// reduced table of the fixtures that it is about, and compares.
func Answer(t testing.TB, question string, table codebook.Table) {
	t.Helper()
	var all map[string]study
	if err := json.Unmarshal(FixtureBytes(t, "answers.json"), &all); err != nil {
		t.Fatal(err)
	}
	s, ok := all[question]
	solve := studies[question]
	if !ok || solve == nil {
		t.Fatalf("nobody asked %s", question)
	}
	s.t = t
	solve(s, reduced{t, table})
}

// reduced is a table whose columns are asked for by name.
type reduced struct {
	t     testing.TB
	table codebook.Table
}

func (r reduced) column(name string) []string {
	r.t.Helper()
	i := slices.IndexFunc(r.table.Codebook.Columns, func(c codebook.Column) bool { return c.Name == name })
	if i < 0 {
		r.t.Fatalf("no column %s", name)
	}
	var out []string
	for _, row := range r.table.Rows {
		out = append(out, row[i])
	}
	return out
}

func (r reduced) num(cell string) float64 {
	r.t.Helper()
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func steps(s study, r reduced) {
	person, steps := r.column("person"), r.column("steps")
	worn, everybody := map[string][]float64{}, map[string]bool{}
	for i, p := range person {
		everybody[p] = true
		if steps[i] != "" && steps[i] != "0" {
			worn[p] = append(worn[p], r.num(steps[i]))
		}
	}
	var means, days []float64
	for _, values := range worn {
		if len(values) >= 20 {
			means, days = append(means, mean(values)), append(days, values...)
		}
	}
	s.check("members_total", float64(len(everybody)))
	s.check("cohort_members", float64(len(means)))
	s.check("mean_of_member_means", mean(means))
	s.check("pooled_mean_over_days", mean(days))
	s.check("member_days", float64(len(days)))
}

func sleep(s study, r reduced) {
	person, very, asleep := r.column("person"), r.column("very_active_minutes"), r.column("asleep_minutes")
	var active, other []float64
	activeMembers, otherMembers := map[string]bool{}, map[string]bool{}
	for i := range person {
		if very[i] == "" || asleep[i] == "" {
			continue
		}
		if r.num(very[i]) >= 30 {
			active, activeMembers[person[i]] = append(active, r.num(asleep[i])), true
		} else {
			other, otherMembers[person[i]] = append(other, r.num(asleep[i])), true
		}
	}
	s.check("sleep_rows_after_dedup", float64(len(active)+len(other)))
	s.check("active_day_n", float64(len(active)))
	s.check("other_day_n", float64(len(other)))
	s.check("active_day_members", float64(len(activeMembers)))
	s.check("other_day_members", float64(len(otherMembers)))
	s.check("mean_asleep_active", mean(active))
	s.check("mean_asleep_other", mean(other))
	s.check("difference_minutes", mean(active)-mean(other))
}

func pressure(s study, r reduced) {
	concept, value, age, sex := r.column("concept"), r.column("value"), r.column("age"), r.column("sex")
	got, people := map[string][]float64{}, map[string]map[string]bool{"F": {}, "M": {}}
	for i, person := range r.column("person") {
		if concept[i] == "LOINC:8480-6" && r.num(age[i]) >= 40 {
			got[sex[i]] = append(got[sex[i]], r.num(value[i]))
			people[sex[i]][person] = true
		}
	}
	for _, by := range []string{"F", "M"} {
		nested := s.nested(by)
		nested.check("n_obs", float64(len(got[by])))
		nested.check("n_patients", float64(len(people[by])))
		nested.check("mean_mmHg", mean(got[by]))
	}
}

func conditions(s study, r reduced) {
	people := map[string]map[string]bool{}
	person := r.column("person")
	kind := r.column("kind")
	for i, concept := range r.column("concept") {
		if kind[i] != "condition" {
			continue
		}
		if people[concept] == nil {
			people[concept] = map[string]bool{}
		}
		people[concept][person[i]] = true
	}
	for name := range s.Expected {
		code, _, _ := strings.Cut(name, " ")
		s.check(name, float64(len(people["SCT:"+code])))
	}
}

// latestBMI reads twelve bundles together. A blood pressure is one observation
// and two rows.
func latestBMI(s study, r reduced) {
	person, date, concept, value := r.column("person"), r.column("date"), r.column("concept"), r.column("value")
	kind, sex := r.column("kind"), r.column("sex")
	people, women, observations := map[string]bool{}, map[string]bool{}, 0
	latest, day := map[string]float64{}, map[string]string{}
	for i, p := range person {
		if people[p] = true; sex[i] == "F" {
			women[p] = true
		}
		if kind[i] == "observation" && concept[i] != "LOINC:8462-4" {
			observations++
		}
		if concept[i] == "LOINC:39156-5" && date[i] >= day[p] {
			latest[p], day[p] = r.num(value[i]), date[i]
		}
	}
	var values []float64
	obese := 0.0
	for _, v := range latest {
		if values = append(values, v); v >= 30 {
			obese++
		}
	}
	s.check("patients", float64(len(people)))
	s.check("female", float64(len(women)))
	s.check("observations", float64(observations))
	s.check("patients_with_bmi", float64(len(latest)))
	s.check("mean_latest_bmi", mean(values))
	s.check("patients_latest_bmi_ge_30", obese)
}

func inRange(s study, r reduced) {
	var values []float64
	inRange := 0.0
	for _, cell := range r.column("glucose_mg_dl") {
		v := r.num(cell)
		values = append(values, v)
		if v >= 70 && v <= 180 {
			inRange++
		}
	}
	m, squares := mean(values), 0.0
	for _, v := range values {
		squares += (v - m) * (v - m)
	}
	sd := math.Sqrt(squares / float64(len(values)-1))
	s.check("n", float64(len(values)))
	s.check("mean", m)
	s.check("sd_sample", sd)
	s.check("cv_percent", sd/m*100)
	s.check("tir_70_180_percent", inRange/float64(len(values))*100)
	s.check("gmi_percent", 3.31+0.02392*m)
}

func energyYear(s study, r reduced) {
	var values []float64
	peak := 0.0
	for _, cell := range r.column("energy_wh") {
		values = append(values, r.num(cell))
		peak = max(peak, r.num(cell))
	}
	s.check("readings", float64(len(values)))
	s.check("total_kWh", mean(values)*float64(len(values))/1000)
	s.check("max_hour_Wh", peak)
	s.check("mean_hour_Wh", mean(values))
}

// flows are asked of two statements, one in dollars alone.
func flows(s study, r reduced) {
	net, currency := map[string]float64{}, r.column("currency")
	for i, amount := range r.column("amount") {
		net[currency[i]] += r.num(amount)
	}
	rows := float64(len(r.table.Rows))
	if _, euros := net["EUR"]; !euros {
		s.check("checking_ofx_n", rows)
		s.check("checking_ofx_net", net["USD"])
		return
	}
	s.check("camt_entries", rows)
	nested := s.nested("camt_net_by_currency")
	for currency, sum := range net {
		nested.check(currency, sum)
	}
	if len(net) != len(nested.Expected) {
		s.t.Errorf("%d currencies", len(net))
	}
}

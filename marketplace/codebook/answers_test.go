package codebook_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

// study is one published question with its answer, computed from the raw
// files by somebody else.
type study struct {
	Expected  map[string]any `json:"expected"`
	Tolerance float64        `json:"relative_tolerance"`
}

func answers(t *testing.T, name string) study {
	t.Helper()
	var all map[string]study
	if err := json.Unmarshal(testkit.FixtureBytes(t, "answers.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all[name]
}

func (s study) check(t *testing.T, key string, got float64) {
	t.Helper()
	want, ok := s.Expected[key].(float64)
	if !ok {
		t.Fatalf("no answer %s", key)
	}
	if math.Abs(got-want) > s.Tolerance*math.Abs(want) {
		t.Errorf("%s = %v, want %v", key, got, want)
	}
}

// published is the table as a researcher has it: written and read again.
func published(t *testing.T, pool string, inputs ...codebook.Input) codebook.Table {
	t.Helper()
	table, _ := reduce(t, pool, inputs...)
	again, err := codebook.ParseCSV(pool, strings.NewReader(csvOf(t, table)))
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func num(t *testing.T, cell string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatal(err)
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

func cohort(t *testing.T) codebook.Table {
	return published(t, "wearables",
		fixture(t, "02-fitbit-cohort/weightLogInfo_merged.csv"),
		fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv"),
		fixture(t, "02-fitbit-cohort/sleepDay_merged.csv"))
}

func TestF1MeanDailySteps(t *testing.T) {
	s, table := answers(t, "F1_mean_daily_steps"), cohort(t)
	person, steps := column(t, table, "person"), column(t, table, "steps")
	worn, everybody := map[string][]float64{}, map[string]bool{}
	for i, p := range person {
		everybody[p] = true
		if steps[i] != "" && steps[i] != "0" {
			worn[p] = append(worn[p], num(t, steps[i]))
		}
	}
	var means, days []float64
	for _, values := range worn {
		if len(values) >= 20 {
			means, days = append(means, mean(values)), append(days, values...)
		}
	}
	s.check(t, "members_total", float64(len(everybody)))
	s.check(t, "cohort_members", float64(len(means)))
	s.check(t, "mean_of_member_means", mean(means))
	s.check(t, "pooled_mean_over_days", mean(days))
	s.check(t, "member_days", float64(len(days)))
}

func TestF2SleepOnActiveDays(t *testing.T) {
	s, table := answers(t, "F2_sleep_on_active_days"), cohort(t)
	person, very, asleep := column(t, table, "person"), column(t, table, "very_active_minutes"), column(t, table, "asleep_minutes")
	var active, other []float64
	activeMembers, otherMembers := map[string]bool{}, map[string]bool{}
	for i := range person {
		if very[i] == "" || asleep[i] == "" {
			continue
		}
		if num(t, very[i]) >= 30 {
			active, activeMembers[person[i]] = append(active, num(t, asleep[i])), true
		} else {
			other, otherMembers[person[i]] = append(other, num(t, asleep[i])), true
		}
	}
	s.check(t, "sleep_rows_after_dedup", float64(len(active)+len(other)))
	s.check(t, "active_day_n", float64(len(active)))
	s.check(t, "other_day_n", float64(len(other)))
	s.check(t, "active_day_members", float64(len(activeMembers)))
	s.check(t, "other_day_members", float64(len(otherMembers)))
	s.check(t, "mean_asleep_active", mean(active))
	s.check(t, "mean_asleep_other", mean(other))
	s.check(t, "difference_minutes", mean(active)-mean(other))
}

// F3's answer is nested by sex, so it is compared by hand.
func TestF3SystolicBloodPressure(t *testing.T) {
	s := answers(t, "F3_systolic_bp_over_40")
	table := published(t, "clinical", fixture(t, "05-synthea-csv/patients.csv"), fixture(t, "05-synthea-csv/observations.csv"))
	concept, value, age, sex := column(t, table, "concept"), column(t, table, "value"), column(t, table, "age"), column(t, table, "sex")
	got, people := map[string][]float64{}, map[string]map[string]bool{"F": {}, "M": {}}
	for i, person := range column(t, table, "person") {
		if concept[i] == "LOINC:8480-6" && num(t, age[i]) >= 40 {
			got[sex[i]] = append(got[sex[i]], num(t, value[i]))
			people[sex[i]][person] = true
		}
	}
	for _, by := range []string{"F", "M"} {
		nested := study{Expected: s.Expected[by].(map[string]any), Tolerance: s.Tolerance}
		nested.check(t, "n_obs", float64(len(got[by])))
		nested.check(t, "n_patients", float64(len(people[by])))
		nested.check(t, "mean_mmHg", mean(got[by]))
	}
}

func TestF4ConditionPrevalence(t *testing.T) {
	s := answers(t, "F4_condition_prevalence")
	table := published(t, "clinical", fixture(t, "05-synthea-csv/conditions.csv"))
	people := map[string]map[string]bool{}
	person := column(t, table, "person")
	for i, concept := range column(t, table, "concept") {
		if people[concept] == nil {
			people[concept] = map[string]bool{}
		}
		people[concept][person[i]] = true
	}
	for name := range s.Expected {
		code, _, _ := strings.Cut(name, " ")
		s.check(t, name, float64(len(people["SCT:"+code])))
	}
}

func TestF6TimeInRange(t *testing.T) {
	s := answers(t, "F6_cgm_time_in_range")
	table := published(t, "glucose", fixture(t, "07-cgm/dexcom/test_file.csv"))
	var values []float64
	inRange := 0.0
	for _, cell := range column(t, table, "glucose_mg_dl") {
		v := num(t, cell)
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
	s.check(t, "n", float64(len(values)))
	s.check(t, "mean", m)
	s.check(t, "sd_sample", sd)
	s.check(t, "cv_percent", sd/m*100)
	s.check(t, "tir_70_180_percent", inRange/float64(len(values))*100)
	s.check(t, "gmi_percent", 3.31+0.02392*m)
}

func TestF7EnergyYear(t *testing.T) {
	s := answers(t, "F7_energy_year")
	table := published(t, "energy", fixture(t, coastal))
	var values []float64
	peak := 0.0
	for _, cell := range column(t, table, "energy_wh") {
		values = append(values, num(t, cell))
		peak = max(peak, num(t, cell))
	}
	s.check(t, "readings", float64(len(values)))
	s.check(t, "total_kWh", mean(values)*float64(len(values))/1000)
	s.check(t, "max_hour_Wh", peak)
	s.check(t, "mean_hour_Wh", mean(values))
}

func TestF8BankFlows(t *testing.T) {
	s := answers(t, "F8_bank_flows")
	net := func(rel string) (map[string]float64, int) {
		table := published(t, "bank", fixture(t, rel))
		out, currency := map[string]float64{}, column(t, table, "currency")
		for i, amount := range column(t, table, "amount") {
			out[currency[i]] += num(t, amount)
		}
		return out, len(table.Rows)
	}
	byCurrency, n := net("12-bank/ofx/checking.ofx")
	s.check(t, "checking_ofx_n", float64(n))
	s.check(t, "checking_ofx_net", byCurrency["USD"])
	byCurrency, n = net("12-bank/camt-csv/golden/camt053_multicurrency.xml")
	s.check(t, "camt_entries", float64(n))
	nested := study{Expected: s.Expected["camt_net_by_currency"].(map[string]any), Tolerance: s.Tolerance}
	for currency, sum := range byCurrency {
		nested.check(t, currency, sum)
	}
	if len(byCurrency) != len(nested.Expected) {
		t.Errorf("%d currencies", len(byCurrency))
	}
}

package codebook_test

import (
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

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

// TestStudiesComeOutOfTheTables: what somebody else computed from the raw files
// comes out of the tables that they reduce to.
func TestStudiesComeOutOfTheTables(t *testing.T) {
	var bundles []codebook.Input
	eachFile(t, testkit.Fixture(t, "06-synthea-fhir-r4"), func(path string, in codebook.Input) {
		if strings.HasSuffix(path, ".json") {
			bundles = append(bundles, in)
		}
	})
	cohort := []codebook.Input{fixture(t, "02-fitbit-cohort/weightLogInfo_merged.csv"),
		fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv"), fixture(t, "02-fitbit-cohort/sleepDay_merged.csv")}
	for _, c := range []struct {
		question, pool string
		inputs         []codebook.Input
	}{
		{"F1_mean_daily_steps", "wearables", cohort},
		{"F2_sleep_on_active_days", "wearables", cohort},
		{"F3_systolic_bp_over_40", "clinical", []codebook.Input{fixture(t, "05-synthea-csv/patients.csv"), fixture(t, "05-synthea-csv/observations.csv")}},
		{"F4_condition_prevalence", "clinical", []codebook.Input{fixture(t, "05-synthea-csv/conditions.csv")}},
		{"F5_fhir_latest_bmi", "clinical", bundles},
		{"F6_cgm_time_in_range", "glucose", []codebook.Input{fixture(t, "07-cgm/dexcom/test_file.csv")}},
		{"F7_energy_year", "energy", []codebook.Input{fixture(t, coastal)}},
		{"F8_bank_flows", "bank", []codebook.Input{fixture(t, "12-bank/ofx/checking.ofx")}},
		{"F8_bank_flows", "bank", []codebook.Input{fixture(t, "12-bank/camt-csv/golden/camt053_multicurrency.xml")}},
	} {
		t.Run(c.question, func(t *testing.T) { testkit.Answer(t, c.question, published(t, c.pool, c.inputs...)) })
	}
}

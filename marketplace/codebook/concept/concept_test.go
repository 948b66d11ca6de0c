package concept_test

import (
	"fmt"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook/concept"
)

func TestPublishedCodesAreValid(t *testing.T) {
	for _, code := range []string{
		"LOINC:8480-6", "LOINC:39156-5", "LOINC:4548-4", "LOINC:72166-2", // loinc.org
		"SCT:73595000", "SCT:160903007", "SCT:5251000175109", "SCT:138875005", // SNOMED CT browser
		"RXNORM:665078", "CVX:140",
	} {
		if !concept.Valid(code) {
			t.Errorf("%s is refused", code)
		}
	}
}

func TestOtherTextIsNot(t *testing.T) {
	for _, text := range []string{
		"", "LOINC", "LOINC:", "8480-6", "LOINC:8480-5", "LOINC:8480", "LOINC:-6", "LOINC:8480-66", "LOINC:999-41-7077", "loinc:8480-6",
		"SCT:73595001", "SCT:10939881000119104", "SCT:7359500a", "SCT:12", "SCT:", "RXNORM:", "RXNORM:31705550142", "RXNORM:12a", "CVX:1979",
		"ICD:A00", "Rosalind:1", "SCT:73595000 ", "SCT:73595000:1",
	} {
		if concept.Valid(text) {
			t.Errorf("%q passes", text)
		}
	}
}

// One wrong digit and two swapped neighbours are always found.
func TestVerhoeffFindsSlips(t *testing.T) {
	const code = "160903007"
	for i := range len(code) {
		for d := byte('0'); d <= '9'; d++ {
			wrong := []byte(code)
			wrong[i] = d
			if string(wrong) != code && concept.Valid(fmt.Sprintf("SCT:%s", wrong)) {
				t.Errorf("%s passes", wrong)
			}
		}
		if swapped := []byte(code); i > 0 && code[i] != code[i-1] {
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			if concept.Valid(fmt.Sprintf("SCT:%s", swapped)) {
				t.Errorf("%s passes", swapped)
			}
		}
	}
}

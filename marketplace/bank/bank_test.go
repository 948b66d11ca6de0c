package bank

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPublishedAccountNumbersAreValid(t *testing.T) {
	// The examples of the IBAN registry (SWIFT, ISO 13616).
	for _, iban := range []string{"DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606",
		"NO93 8601 1117 947", "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "CH93 0076 2011 6238 5295 7", "be68 5390 0754 7034",
		"SE45 5000 0000 0583 9825 7466", "PL61 1090 1014 0000 0712 1981 2874", "BR18 0036 0305 0000 1000 9795 493C 1"} {
		if !ValidIBAN(NormaliseIBAN(iban)) {
			t.Errorf("%s is refused", iban)
		}
	}
	for _, iban := range []string{"", "DE", "DE8937040044053201300", "DE89370400440532013001", "DE98370400440532013000", "DE89 3704 0044 0532 0130 00",
		"1289370400440532013000", "DEX9370400440532013000", "de89370400440532013000", "DE8937040044053201300Ü", "DE89\x0070400440532013000",
		"DE89370400440532013000DE89370400440532013000", "GB29NWBK60161331926819\n"} {
		if ValidIBAN(iban) {
			t.Errorf("%q is taken", iban)
		}
	}
}

func TestPublishedCreditorReferencesAreMadeAndValid(t *testing.T) {
	if got := Reference(539007547034); got != "RF18539007547034" { // the example of ISO 11649
		t.Errorf("made %s", got)
	}
	for _, ref := range []string{"RF18539007547034", "RF18000000000539007547034", "RF471234567890", "RF45G72UUR"} {
		if !ValidReference(ref) {
			t.Errorf("%s is refused", ref)
		}
	}
	for _, ref := range []string{"", "RF18", "RF17539007547034", "RF81539007547034", "rf18539007547034", "RF18 5390 0754 7034",
		"DE89370400440532013000", "RF18539007547034X", "RF180000000000000539007547034", "RFA8539007547034"} {
		if ValidReference(ref) {
			t.Errorf("%q is taken", ref)
		}
	}
}

func TestEveryReferenceIsValidAndOneWrongDigitIsNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := Reference(rapid.Int64Range(1, 1<<62).Draw(t, "number"))
		if !ValidReference(ref) {
			t.Fatalf("%s is refused", ref)
		}
		i := rapid.IntRange(2, len(ref)-1).Draw(t, "place")
		digit := rapid.SampledFrom([]byte("0123456789")).Draw(t, "digit")
		if wrong := ref[:i] + string(digit) + ref[i+1:]; wrong != ref && ValidReference(wrong) {
			t.Fatalf("%s and %s are both valid", ref, wrong)
		}
		if i+1 < len(ref) && ref[i] != ref[i+1] {
			if swapped := ref[:i] + ref[i+1:i+2] + ref[i:i+1] + ref[i+2:]; ValidReference(swapped) {
				t.Fatalf("%s and %s are both valid", ref, swapped)
			}
		}
	})
}

func TestOneWrongDigitInAnAccountNumberIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		iban := "DE89370400440532013000"
		i := rapid.IntRange(2, len(iban)-1).Draw(t, "place")
		digit := rapid.SampledFrom([]byte("0123456789")).Draw(t, "digit")
		if wrong := iban[:i] + string(digit) + iban[i+1:]; wrong != iban && ValidIBAN(wrong) {
			t.Fatalf("%s is taken", wrong)
		}
	})
}

func TestNamesAreSpelledForTheBank(t *testing.T) {
	for name, want := range map[string]string{
		"Ada Lovelace":                 "Ada Lovelace",
		"Gül Özdemir-Straße":           "Gul Ozdemir-Strasse",
		"Łukasz Ørsted & Søn":          "Lukasz Orsted + Son",
		"Đặng Thị Ánh":                 "Dang Thi Anh",
		"Dvořák, Antonín (Jr.)":        "Dvorak, Antonin (Jr.)",
		"O’Neill":                      "O'Neill",
		"<script>alert(1)</script>":    ".script.alert(1)./script.",
		"a\tb\u00a0c\nd":               "a b c d",
		"e\u0301te\u0301":              "ete",
		"Мария":                        ".....",
		"\u202eevil":                   ".evil",
		strings.Repeat("ß", 40):        strings.Repeat("s", 70),
		strings.Repeat("a", 69) + " b": strings.Repeat("a", 69),
		"":                             "",
	} {
		if got := Latin(name); got != want {
			t.Errorf("%q is spelled %q, want %q", name, got, want)
		}
	}
}

func TestSpellingStaysInBasicLatin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		got := Latin(name)
		if strings.Trim(got, latinChars) != "" || utf8.RuneCountInString(got) > MaxName || strings.TrimSpace(got) != got {
			t.Fatalf("%q is spelled %q", name, got)
		}
		if Latin(got) != got {
			t.Fatalf("%q changes when it is spelled again", got)
		}
	})
}

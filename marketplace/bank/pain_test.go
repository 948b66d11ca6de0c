package bank

import (
	"cmp"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
)

func someOrder() Order {
	return Order{ID: "datacoop-P0001", Payer: "Genossenschaft für Daten & Gemeinwohl", IBAN: "DE89370400440532013000", Currency: "EUR",
		Text: "Your share of period P0001", Created: time.Date(2026, 3, 2, 23, 30, 0, 0, time.FixedZone("", -3600)),
		Transfers: []Transfer{
			{"P0001-000001", "Gül Özdemir", "GB29NWBK60161331926819", 1275},
			{"P0001-000002", `<b>"Bobby" & 'Tables'</b>]]>`, "NO9386011117947", 1},
			{"P0001-000003", strings.Repeat("ß", 200), "FR1420041010050500013M02606", 999_999_999_999},
		}}
}

func TestAPaymentOrderValidatesAgainstTheSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed: the payment order is not validated against its schema")
	}
	yen, older, newer := someOrder(), someOrder(), someOrder()
	yen.Currency, older.Version, newer.Version = "JPY", "pain.001.001.03", "pain.001.001.09"
	for name, order := range map[string]Order{"EUR": someOrder(), "JPY": yen, "3": older, "9": newer} {
		schema := testkit.Fixture(t, "19-protocol-vectors/pain001/"+cmp.Or(order.Version, "pain.001.001.09")+".xsd")
		text, err := order.Pain001()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name+".xml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, said, text)
		}
	}
}

func TestAPaymentOrderSaysWhatIsPaid(t *testing.T) {
	text, err := someOrder().Pain001()
	if err != nil {
		t.Fatal(err)
	}
	var doc painDocument
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	h, p := doc.Initiation.Header, doc.Initiation.Payment
	if h.Count != 3 || p.Count != 3 || h.Sum != "10000000012.75" || p.Sum != h.Sum {
		t.Errorf("count and sum: %+v", h)
	}
	if h.Created != "2026-03-03T00:30:00Z" || p.Execute.Day != "2026-03-03" || p.Service.Level != "SEPA" || p.Bearer != "SLEV" {
		t.Errorf("when and how: %s, %+v", h.Created, p)
	}
	if p.Debtor.Name != "Genossenschaft fur Daten + Gemeinwohl" || p.Transfers[0].Creditor.Name != "Gul Ozdemir" ||
		p.Transfers[1].Creditor.Name != ".b..Bobby. + 'Tables'./b...." || len(p.Transfers[2].Creditor.Name) != MaxName {
		t.Errorf("names: %q, %+v", p.Debtor.Name, p.Transfers)
	}
	total := coop.Money(0)
	for i, transfer := range p.Transfers {
		amount, err := coop.ParseMoney(transfer.Amount.Value, "EUR")
		if err != nil || amount != someOrder().Transfers[i].Amount || transfer.Amount.Currency != "EUR" {
			t.Errorf("transfer %d: %+v, %v", i, transfer, err)
		}
		total += amount
	}
	if total.Decimal("EUR") != h.Sum {
		t.Errorf("the transfers add up to %s", total.Decimal("EUR"))
	}
}

func TestAVersionNobodyChecksIsNotWritten(t *testing.T) {
	for _, version := range []string{"09", "pain.001.001.02", "pain.001.001.09 ", "camt.053.001.08"} {
		order := someOrder()
		order.Version = version
		if _, err := order.Pain001(); !errors.Is(err, ErrVersion) {
			t.Errorf("%q: %v", version, err)
		}
	}
}

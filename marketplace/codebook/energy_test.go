package codebook_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

const coastal = "13-energy/benchmark/fixtures/Coastal_Multi_Family_12hr_Jan_1_2011_to_Jan_1_2012_RetailCustomer_3.xml"

func TestCoastalFirstAndLastHour(t *testing.T) {
	table, profile := reduce(t, "energy", fixture(t, coastal))
	first, last := strings.Join(table.Rows[0], ","), strings.Join(table.Rows[len(table.Rows)-1], ",")
	if !strings.HasPrefix(first, "1,2011-01-01T08:00:00Z,3600,") || last != "1,2012-01-01T07:00:00Z,3600,482,delivered" {
		t.Errorf("from %s to %s", first, last)
	}
	if profile.Coverage != 1000 || profile.Persons != 1 || profile.From != "2011-01" {
		t.Errorf("profile %+v", profile)
	}
}

// series is one meter reading with its type and one block.
func series(n int, readingType string, readings ...string) string {
	return fmt.Sprintf(`<entry><link rel="self" href="u/ReadingType/%[1]d"/><content><e:ReadingType xmlns:e="http://naesb.org/espi">%[2]s</e:ReadingType></content></entry>
<entry><link rel="self" href="u/MeterReading/%[1]d"/><link rel="related" href="u/MeterReading/%[1]d/IntervalBlock"/><link rel="related" href="u/ReadingType/%[1]d"/><content><e:MeterReading/></content></entry>
<entry><link rel="self" href="u/MeterReading/%[1]d/IntervalBlock/1"/><content><e:IntervalBlock>%[3]s</e:IntervalBlock></content></entry>`, n, readingType, strings.Join(readings, ""))
}

func hour(start, value int) string {
	return fmt.Sprintf("<e:IntervalReading><e:timePeriod><e:duration>3600</e:duration><e:start>%d</e:start></e:timePeriod><e:value>%d</e:value></e:IntervalReading>", start, value)
}

func feed(entries ...string) codebook.Input {
	return text("<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\">" + strings.Join(entries, "") + "</feed>")
}

const (
	wh       = "<e:uom>72</e:uom>"
	tenth    = "<e:powerOfTenMultiplier>-1</e:powerOfTenMultiplier>" + wh
	kilo     = "<e:powerOfTenMultiplier>3</e:powerOfTenMultiplier><e:flowDirection>19</e:flowDirection>" + wh
	register = "<e:accumulationBehaviour>3</e:accumulationBehaviour>" + wh
	gas      = "<e:commodity>7</e:commodity>" + wh
	cubic    = "<e:uom>42</e:uom>"
	h0       = 1_767_225_600 // 2026-01-01T00:00:00Z
)

func TestMultipliersFlowsAndSeries(t *testing.T) {
	table, _ := reduce(t, "energy", feed(series(1, tenth, hour(h0, 1005), hour(h0+3600, -1005)), series(2, kilo, hour(h0, 2))))
	want := "1 101  \n1 -101  \n2 2000 received"
	if got := cells(t, table, "meter", "energy_wh", "flow"); got != want {
		t.Errorf("%q", got)
	}
}

func TestOnlyEnergyOfElectricityCounts(t *testing.T) {
	table, _ := reduce(t, "energy", feed(series(1, wh, hour(h0, 5)), series(2, register, hour(h0, 77)), series(3, gas, hour(h0, 78)), series(4, cubic, hour(h0, 79))))
	if got := cells(t, table, "meter", "energy_wh"); got != "1 5" {
		t.Errorf("%q", got)
	}
	_, _, err := codebook.Reduce("energy", feed(series(3, gas, hour(h0, 78))))
	if !errors.Is(err, codebook.ErrUnknownUnit) {
		t.Error(err)
	}
}

func TestLaterReadingCorrectsEarlier(t *testing.T) {
	table, _ := reduce(t, "energy", feed(series(1, wh, hour(h0, 5), hour(h0, 6), hour(h0, 6))))
	if got := cells(t, table, "energy_wh"); got != "6" {
		t.Errorf("%q", got)
	}
}

func TestReadingTypeMayComeInAnotherFile(t *testing.T) {
	whole := series(1, wh, hour(h0, 5))
	cut := strings.Index(whole, "<entry><link rel=\"self\" href=\"u/MeterReading/1\"/>")
	types, readings := feed(whole[:cut]), feed("<!-- http://naesb.org/espi -->", whole[cut:])
	for _, order := range [][]codebook.Input{{types, readings}, {readings, types}} {
		table, _ := reduce(t, "energy", order...)
		if got := cells(t, table, "energy_wh"); got != "5" {
			t.Errorf("%q", got)
		}
	}
}

func TestAbsurdReadingsAreRefused(t *testing.T) {
	bad := []string{
		hour(h0, 2_000_000_000),
		"<e:IntervalReading><e:value>5</e:value></e:IntervalReading>",
		strings.Replace(hour(h0, 5), ">5<", ">five<", 1),
		strings.Replace(hour(h0, 5), ">3600<", ">-1<", 1),
		hour(-9_999_999_999, 5),
	}
	for _, reading := range bad {
		if _, _, err := codebook.Reduce("energy", feed(series(1, wh, reading))); !errors.Is(err, codebook.ErrBadValue) {
			t.Errorf("%s: %v", reading, err)
		}
	}
	huge := "<e:powerOfTenMultiplier>99</e:powerOfTenMultiplier>" + wh
	if _, _, err := codebook.Reduce("energy", feed(series(1, huge, hour(h0, 5)))); !errors.Is(err, codebook.ErrUnknownUnit) {
		t.Error(err)
	}
}

package chart

import (
	"testing"
	"time"
)

func at(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC).UnixMilli()
}

func TestTwelveMonthsEndWithThisOne(t *testing.T) {
	now := time.Date(2026, time.March, 31, 23, 0, 0, 0, time.UTC)
	c := Months(now, []int64{at(2026, time.March, 1), at(2026, time.March, 30), at(2025, time.April, 2), at(2025, time.March, 31)},
		[]int64{at(2025, time.December, 24)})
	if len(c.Months) != 12 || c.Months[0].Name != "April 2025" || c.Months[11].Name != "March 2026" {
		t.Fatalf("from %s to %s in %d", c.Months[0].Name, c.Months[11].Name, len(c.Months))
	}
	if c.Months[11].Read != 2 || c.Months[0].Read != 1 || c.Months[8].Refused != 1 || c.Read != 3 || c.Refused != 1 {
		t.Fatalf("counted wrongly, or a month that is too old was counted: %+v", c)
	}
	if c.Empty() || !Months(now, nil, []int64{at(2024, time.May, 1)}).Empty() {
		t.Fatal("a chart is empty exactly if nothing happened in its months")
	}
}

// A bar that sticks out of the picture, or two that overlap, would lie.
func TestBarsHaveOneScaleAndStayInThePicture(t *testing.T) {
	now := time.Date(2026, time.July, 4, 0, 0, 0, 0, time.UTC)
	for _, most := range []int{1, 2, 3, 7, 10, 39, 41, 999} {
		var moments []int64
		for range most {
			moments = append(moments, at(2026, time.July, 1))
		}
		c := Months(now, moments, moments[:(most+1)/2])
		last := c.Months[11]
		if last.Yes.H <= 0 || last.Yes.Y < top || last.Yes.Y+last.Yes.H != floor || last.No.X+last.No.W > width || last.No.X < last.Yes.X+last.Yes.W {
			t.Errorf("%d: %+v", most, last)
		}
		if c.Scale[0].Value != 0 || c.Scale[1].Value < most || c.Scale[1].Y != top {
			t.Errorf("%d: the scale is %+v", most, c.Scale)
		}
		if c.Months[5].Yes.H != 0 {
			t.Errorf("%d: a month without anything has a bar", most)
		}
	}
}

package journey

import (
	"math"
	"testing"
)

// haversine is what everybody else computes, in floating point.
func haversine(p, q point) float64 {
	rad := func(e7 int32) float64 { return float64(e7) / 1e7 * math.Pi / 180 }
	lat, lng := rad(q.lat)-rad(p.lat), rad(q.lng)-rad(p.lng)
	h := math.Pow(math.Sin(lat/2), 2) + math.Cos(rad(p.lat))*math.Cos(rad(q.lat))*math.Pow(math.Sin(lng/2), 2)
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(h)))
}

func TestDistancesAgreeWithFloatingPoint(t *testing.T) {
	places := []point{{0, 0}, {524000000, 48000000}, {-338700000, 1512100000}, {900000000, 0}, {-900000000, 5}, {0, 1799999999}, {1, -1799999999},
		{376955289, -1219287261}, {-376955289, 580712739}, {524000000, 48010000}, {524009000, 48000000}, {529000000, 48000000}, {400000000, -740000000}, {10, 20}}
	for _, p := range places {
		for _, q := range places {
			got, want := float64(metres(p, q)), haversine(p, q)
			if math.Abs(got-want) > 2+want/8000 {
				t.Errorf("%v to %v: %.0f m, want %.1f", p, q, got, want)
			}
		}
	}
}

package trial

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Figure is one gate: what came out, what it is held to, and over how much.
// Goal is "reported" where nothing is promised.
type Figure struct {
	Name    string
	Value   float64
	Unit    string
	Goal    string
	Anchor  string // what was played, and what the goal comes from
	Samples int
	OK      bool
	Skipped string // why there is no value
}

// AtMost holds a figure to a most.
func AtMost(goal float64, f Figure) Figure {
	f.Goal, f.OK = fmt.Sprintf("<= %.4g", goal), f.Value <= goal
	return f
}

// AtLeast holds a figure to a least.
func AtLeast(goal float64, f Figure) Figure {
	f.Goal, f.OK = fmt.Sprintf(">= %.4g", goal), f.Value >= goal
	return f
}

// Near holds a figure to what theory says, on both sides: a bench in which
// nothing happens must not pass.
func Near(theory, tolerance float64, f Figure) Figure {
	f.Goal, f.OK = fmt.Sprintf("%.4g ± %.4g", theory, tolerance), math.Abs(f.Value-theory) <= tolerance
	return f
}

// Reported promises nothing.
func Reported(f Figure) Figure {
	f.Goal, f.OK = "reported", true
	return f
}

// None is a count that has to be nothing.
func None(name string, count, samples int, anchor string) Figure {
	f := Figure{Name: name, Value: float64(count), Unit: "count", Samples: samples, Anchor: anchor}
	f.Goal, f.OK = "== 0", count == 0 && samples > 0
	return f
}

// Every plays n periods, as many at once as there are processors, and returns
// their results in order, so that no figure depends on which came first.
func Every[T any](ctx context.Context, n int, play func(i int) (T, error)) ([]T, error) {
	out := make([]T, n)
	var next atomic.Int64
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				v, err := play(i)
				if err != nil {
					once.Do(func() { failed = fmt.Errorf("period %d: %w", i, err) })
					next.Add(int64(n))
					return
				}
				out[i] = v
			}
		})
	}
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return out, failed
}

// Mean is 0 for nobody.
func Mean(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// deviation is the standard error of the mean.
func deviation(list []float64) float64 {
	if len(list) < 2 {
		return 0
	}
	m, sum := Mean(list), 0.0
	for _, v := range list {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum/float64(len(list)-1)) / math.Sqrt(float64(len(list)))
}

// Quantile is the smallest value that a part q of the list does not exceed.
func Quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return s[min(len(s)-1, max(0, int(math.Ceil(q*float64(len(s))))-1))]
}

// wilson is the 95 % interval of a proportion.
func wilson(k, n int) (lo, hi float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	mid, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return (mid - half) / (1 + z*z/m), (mid + half) / (1 + z*z/m)
}

func flat[T any](lists [][]T) []T { return slices.Concat(lists...) }

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

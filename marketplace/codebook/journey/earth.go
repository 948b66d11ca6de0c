package journey

import "math/bits"

// The Earth as a sphere: its mean radius in metres, and the unit of fixed
// point numbers. Floating point may differ between processors in the last
// digit, which would make one history two tables.
const (
	radius = 6_371_009
	one    = 1_000_000_000
	halfPi = 1_570_796_327
)

func times(a, b int64) int64 { return a * b / one }

// sine of an angle between -90 and 90 degrees, in fixed point, by its series.
func sine(x int64) int64 {
	square, term, sum := times(x, x), x, x
	for n := int64(2); n < 16; n += 2 {
		term = -times(term, square) / (n * (n + 1))
		sum += term
	}
	return sum
}

// angle turns ten-millionths of a degree into radians.
func angle(e7 int32) int64 { return int64(e7) * 1_745_329_252 / one }

// vector is the point on the unit sphere.
func (p point) vector() (v [3]int64) {
	lat, lng := angle(p.lat), angle(p.lng)
	across := sine(halfPi - max(lat, -lat)) // the cosine
	v[0], v[1], v[2] = times(across, cosine(lng)), times(across, turned(lng)), sine(lat)
	return v
}

// cosine and turned are cosine and sine of any angle up to 180 degrees.
func cosine(x int64) int64 { return sine(halfPi - max(x, -x)) }

func turned(x int64) int64 {
	switch {
	case x > halfPi:
		x = 2*halfPi - x
	case x < -halfPi:
		x = -2*halfPi - x
	}
	return sine(x)
}

// metres between two points along a great circle.
func metres(p, q point) int64 {
	if p == q {
		return 0
	}
	a, b := p.vector(), q.vector()
	chord := int64(0) // squared
	for i := range a {
		chord += times(a[i]-b[i], a[i]-b[i])
	}
	if chord < one/10_000 { // nearer than 64 km: the squares above are too coarse
		return near(a, b)
	}
	// Halving the angle twice makes the series of the arc short.
	for range 2 {
		chord = 2*one - root(4*one-min(chord, 4*one))
	}
	fourth := times(chord, chord)
	series := one + chord/24 + 3*fourth/640 + 5*times(fourth, chord)/7168
	return 4 * times(root(chord), series) / 1000 * radius / (one / 1000)
}

// near is the chord itself, which is short of the arc by centimetres.
func near(a, b [3]int64) int64 {
	sum := int64(0)
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return wholeRoot(sum) * radius / one
}

// root is the square root of a fixed point number up to four.
func root(x int64) int64 { return wholeRoot(x * one) }

// wholeRoot rounds down, by Newton's method.
func wholeRoot(x int64) int64 {
	if x <= 1 {
		return max(x, 0)
	}
	r := int64(1) << ((bits.Len64(uint64(x)) + 1) / 2)
	for next := (r + x/r) / 2; next < r; next = (r + x/r) / 2 {
		r = next
	}
	return r
}

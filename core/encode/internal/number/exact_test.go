package number

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestExactDigits(t *testing.T) {
	values := []float64{0, 1, 0.5, 2.5, 3.5, 0.1, 0.125, 1e-5, 9.5, 99.5, 999999.5, 9.9999995, 1e15, 1e16, 1e17, 1e18, 1e19, 1e22, 1e23, 123456, 1234567,
		100, 100000, 1000000, 0.0001, 0.00001, 5e-324, math.MaxFloat64, 2.2250738585072014e-308, 1 << 62, 1 << 63, 1 << 64, 9.999999999999999e22}
	r := rand.New(rand.NewPCG(5, 6))
	for range 200_000 {
		values = append(values, math.Float64frombits(r.Uint64()>>1), r.NormFloat64(), float64(r.IntN(1e6))/100, float64(r.Int64()))
	}
	for v := range 10_100 {
		values = append(values, float64(v))
	}
	slow := 0
	for _, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		if r.IntN(2) == 0 {
			x = -x
		}
		digits := r.IntN(36)
		if got, want := string(AppendExponent(nil, x, digits, &Python)), strconv.FormatFloat(x, 'e', digits, 64); got != want {
			t.Fatalf("%%.%de of %v: %s, not %s", digits, x, got, want)
		}
		if got, want := string(AppendGeneral(nil, x, digits, &Python)), strconv.FormatFloat(x, 'g', max(digits, 1), 64); got != want {
			t.Fatalf("%%.%dg of %v: %s, not %s", digits, x, got, want)
		}
		if _, _, ok := exactDigits(math.Abs(x), min(digits, maxExact-1)+1); !ok {
			slow++
		}
	}
	if slow > len(values)/20 {
		t.Errorf("%d of %d took the slow way", slow, len(values))
	}
}

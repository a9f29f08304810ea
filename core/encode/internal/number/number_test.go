package number

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// reference prints x with the shortest digits for its width in notation n.
func reference(x float64, width int, n Notation) string {
	switch {
	case math.IsNaN(x):
		return n.NaN
	case math.IsInf(x, 1):
		return n.Inf
	case math.IsInf(x, -1):
		return "-" + n.Inf
	}
	s := strconv.FormatFloat(x, 'e', -1, 64)
	if width < 64 && x != 0 {
		s = search(x, width)
	}
	mantissa, exponent, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(exponent)
	if point := exp + 1; x == 0 || point > n.Low && point <= n.High && math.Abs(x) >= n.Least {
		short, _ := strconv.ParseFloat(s, 64)
		s = strconv.FormatFloat(short, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	sign := "-"
	if exp >= 0 {
		sign = ""
		if n.Plus {
			sign = "+"
		}
	}
	exponent = strconv.Itoa(max(exp, -exp))
	for len(exponent) < n.ExponentDigits {
		exponent = "0" + exponent
	}
	return mantissa + "e" + sign + exponent
}

// search finds the shortest decimal that reads back as the narrow float x, the
// nearest of several, by trying. (strconv rounds a float32 that lies half-way
// between two of them up instead of to even, which no other library does.)
func search(x float64, width int) string {
	if x < 0 {
		return "-" + search(-x, width)
	}
	for digits := 0; ; digits++ {
		middle := strconv.FormatFloat(x, 'e', digits, 64)
		_, exp, _ := strings.Cut(middle, "e")
		unit, _ := strconv.Atoi(exp)
		step, _ := strconv.ParseFloat("1e"+strconv.Itoa(unit-digits), 64)
		v, _ := strconv.ParseFloat(middle, 64)
		for _, d := range []float64{v, v - step, v + step} {
			s := strconv.FormatFloat(d, 'e', digits, 64)
			back, _ := strconv.ParseFloat(s, 64)
			if width == 32 && float64(float32(back)) == x || width == 16 && Float16(nearestHalf(back)) == x {
				return strconv.FormatFloat(back, 'e', -1, 64)
			}
		}
	}
}

var notations64 = []Notation{Python, Polars64(true), Polars64(false)}
var notations32 = []Notation{NumPy(6), NumPy(16), Polars32(true), Polars32(false)}

func check64(t testing.TB, x float64) {
	t.Helper()
	for i := range notations64 {
		n := &notations64[i]
		if got, want := string(AppendFloat64(nil, x, n)), reference(x, 64, *n); got != want {
			t.Fatalf("%#016x (%g), notation %d: got %s, want %s", math.Float64bits(x), x, i, got, want)
		}
	}
}

func check32(t testing.TB, x float32) {
	t.Helper()
	for i := range notations32 {
		n := &notations32[i]
		if got, want := string(AppendFloat32(nil, x, n)), reference(float64(x), 32, *n); got != want {
			t.Fatalf("%#08x (%g), notation %d: got %s, want %s", math.Float32bits(x), x, i, got, want)
		}
	}
}

func TestFloat64RandomBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 2_000_000
	if testing.Short() {
		n = 100_000
	}
	var buf, want []byte
	for range n {
		x := math.Float64frombits(r.Uint64())
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		buf = AppendFloat64(buf[:0], x, &Python)
		if a := math.Abs(x); a >= 1e-4 && a < 1e16 {
			want = strconv.AppendFloat(want[:0], x, 'f', -1, 64)
			if a == math.Trunc(a) {
				want = append(want, ".0"...)
			}
		} else {
			want = strconv.AppendFloat(want[:0], x, 'e', -1, 64)
		}
		if string(buf) != string(want) {
			t.Fatalf("%#016x: got %s, want %s", math.Float64bits(x), buf, want)
		}
	}
}

func TestFloat64Ranges(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		check64(t, r.Float64())
		check64(t, r.NormFloat64()*1e3)
		check64(t, math.Float64frombits(r.Uint64N(1<<52)))                         // subnormal
		check64(t, float64(r.Int64N(1<<53))/100)                                   // hundredths, also large ones
		check64(t, float64(r.Int64N(1e12))/math.Pow10(r.IntN(20)))                 // few digits
		check64(t, math.Ldexp(1, r.IntN(2098)-1074))                               // powers of two
		check64(t, math.Nextafter(math.Pow10(r.IntN(600)-300), 1e308*r.Float64())) // beside powers of ten
	}
}

func TestFloat64Boundaries(t *testing.T) {
	for _, x := range []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 0.01, 0.001, 1e-4, 9.999999999999999e-5, 1e-5, 1.2e-5, 1e-6, 1e-7, 0.005, 0.015,
		1e12, 1e13, 9999999999999.99, 99999999999999.99, 1e15, 1e16, 9999999999999998, 1e17, 1e21, 1e22, 1e23, 9.999999999999999e22,
		9007199254740992, 9007199254740993, 9007199254740994, 1 << 62, 1 << 63, 1 << 64, 5e-324, 1e-323, 2.2250738585072014e-308,
		2.225073858507201e-308, math.MaxFloat64, -math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 0x1p-44, 5.684341886080802e-14,
		1.7976931348623157e308, 123456789012345680, 1.5e300, 4.35, 0.3, 2.675, 1.005,
	} {
		check64(t, x)
		check64(t, -x)
	}
	for e := -1074; e < 1024; e++ {
		x := math.Ldexp(1, e)
		check64(t, x)
		check64(t, math.Nextafter(x, 0))
		check64(t, math.Nextafter(x, math.Inf(1)))
	}
	for e := -323; e <= 308; e++ {
		x, _ := strconv.ParseFloat("1e"+strconv.Itoa(e), 64)
		check64(t, x)
		check64(t, math.Nextafter(x, 0))
		check64(t, math.Nextafter(x, math.Inf(1)))
	}
}

func TestFloat32(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 30_000 {
		check32(t, math.Float32frombits(r.Uint32()))
		check32(t, math.Float32frombits(r.Uint32N(1<<23)))
		check32(t, float32(r.Float64()))
	}
	for e := range uint32(256) {
		for _, frac := range []uint32{0, 1, 2, 1<<23 - 2, 1<<23 - 1} {
			check32(t, math.Float32frombits(e<<23|frac))
		}
	}
	for _, x := range []float32{1e-4, 1e-5, 1e-6, 1e7, 9999999, 16777216, 1e13, 1e16, 0.1, 65504} {
		check32(t, x)
		check32(t, -x)
	}
}

// TestFloat16 tries every half-precision number.
func TestFloat16(t *testing.T) {
	n := NumPy(3)
	for half := range uint16(0x7c00) {
		if got, want := string(AppendFloat16(nil, half, &n)), reference(Float16(half), 16, n); got != want {
			t.Fatalf("%#04x: got %s, want %s", half, got, want)
		}
	}
	for half, want := range map[uint16]string{
		0: "0.0", 0x8000: "-0.0", 1: "6e-08", 0x7bff: "6.55e+04", 0xfbff: "-6.55e+04", 0x3c00: "1.0", 0x7c00: "inf", 0xfc00: "-inf", 0x7e00: "nan",
		0x2e66: "0.1", 0x068e: "0.0001",
	} {
		if got := string(AppendFloat16(nil, half, &n)); got != want {
			t.Errorf("%#04x: got %s, want %s", half, got, want)
		}
	}
}

// nearestHalf rounds a positive number to half precision, ties to even.
func nearestHalf(x float64) uint16 {
	lo, hi := uint16(0), uint16(0x7c00)
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; Float16(mid) <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	below, above := x-Float16(lo), Float16(hi)-x
	if hi == 0x7c00 {
		above = 65536 - x
	}
	if above < below || above == below && lo&1 != 0 {
		return hi
	}
	return lo
}

func TestFixed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	check := func(x float64, decimals int) {
		t.Helper()
		got, want := string(AppendFixed(nil, x, decimals, &Python)), strconv.FormatFloat(x, 'f', decimals, 64)
		if got != want {
			t.Fatalf("%g with %d decimals: got %s, want %s", x, decimals, got, want)
		}
	}
	for range 200_000 {
		d := r.IntN(22)
		check(math.Float64frombits(r.Uint64N(0x7ff<<52)), d)
		check(r.NormFloat64()*math.Pow10(r.IntN(30)-12), d)
		check(float64(r.IntN(1<<20))/float64(int(1)<<r.IntN(20)), d) // ties
		check(-float64(r.Int64()), d)
	}
	for _, x := range []float64{0, math.Copysign(0, -1), 0.5, 1.5, 2.5, 0.125, 0.375, 1 << 53, 1 << 61, 1 << 62, 1 << 63, 5e-324, math.MaxFloat64, 0.05, 99.995} {
		for d := range 25 {
			check(x, d)
		}
	}
}

func TestIntegers(t *testing.T) {
	check := func(v uint64) {
		if got, want := string(AppendUint(nil, v)), strconv.FormatUint(v, 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if got, want := string(AppendInt(nil, int64(v))), strconv.FormatInt(int64(v), 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	r := rand.New(rand.NewPCG(9, 10))
	for range 500_000 {
		check(r.Uint64() >> r.IntN(64))
	}
	for p := range pow10 {
		check(pow10[p])
		check(pow10[p] - 1)
		check(-pow10[p])
	}
	check(math.MaxUint64)
	check(1 << 63)
	if got := string(AppendPadded(nil, 7, 3)); got != "007" {
		t.Errorf("got %s", got)
	}
}

// TestPowers recomputes the table: hi<<64 - lo is 10**p scaled to 128 bits,
// rounded up.
func TestPowers(t *testing.T) {
	for p := minPower; p <= maxPower; p++ {
		e := powers[p-minPower]
		got := new(big.Int).Lsh(new(big.Int).SetUint64(e.hi), 64)
		got.Sub(got, new(big.Int).SetUint64(e.lo))
		if e.hi == 0 {
			got.SetBit(got, 128, 1)
		}
		want, _ := new(big.Float).SetPrec(2000).SetString("1e" + strconv.Itoa(p))
		want.SetMantExp(want, 128-want.MantExp(nil))
		up, acc := want.Int(nil)
		if acc != big.Exact && p < 0 || p > 55 && !want.IsInt() {
			up.Add(up, big.NewInt(1))
		}
		if got.Cmp(up) != 0 || got.BitLen() != 128 {
			t.Errorf("10**%d: got %x, want %x", p, got, up)
		}
	}
}

func FuzzFloat(f *testing.F) {
	for _, x := range []float64{0, 1, 0.1, 1e16, 5e-324, 123.45, 1e-5} {
		f.Add(math.Float64bits(x), uint8(2))
	}
	f.Fuzz(func(t *testing.T, bits uint64, decimals uint8) {
		x := math.Float64frombits(bits)
		check64(t, x)
		check32(t, math.Float32frombits(uint32(bits)))
		if x-x == 0 {
			d := int(decimals % 30)
			if got, want := string(AppendFixed(nil, x, d, &Python)), strconv.FormatFloat(x, 'f', d, 64); got != want {
				t.Fatalf("%g with %d decimals: got %s, want %s", x, d, got, want)
			}
		}
	})
}

func BenchmarkFloat64(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	random, cents, normal := make([]float64, 4096), make([]float64, 4096), make([]float64, 4096)
	for i := range random {
		random[i], cents[i], normal[i] = r.Float64(), math.Round(r.Float64()*1e5)/100, 100+15*r.NormFloat64()
	}
	for _, c := range []struct {
		name   string
		values []float64
	}{{"random", random}, {"cents", cents}, {"normal", normal}} {
		b.Run(c.name, func(b *testing.B) {
			buf := make([]byte, 0, 64)
			for i := range b.N {
				buf = AppendFloat64(buf[:0], c.values[i&4095], &Python)
			}
		})
		b.Run(c.name+"/strconv", func(b *testing.B) {
			buf := make([]byte, 0, 64)
			for i := range b.N {
				buf = strconv.AppendFloat(buf[:0], c.values[i&4095], 'f', -1, 64)
			}
		})
	}
}

func TestAppendFraction(t *testing.T) {
	for digits := 1; digits <= 16; digits++ {
		for _, v := range []uint64{0, 1, 5, 9, 10, 99, 100, 12345678, 123456789, 120000000, 9999999999999999, 1200000000000000} {
			if v >= pow10[digits] {
				continue
			}
			want := strings.TrimRight(fmt.Sprintf(".%0*d", digits, v), "0")
			if want == "." {
				want = ".0"
			}
			if got := string(AppendFraction([]byte("7"), v, digits)); got != "7"+want {
				t.Errorf("%d with %d digits: %s, not 7%s", v, digits, got, want)
			}
		}
	}
}

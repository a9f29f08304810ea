package number

import (
	"math"
	"math/bits"
	"strconv"
)

// AppendFixed appends x with the given number of decimals, as C's "%.*f" does:
// the exact binary value, rounded half to even. It writes NaN and infinities as
// n does.
func AppendFixed(b []byte, x float64, decimals int, n *Notation) []byte {
	abs := math.Abs(x)
	if !(abs <= math.MaxFloat64) {
		return n.appendSpecial(b, x)
	}
	if units, ok := fixedUnits(abs, decimals); ok {
		if math.Signbit(x) {
			b = append(b, '-')
		}
		if decimals == 0 {
			return AppendUint(b, units)
		}
		if decimals < 8 && units < 1e8 {
			return appendPoint(b, units, decimals)
		}
		whole := units / pow10[decimals]
		b = append(AppendUint(b, whole), '.')
		return AppendPadded(b, units-whole*pow10[decimals], decimals)
	}
	return strconv.AppendFloat(b, x, 'f', decimals, 64)
}

// fixedUnits returns x * 10**decimals rounded half to even, if that can be
// computed in 128 bits.
func fixedUnits(x float64, decimals int) (uint64, bool) {
	if decimals >= len(pow10) || x >= 1<<62 {
		return 0, false
	}
	b := math.Float64bits(x)
	m, e := b&(1<<52-1)|1<<52, int(b>>52)-1075 // x = m * 2**e
	if b>>52 == 0 {
		m, e = m&^(1<<52), -1074
	}
	hi, lo := bits.Mul64(m, pow10[decimals])
	switch {
	case e >= 0: // less than 2**10
		if hi != 0 || bits.Len64(lo)+e > 64 {
			return 0, false
		}
		return lo << e, true
	case e > -64:
		s := uint(-e)
		if hi>>s != 0 {
			return 0, false
		}
		u, cut := hi<<(64-s)|lo>>s, lo<<(64-s)
		if cut > 1<<63 || cut == 1<<63 && u&1 != 0 {
			u++
			return u, u != 0
		}
		return u, true
	case e > -128:
		s := uint(-e - 64)
		u, cut, more := hi>>s, hi<<(64-s)|lo>>s, lo<<(64-s) // a shift by 64 gives 0
		if cut > 1<<63 || cut == 1<<63 && (more != 0 || u&1 != 0) {
			u++
		}
		return u, true
	}
	return 0, false
}

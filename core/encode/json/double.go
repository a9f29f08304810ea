package json

import (
	"math"

	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

var pow10 = [maxPrecision + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// appendDouble appends x as pandas' C encoder does, with at most so many decimals: the
// fraction is scaled by a power of ten and rounded as a float, so that the last
// decimals of large numbers may be off. What is too large or too small for that is
// written as C's "%.*g". (Buffer_AppendDoubleUnchecked in pandas' ujson.)
func appendDouble(b []byte, x float64, precision int) []byte {
	const tooLarge, tooSmall = 1e16, 1e-15 // in C 1e16 - 1, which is the same
	abs := math.Abs(x)
	switch {
	case !(abs <= math.MaxFloat64):
		return append(b, null...)
	case abs > tooLarge || abs < tooSmall && abs != 0:
		return number.AppendGeneral(b, x, precision, &number.Python)
	}
	if x < 0 { // not for -0.0
		b = append(b, '-')
	}
	// Conversions of signed integers are one instruction.
	unit := pow10[precision]
	whole := int64(abs)
	scaled := float64((abs - float64(whole)) * unit) // not fused with what follows
	fraction := int64(scaled)
	rest := scaled - float64(fraction)
	fraction += int64(math.Float64bits(0.5-rest) >> 63) // 1 if rest > 0.5: a branch would often go wrong
	if rest == 0.5 && (fraction == 0 || fraction&1 != 0) {
		fraction++
	}
	if float64(fraction) >= unit {
		fraction = 0
		whole++
	}
	if precision == 0 {
		if rest := abs - float64(whole); rest > 0.5 || rest == 0.5 && whole&1 != 0 {
			whole++
		}
		return number.AppendUint(b, uint64(whole))
	}
	if whole < 10 {
		b = append(b, byte('0'+whole))
	} else {
		b = number.AppendUint(b, uint64(whole))
	}
	return number.AppendFraction(b, uint64(fraction), precision)
}

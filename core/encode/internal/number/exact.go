package number

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// maxExact is how many digits exactDigits can give: those that fit 64 bits.
const maxExact = 19

// AppendExponent appends x with the given number of decimals and an exponent of
// at least two digits, as C's "%.*e" does: the exact binary value, rounded half to
// even. It writes NaN and infinities as n does.
func AppendExponent(b []byte, x float64, decimals int, n *Notation) []byte {
	abs := math.Abs(x)
	if whole := int64(abs); whole < int64(len(small)) && float64(whole) == abs && decimals >= 3 && decimals < 32 {
		return appendWholeExponent(b, whole, math.Float64bits(x)>>63, decimals)
	}
	if !(abs <= math.MaxFloat64) {
		return n.appendSpecial(b, x)
	}
	d, exp, ok := exactDigits(abs, decimals+1)
	if !ok {
		return strconv.AppendFloat(b, x, 'e', decimals, 64)
	}
	if math.Signbit(x) {
		b = append(b, '-')
	}
	return appendExponential(b, d, decimals+1, exp)
}

// appendWholeExponent is AppendExponent for a number below 10,000 with 3 to 31
// decimals. negative is 1 or 0.
func appendWholeExponent(b []byte, v int64, negative uint64, decimals int) []byte {
	if cap(b)-len(b) < maxFloat {
		b = slices.Grow(b, maxFloat)
	}
	at := len(b)
	b[:at+1][at] = '-'
	at += int(negative)
	digits := small[v]
	n := smallLength(digits)
	w := uint64(digits) | zeros<<(8*uint(n)&63)
	out := (*[40]byte)(b[at : at+40])
	binary.LittleEndian.PutUint64(out[:], w&0xff|'.'<<8|w>>8<<16)
	for i := 8; i < decimals+2; i += 8 {
		binary.LittleEndian.PutUint64(out[i:i+8], zeros)
	}
	binary.LittleEndian.PutUint32(out[decimals+2:], 'e'|'+'<<8|'0'<<16|uint32('0'+n-1)<<24)
	return b[:at+decimals+6]
}

// AppendGeneral appends x with at most the given number of digits, as C's "%.*g"
// does: with an exponent if that is less than -4 or not less than digits, and without
// zeros at the end.
func AppendGeneral(b []byte, x float64, digits int, n *Notation) []byte {
	abs := math.Abs(x)
	if !(abs <= math.MaxFloat64) {
		return n.appendSpecial(b, x)
	}
	digits = max(digits, 1)
	d, exp, ok := exactDigits(abs, digits)
	if !ok {
		return strconv.AppendFloat(b, x, 'g', digits, 64)
	}
	if math.Signbit(x) {
		b = append(b, '-')
	}
	if d == 0 {
		return append(b, '0')
	}
	scientific := exp < -4 || exp >= digits
	least := 1 // digits that have to stay
	if !scientific && exp > 0 {
		least = exp + 1
	}
	for digits > least && d%10 == 0 {
		d, digits = d/10, digits-1
	}
	switch {
	case scientific:
		return appendExponential(b, d, digits, exp)
	case exp < 0:
		b = append(b, "0.000"[:1-exp]...)
		return AppendPadded(b, d, digits)
	case exp+1 == digits:
		return AppendUint(b, d)
	}
	unit := pow10[digits-1-exp]
	whole := d / unit
	return AppendPadded(append(AppendUint(b, whole), '.'), d-whole*unit, digits-1-exp)
}

// appendExponential appends d, which has so many digits, as the digits of a number
// that begins at 10**exp.
func appendExponential(b []byte, d uint64, digits, exp int) []byte {
	at := len(b)
	if digits == maxExact { // numpy.savetxt's format
		if cap(b)-at < maxFloat {
			b = slices.Grow(b, maxFloat)
		}
		top := d / 1e16
		d -= top * 1e16
		middle := d / 1e8
		first := top / 100
		top -= first * 100
		out := (*[20]byte)(b[at : at+20])
		out[0], out[1], out[2], out[3] = byte('0'+first), '.', pairs[2*top], pairs[2*top+1]
		binary.LittleEndian.PutUint64(out[4:], eightDigits(middle))
		binary.LittleEndian.PutUint64(out[12:], eightDigits(d-middle*1e8))
		return appendExponent(b[:at+20], exp)
	}
	b = append(b, 0) // for the point to come to stand behind the first digit
	if digits > 16 {
		top := d / 1e16
		b, d = AppendPadded(b, top, digits-16), d-top*1e16
		digits = 16
	}
	if digits > 8 {
		top := d / 1e8
		b, d = AppendPadded(b, top, digits-8), d-top*1e8
		digits = 8
	}
	b = AppendPadded(b, d, digits)
	b[at] = b[at+1]
	if len(b) == at+2 {
		b = b[:at+1]
	} else {
		b[at+1] = '.'
	}
	return appendExponent(b, exp)
}

func appendExponent(b []byte, exp int) []byte {
	if exp < 0 {
		exp = -exp
		b = append(b, 'e', '-')
	} else {
		b = append(b, 'e', '+')
	}
	if exp < 100 {
		return append(b, pairs[2*exp], pairs[2*exp+1])
	}
	return AppendUint(b, uint64(exp))
}

// exactDigits returns the first digits of x, rounded half to even, as an integer of
// so many digits, and the exponent of the first one. It fails where 128 bits of a
// power of ten do not tell which way to round.
func exactDigits(x float64, digits int) (d uint64, exp int, ok bool) {
	if digits > maxExact {
		return 0, 0, false
	}
	if x == 0 {
		return 0, 0, true
	}
	frac, biased := mantissa64(x)
	m, e := frac|1<<63, biased-1+least64
	if biased == 0 {
		s := bits.LeadingZeros64(frac)
		m, e = frac<<s, least64-s
	}
	// x = m * 2**e; the power of ten that its first digit stands for, or one less.
	exp = ((e + 63) * 78913) >> 18
	for {
		p := digits - 1 - exp
		if p < minPower || p > maxPower {
			return 0, 0, false
		}
		var fraction uint64
		d, fraction, ok = scaleExact(m, e, p)
		if !ok {
			return 0, 0, false
		}
		if d >= pow10[digits] || digits == maxExact && d >= 1e19 {
			exp++
			continue
		}
		if d < pow10[digits-1] {
			return 0, 0, false // does not happen, as exp is not too large
		}
		if away := fraction - 1<<63 + 8; away <= 16 {
			return 0, 0, false
		}
		if d += fraction >> 63; d == pow10[digits] {
			d, exp = d/10, exp+1
		}
		return d, exp, true
	}
}

// scaleExact returns m * 2**e * 10**p, its whole part and its fraction in units of
// 2**-64, a few of which may be missing.
func scaleExact(m uint64, e, p int) (whole, fraction uint64, ok bool) {
	pow := &powers[p-minPower]
	// m * (hi<<64 - lo), of which the lowest word is left out.
	h2, h1 := bits.Mul64(m, pow.hi)
	below, rest := bits.Mul64(m, pow.lo)
	if rest != 0 {
		below++
	}
	h1, borrow := bits.Sub64(h1, below, 0)
	h2 -= borrow

	shift := 63 - e - (p*108853)>>15 // of the two words
	switch {
	case shift < 64:
		if shift <= 0 || h2>>shift != 0 {
			return math.MaxUint64, 0, true // more than 64 bits
		}
		return h2<<(64-shift) | h1>>shift, h1 << (64 - shift), true
	case shift < 128:
		return h2 >> (shift - 64), h2<<(128-shift) | h1>>(shift-64), true
	}
	return 0, 0, false
}

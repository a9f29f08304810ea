package number

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Notation says how a library writes floats of one width. A number is written
// 0.d₁d₂d₃... * 10**point with the shortest digits that read back as it.
type Notation struct {
	// Without exponent, and with a digit on both sides of the decimal point, are
	// written the numbers with Low < point <= High.
	Low, High int
	// Least, if not 0, is the smallest magnitude so written. It matters for
	// narrow floats whose digits round up across a power of ten.
	Least float64
	// Plus writes the sign of an exponent that is not negative.
	Plus bool
	// ExponentDigits is the least number of digits of an exponent, 1 or 2.
	ExponentDigits int
	// NaN and Inf are written for what is no number, the latter with its sign unless
	// Unsigned is set.
	NaN, Inf string
	Unsigned bool
}

// Python is the notation of Python's repr and str, and of NumPy for float64.
var Python = Notation{Low: -4, High: 16, Plus: true, ExponentDigits: 2, NaN: "nan", Inf: "inf"}

// NumPy returns NumPy's notation for a float32 or float16, which changes to an
// exponent at 10**high: 16 up to NumPy 2.3, less since.
func NumPy(high int) Notation {
	n := Python
	n.High, n.Least = high, 1e-4
	return n
}

// Polars64 returns polars' notation for a float64, Polars32 that for narrower
// ones. plus says whether exponents carry a plus sign, as they do since polars
// changed from the Rust crate ryu to zmij.
func Polars64(plus bool) Notation {
	return Notation{Low: -5, High: 16, Plus: plus, ExponentDigits: 1, NaN: "NaN", Inf: "inf"}
}

// Polars32 is described at [Polars64].
func Polars32(plus bool) Notation {
	return Notation{Low: -6, High: 13, Plus: plus, ExponentDigits: 1, NaN: "NaN", Inf: "inf"}
}

// maxFloat is room for any float in any notation, and for the whole words that
// are stored at its end: sign, "0.00000" and 17 digits make 25.
const maxFloat = 48

// AppendFloat64 appends x.
func AppendFloat64(b []byte, x float64, n *Notation) []byte {
	abs := math.Abs(x)
	if whole := int64(abs); whole < int64(len(small)) && float64(whole) == abs {
		return appendWhole(b, whole, math.Float64bits(x)>>63)
	}
	if cents := abs * 100; cents < 1e15 {
		// Prices, percentages and whole numbers: if x is the float nearest to a
		// decimal of at most 15 digits, that is the shortest one, for no two such
		// decimals share a float. (Conversions of signed integers are one
		// instruction.)
		if c := int64(cents + 0.5); float64(c)/100 == abs {
			return appendHundredths(b, uint64(c), math.Signbit(x))
		}
	} else if !(abs <= math.MaxFloat64) {
		return n.appendSpecial(b, x)
	}
	return AppendLong64(b, x, n)
}

// appendWhole appends a number below 10,000 with ".0" behind it. negative is 1 or 0.
func appendWhole(b []byte, v int64, negative uint64) []byte {
	if cap(b)-len(b) < 9 {
		b = slices.Grow(b, 9)
	}
	digits := small[v]
	n := smallLength(digits)
	const pointZero = '.' | '0'<<8
	return appendSigned(b, uint64(digits)|pointZero<<(8*uint(n)&63), n+2, negative)
}

// appendSigned appends the first n bytes of a little-endian word, after a sign if
// negative is 1 and not 0. b has room for nine bytes.
func appendSigned(b []byte, w uint64, n int, negative uint64) []byte {
	at := len(b)
	out := (*[9]byte)(b[at : at+9])
	out[0] = '-'
	binary.LittleEndian.PutUint64(out[negative:negative+8], w)
	return b[:at+int(negative)+n]
}

// AppendLong64 is AppendFloat64, faster for numbers with many digits and slower for
// those with two decimals. The digits of random numbers make a processor guess
// wrong at each branch they decide, so that there are none on the way of numbers
// of common size.
func AppendLong64(b []byte, x float64, n *Notation) []byte {
	frac, biased := mantissa64(x)
	if frac == 0 || uint(biased-1) >= 1<<11-2 { // a power of two, 0, subnormal, infinite, NaN
		return n.appendRare(b, x)
	}
	d, exp := shortestNormal64(frac, biased)
	all, point := d*10, exp+16 // 17 digits, left-aligned
	if d >= 1e16 {
		all, point = d, exp+17
	}
	scientific := point <= n.Low || point > n.High
	if d < 1e15 || !scientific && (point > 7 || point < -5) {
		return n.append(b, trimZeros(decimal{d, exp}), 1, x < 0)
	}
	head := all / 1e9
	rest := all - head*1e9
	middle := rest / 10
	first, second, last := eightDigits(head), eightDigits(middle), rest-middle*10

	// How many digits there are before the zeros at the end.
	digits := 8 + (bits.Len64(second^zeros)+7)/8
	if last != 0 {
		digits = 17
	}
	if digits == 8 {
		return n.append(b, trimZeros(decimal{d, exp}), 1, x < 0)
	}

	if cap(b)-len(b) < 2*maxFloat {
		b = slices.Grow(b, 2*maxFloat)
	}
	at := len(b)
	b[:at+1][at] = '-'
	at += int(math.Float64bits(x) >> 63)
	if scientific {
		return n.appendScientific(b[:at], first, second, byte('0'+last), digits, point-1)
	}
	out := (*[maxFloat - 1]byte)(b[at : at+maxFloat-1])

	// After the start, "0.000" or nothing, come the digits, with a decimal point
	// before the one whose number is point. It moves those behind it by one place.
	start, moved := uint(0), uint(1)
	if point <= 0 {
		start, moved = uint(2-point)&7, 0
	}
	shift := uint(point) * 8
	if point <= 0 {
		shift = 64 // no point to insert: shifts by 64 give 0
	}
	whole := uint64(1)<<shift - 1
	binary.LittleEndian.PutUint64(out[:], zeroPoint)
	binary.LittleEndian.PutUint64(out[start:start+8], first&whole|'.'<<shift|first&^whole<<8)
	out[start+8] = byte(first >> 56)
	binary.LittleEndian.PutUint64(out[start+8+moved:start+16+moved], second)
	out[start+16+moved] = byte('0' + last)
	return b[:at+int(start+moved)+max(digits, point+1)]
}

const (
	zeros     = 0x3030_3030_3030_3030 // "00000000"
	zeroPoint = 0x3030_3030_3030_2e30 // "0.000000"
)

// appendRare appends what AppendLong64 has no fast way for.
func (n *Notation) appendRare(b []byte, x float64) []byte {
	abs := math.Abs(x)
	switch {
	case !(abs <= math.MaxFloat64):
		return n.appendSpecial(b, x)
	case abs == 0:
		return appendHundredths(b, 0, math.Signbit(x))
	}
	return n.append(b, shortest64(abs), abs, x < 0)
}

// MostlyLong tells whether AppendLong64 is faster than AppendFloat64 for numbers
// of which v is a sample.
func MostlyLong(v []float64) bool {
	long := 0
	for _, x := range v {
		if hundredths := x * 100; hundredths != math.Trunc(hundredths) {
			long++
		}
	}
	return long > len(v)/2
}

// AppendFloat32 appends x.
func AppendFloat32(b []byte, x float32, n *Notation) []byte {
	abs := math.Abs(float64(x))
	switch {
	case abs == 0:
		return appendHundredths(b, 0, math.Signbit(float64(x)))
	case !(abs <= math.MaxFloat32):
		return n.appendSpecial(b, float64(x))
	}
	v := shortest32(float32(abs))
	count := digitCount(v.d)
	point := count + v.exp
	if point <= n.Low || point > min(7, n.High) || point < -5 || abs < n.Least {
		return n.append(b, v, abs, x < 0)
	}
	// Nine digits, left-aligned, in a word and a byte; those past count are 0.
	all := v.d * pow10[9-count]
	head := all / 10
	first, last := eightDigits(head), byte('0'+all-head*10)

	if cap(b)-len(b) < maxFloat {
		b = slices.Grow(b, maxFloat)
	}
	at := len(b)
	b[:at+1][at] = '-'
	at += int(math.Float32bits(x) >> 31)
	out := (*[maxFloat - 1]byte)(b[at : at+maxFloat-1])
	if point <= 0 {
		start := 2 - point
		binary.LittleEndian.PutUint64(out[:], zeroPoint)
		binary.LittleEndian.PutUint64(out[start:start+8], first)
		out[start+8] = last
		return b[:at+start+count]
	}
	shift := uint(point) * 8
	whole := uint64(1)<<shift - 1
	binary.LittleEndian.PutUint64(out[:], first&whole|'.'<<shift|first&^whole<<8)
	out[8], out[9] = byte(first>>56), last
	return b[:at+1+max(count, point+1)]
}

// AppendFloat16 appends the IEEE half-precision number with the given bits.
func AppendFloat16(b []byte, half uint16, n *Notation) []byte {
	x := Float16(half)
	abs := math.Abs(x)
	switch {
	case abs == 0:
		return appendHundredths(b, 0, math.Signbit(x))
	case !(abs <= math.MaxFloat32):
		return n.appendSpecial(b, x)
	}
	return n.append(b, shortest16(half&0x7fff), abs, x < 0)
}

// Float16 returns the value of the IEEE half-precision number with the given bits.
func Float16(half uint16) float64 {
	sign, exp, frac := uint64(half>>15), uint64(half>>10&0x1f), uint64(half&0x3ff)
	switch exp {
	case 0:
		return math.Copysign(float64(frac)*0x1p-24, 0.5-float64(sign))
	case 0x1f:
		exp = 0x7ff
	default:
		exp += 1023 - 15
	}
	return math.Float64frombits(sign<<63 | exp<<52 | frac<<42)
}

func (n *Notation) appendSpecial(b []byte, x float64) []byte {
	switch {
	case math.IsNaN(x):
		return append(b, n.NaN...)
	case x < 0 && !n.Unsigned:
		b = append(b, '-')
	}
	return append(b, n.Inf...)
}

// appendHundredths appends c hundredths with one or two decimals.
func appendHundredths(b []byte, c uint64, negative bool) []byte {
	if c < 100*uint64(len(small)) {
		sign := uint64(0)
		if negative {
			sign = 1
		}
		return appendSmallHundredths(b, c, sign)
	}
	if negative {
		b = append(b, '-')
	}
	if c >= 1e8 {
		whole := c / 100
		b = append(AppendUint(b, whole), '.')
		c -= whole * 100
		b = append(b, pairs[2*c], pairs[2*c+1])
		if b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
		return b
	}
	b = appendPoint(b, c, 2)
	_, zero := bits.Sub64(uint64(b[len(b)-1]), '1', 0) // 1 if the last digit is 0
	return b[:len(b)-int(zero)]
}

// appendSmallHundredths is appendHundredths for numbers below 10,000, whose digits fit
// into one word. negative is 1 or 0.
func appendSmallHundredths(b []byte, c, negative uint64) []byte {
	if cap(b)-len(b) < 9 {
		b = slices.Grow(b, 9)
	}
	whole := c / 100
	cents := c - 100*whole
	tens := cents * 103 >> 10 // of two digits
	ones := cents - 10*tens
	digits := small[whole]
	n := smallLength(digits)
	w := uint64(digits) | ('.'|'0'<<8|'0'<<16|tens<<8|ones<<16)<<(8*uint(n)&63)
	_, zero := bits.Sub64(ones, 1, 0) // 1 if the last digit is 0
	return appendSigned(b, w, n+3-int(zero), negative)
}

// appendPoint appends v, less than 10**8, with a point before its last decimals, of
// which there are 1 to 7: eight digits in one word, moved over the leading zeros,
// and then those behind the point moved away from it.
func appendPoint(b []byte, v uint64, decimals int) []byte {
	w := eightDigits(v)
	before := 8 - decimals
	blank := bits.TrailingZeros64(w&^zeros|1<<(8*(before-1)&63)) / 8
	digits, point := w>>(8*blank), 8*(before-blank)
	whole := uint64(1)<<point - 1
	if cap(b)-len(b) < 9 {
		b = slices.Grow(b, 9)
	}
	at := len(b)
	out := (*[9]byte)(b[at : at+9])
	binary.LittleEndian.PutUint64(out[:], digits&whole|'.'<<point|digits&^whole<<8)
	out[8] = byte(w >> 56)
	return b[:at+9-blank]
}

func (n *Notation) append(b []byte, v decimal, abs float64, negative bool) []byte {
	b = slices.Grow(b, 2*maxFloat)
	at := len(b)
	b[:at+1][at] = '-'
	if negative {
		at++
	}
	b = b[:at]
	out := (*[maxFloat - 1]byte)(b[at : at+maxFloat-1])

	count := digitCount(v.d)
	point := count + v.exp
	// 17 digits, left-aligned, in two words and a byte; those past count are 0.
	all := v.d * pow10[17-count]
	head := all / 1e9
	rest := all - head*1e9
	middle := rest / 10
	first, second, last := eightDigits(head), eightDigits(middle), byte('0'+rest-middle*10)

	if point <= n.Low || point > n.High || abs < n.Least {
		return n.appendScientific(b, first, second, last, count, point-1)
	}
	if point <= 0 {
		copy(out[:], "0.000000")
		putDigits((*[17]byte)(out[2-point:]), first, second, last)
		return b[:at+2-point+count]
	}
	putDigits((*[17]byte)(out[:]), first, second, last)
	if point >= count { // a whole number; point may be up to 16
		out[point], out[point+1] = '.', '0'
		return b[:at+point+2]
	}
	// Move what follows the point by one place.
	tail := (*[24]byte)(out[point:])
	w0 := binary.LittleEndian.Uint64(tail[:])
	w1 := binary.LittleEndian.Uint64(tail[8:])
	tail[17] = tail[16]
	binary.LittleEndian.PutUint64(tail[9:], w1)
	binary.LittleEndian.PutUint64(tail[1:], w0)
	tail[0] = '.'
	return b[:at+count+1]
}

func putDigits(dst *[17]byte, first, second uint64, last byte) {
	binary.LittleEndian.PutUint64(dst[:], first)
	binary.LittleEndian.PutUint64(dst[8:], second)
	dst[16] = last
}

// appendScientific appends the first count of 17 digits, which stand in two words and
// a byte, with an exponent. b has room for it.
func (n *Notation) appendScientific(b []byte, first, second uint64, last byte, count, exp int) []byte {
	at := len(b)
	out := (*[maxFloat]byte)(b[at : at+maxFloat])
	// A point behind the first digit.
	binary.LittleEndian.PutUint64(out[:], first&0xff|'.'<<8|first&^0xff<<8)
	out[8] = byte(first >> 56)
	binary.LittleEndian.PutUint64(out[9:], second)
	out[17] = last
	end := count + 1
	if count == 1 {
		end = 1
	}
	sign := exp >> 63
	negative := uint32(sign & 1)
	signed := negative
	if n.Plus {
		signed = 1
	}
	exp = exp ^ sign - sign
	binary.LittleEndian.PutUint16(out[end:end+2], uint16('e'|signed*('+'+('-'-'+')*negative)<<8))
	end += 1 + int(signed)
	if exp < 10 && n.ExponentDigits > 1 {
		out[end] = '0'
		end++
	}
	digits := small[exp]
	binary.LittleEndian.PutUint32(out[end:end+4], digits)
	return b[:at+end+smallLength(digits)]
}

// eightDigits returns the eight digits of v as the bytes of a little-endian word,
// by dividing halves, quarters and eighths side by side.
func eightDigits(v uint64) uint64 {
	hi := v / 10000
	x := hi | (v-hi*10000)<<32
	q := x * 10486 >> 20 & 0x7f_0000_007f
	x = q | (x-q*100)<<16
	q = x * 103 >> 10 & 0xf_000f_000f_000f
	x = q | (x-q*10)<<8
	return x | zeros
}

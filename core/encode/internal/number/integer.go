package number

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// maxInteger is the longest integer: "-9223372036854775808", "18446744073709551615".
const maxInteger = 20

const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

var pow10 = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// digitCount returns the number of decimal digits of v, 1 for 0.
func digitCount(v uint64) int {
	v |= 1
	n := (bits.Len64(v) * 1233) >> 12 // 1233/4096 is log10(2), near enough for 64 bits
	// One more from pow10[n] on: random numbers often have this branch go wrong.
	_, borrow := bits.Sub64(pow10[n]-1, v, 0)
	return n + int(borrow)
}

// small holds the digits of numbers below 10,000 as bytes of a little-endian word,
// behind which it is 0. They are most of the integers that people write.
var small = func() (t [10_000]uint32) {
	for v := range t {
		w := eightDigits(uint64(v))
		blank := bits.TrailingZeros64(w&^zeros|1<<56) / 8
		t[v] = uint32(w >> (8 * blank))
	}
	return t
}()

// smallLength returns how many digits an entry of small has.
func smallLength(digits uint32) int { return (bits.Len32(digits) + 7) / 8 }

// AppendInt appends v in decimal.
func AppendInt(b []byte, v int64) []byte {
	if cap(b)-len(b) < maxInteger {
		b = slices.Grow(b, maxInteger)
	}
	sign := v >> 63
	abs := uint64(v ^ sign - sign)
	// Which sign comes next nobody can guess: no branch.
	at := len(b)
	b[:at+1][at] = '-'
	b = b[:at+int(uint(-sign)&1)]
	if abs >= uint64(len(small)) {
		return AppendUint(b, abs)
	}
	at = len(b)
	digits := small[abs]
	binary.LittleEndian.PutUint32(b[at:at+4], digits)
	return b[:at+smallLength(digits)]
}

// AppendUint appends v in decimal.
func AppendUint(b []byte, v uint64) []byte {
	if cap(b)-len(b) < maxInteger {
		b = slices.Grow(b, maxInteger)
	}
	if v < 1e8 { // without a branch for each number of digits
		w := eightDigits(v)
		blank := bits.TrailingZeros64(w&^zeros|1<<56) / 8 // leading zeros
		at := len(b)
		binary.LittleEndian.PutUint64(b[at:at+8], w>>(8*blank))
		return b[:at+8-blank]
	}
	if v < 1e16 {
		head := v / 1e8
		b = AppendUint(b, head)
		return appendEight(b, v-head*1e8)
	}
	head := v / 1e16
	v -= head * 1e16
	middle := v / 1e8
	return appendEight(appendEight(AppendUint(b, head), middle), v-middle*1e8)
}

// appendEight appends the eight digits of v.
func appendEight(b []byte, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(b, eightDigits(v))
}

// putUint fills dst with the last len(dst) digits of v.
func putUint(dst []byte, v uint64) {
	i := len(dst)
	for i >= 2 {
		q := v / 100
		r := v - q*100
		v = q
		dst[i-1] = pairs[2*r+1]
		dst[i-2] = pairs[2*r]
		i -= 2
	}
	if i == 1 {
		dst[0] = byte('0' + v%10)
	}
}

// AppendPadded appends the last width digits of v, with leading zeros.
func AppendPadded(b []byte, v uint64, width int) []byte {
	b = slices.Grow(b, max(width, 8))
	at := len(b)
	if width <= 8 && v < 1e8 {
		binary.LittleEndian.PutUint64(b[at:at+8], eightDigits(v)>>(8*(8-width)))
		return b[:at+width]
	}
	b = b[:at+width]
	putUint(b[at:], v)
	return b
}

// AppendFraction appends a point and v, which has so many digits with leading zeros, 1
// to 16, without the zeros at its end, but at least one digit.
func AppendFraction(b []byte, v uint64, digits int) []byte {
	b = slices.Grow(b, 17)
	at := len(b)
	out := (*[17]byte)(b[at : at+17])
	v *= pow10[16-digits]
	head := v / 1e8
	first, second := eightDigits(head), eightDigits(v-head*1e8)
	out[0] = '.'
	binary.LittleEndian.PutUint64(out[1:], first)
	binary.LittleEndian.PutUint64(out[9:], second)
	if second == zeros {
		return b[:at+1+max(1, (bits.Len64(first^zeros)+7)/8)]
	}
	return b[:at+9+(bits.Len64(second^zeros)+7)/8]
}

package number

import (
	"math"
	"math/bits"
)

// power is a power of ten scaled by a power of two so that its first bit is set:
// hi<<64 - lo, rounded up. The difference form lets most products be decided by
// hi alone.
type power struct{ hi, lo uint64 }

const (
	minPower = -348
	maxPower = 347
)

// decimal is d * 10**exp.
type decimal struct {
	d   uint64
	exp int
}

// A kind of float is described by the bits of its 64-bit, left-aligned mantissa
// that it does not have, and by the exponent its smallest numbers have there.
const (
	spare64, least64 = 64 - 53, -1074 - spare64
	spare32, least32 = 64 - 24, -149 - spare32
	spare16, least16 = 64 - 11, -24 - spare16
)

// mantissa64 returns the fraction of x, left-aligned below bit 63, and its biased
// exponent.
func mantissa64(x float64) (frac uint64, biased int) {
	b := math.Float64bits(x)
	return b << (spare64 + 1) >> 1, int(b>>52) & (1<<11 - 1)
}

func shortest64(x float64) decimal {
	frac, biased := mantissa64(x)
	return shortest(frac, biased, spare64, least64)
}

// shortestNormal64 is shortest for a normal float64 that is no power of two. d may
// end in zeros.
func shortestNormal64(frac uint64, biased int) (d uint64, exp int) {
	m, e := frac|1<<63, biased-1+least64
	p := -(((e + spare64) * 78913) >> 18) // log10(2**(e+z))
	const half = 1 << (spare64 - 1)
	odd := m >> spare64 & 1

	pow := &powers[p-minPower]
	shift := uint(-(e + (p*108853)>>15 + 3))
	lowest := (scale(m-half, pow, shift) + odd + 3) >> 2
	highest := (scale(m+half, pow, shift) - odd) >> 2
	u := scale(m, pow, shift)
	d, exp = (u+1+u>>2&1)>>2, -p
	if lowest >= highest {
		d = lowest
	}
	if short := highest / 10; short*10 >= lowest {
		d, exp = short, 1-p
	}
	return d, exp
}

func shortest32(x float32) decimal {
	b := math.Float32bits(x)
	return shortest(uint64(b)<<(spare32+1)>>1, int(b>>23)&(1<<8-1), spare32, least32)
}

func shortest16(b uint16) decimal {
	return shortest(uint64(b)<<(spare16+1)>>1, int(b>>10)&(1<<5-1), spare16, least16)
}

// shortest returns the shortest decimal that rounds to the positive finite float
// with the given fraction (left-aligned below bit 63) and biased exponent.
func shortest(frac uint64, biased int, spare, least int) decimal {
	// The float is m * 2**e. z is the number of zero bits below its last one.
	m, e, z := frac|1<<63, biased-1+least, spare
	if biased == 0 { // subnormal
		s := bits.LeadingZeros64(frac)
		m, e, z = frac<<s, least-s, spare+s
	}

	// Reals that round to the float lie within half a unit on both sides, but a
	// quarter below a power of two, where the floats beneath are twice as dense.
	var p int // 10**p scales the interval to hold between 1 and 10 integers
	below := uint64(1) << (z - 1)
	if m == 1<<63 && biased > 1 {
		p = -(((e+z)*631305 - 261663) >> 21) // log10(3/4 * 2**(e+z))
		below = 1 << (z - 2)
	} else {
		p = -(((e + z) * 78913) >> 18) // log10(2**(e+z))
	}
	odd := m >> z & 1 // the ends belong to the interval if the mantissa is even

	pow := &powers[p-minPower]
	shift := uint(-(e + (p*108853)>>15 + 3))
	lowest := (scale(m-below, pow, shift) + odd + 3) >> 2
	highest := (scale(m+1<<(z-1), pow, shift) - odd) >> 2
	if d := highest / 10; d*10 >= lowest {
		return trimZeros(decimal{d, 1 - p})
	}
	d := lowest
	if d < highest {
		u := scale(m, pow, shift)
		d = (u + 1 + u>>2&1) >> 2
	}
	return decimal{d, -p}
}

// scale returns x * pow >> shift as an integer with two more bits: one half, and
// one that is set if anything was cut off.
func scale(x uint64, pow *power, shift uint) uint64 {
	hi, mid := bits.Mul64(x, pow.hi)
	cut := uint64(1)
	if hi&(1<<(shift&63)-1) == 0 { // hi does not tell: look at the rest
		mid2, _ := bits.Mul64(x, pow.lo)
		cut = 0
		if mid-mid2 > 1 {
			cut = 1
		}
		if mid < mid2 {
			hi--
		}
	}
	return hi>>(shift&63) | cut
}

// Inverses modulo 2**64: x*inverse is x divided exactly, if x is divisible.
const (
	inverse5    = 0xcccccccccccccccd
	inverse25   = inverse5 * inverse5 & math.MaxUint64
	inverse5to4 = inverse25 * inverse25 & math.MaxUint64
	inverse5to8 = inverse5to4 * inverse5to4 & math.MaxUint64
)

// trimZeros moves trailing zeros of v.d into v.exp. An exact quotient is small; if
// x is not divisible, x*inverse rotated is larger than any quotient.
func trimZeros(v decimal) decimal {
	q := bits.RotateLeft64(v.d*inverse5, -1)
	if q > math.MaxUint64/10 {
		return v
	}
	v.d, v.exp = q, v.exp+1
	if q := bits.RotateLeft64(v.d*inverse5to8, -8); q <= math.MaxUint64/100_000_000 {
		v.d, v.exp = q, v.exp+8
	}
	if q := bits.RotateLeft64(v.d*inverse5to4, -4); q <= math.MaxUint64/10_000 {
		v.d, v.exp = q, v.exp+4
	}
	if q := bits.RotateLeft64(v.d*inverse25, -2); q <= math.MaxUint64/100 {
		v.d, v.exp = q, v.exp+2
	}
	if q := bits.RotateLeft64(v.d*inverse5, -1); q <= math.MaxUint64/10 {
		v.d, v.exp = q, v.exp+1
	}
	return v
}

package encoding

import (
	"encoding/binary"
	"math/bits"
)

// AppendBits appends n bits of bitmap from bit offset on, packed from the least
// significant bit of each byte, and zeros up to a whole byte. That is the PLAIN
// encoding of booleans, and a bit-packed run of levels of one bit.
func AppendBits(dst, bitmap []byte, offset, n int) []byte {
	if n == 0 {
		return dst
	}
	size := (n + 7) / 8
	bitmap = bitmap[offset>>3:]
	shift := uint(offset & 7)
	if shift == 0 {
		dst = append(dst, bitmap[:size]...)
	} else {
		i := 0
		for ; i+9 <= len(bitmap) && i+8 <= size; i += 8 {
			w := binary.LittleEndian.Uint64(bitmap[i:])>>shift | uint64(bitmap[i+8])<<(64-shift)
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
		for ; i < size; i++ {
			b := bitmap[i] >> shift
			if i+1 < len(bitmap) {
				b |= bitmap[i+1] << (8 - shift)
			}
			dst = append(dst, b)
		}
	}
	if rest := n & 7; rest != 0 {
		dst[len(dst)-1] &= 1<<rest - 1
	}
	return dst
}

// Load64 returns the 64 bits of bitmap from bit offset on; those beyond its end
// are zero.
func Load64(bitmap []byte, offset int) uint64 {
	i, shift := offset>>3, uint(offset&7)
	if i+9 <= len(bitmap) {
		return binary.LittleEndian.Uint64(bitmap[i:])>>shift | uint64(bitmap[i+8])<<(64-shift)
	}
	var last [16]byte
	if i < len(bitmap) {
		copy(last[:], bitmap[i:])
	}
	return binary.LittleEndian.Uint64(last[:])>>shift | uint64(last[8])<<(64-shift)
}

// CountBits returns how many of the n bits of bitmap from bit offset on are set.
func CountBits(bitmap []byte, offset, n int) int {
	count := 0
	for ; n >= 64; n -= 64 {
		count += bits.OnesCount64(Load64(bitmap, offset))
		offset += 64
	}
	if n > 0 {
		count += bits.OnesCount64(Load64(bitmap, offset) & (1<<n - 1))
	}
	return count
}

// Compact appends those of the values to dst whose bit is set. The bit of the
// first value is that at offset.
func Compact[T any](dst, values []T, bitmap []byte, offset int) []T {
	const block = 64
	n := len(values)
	if free := cap(dst) - len(dst); free < n+block {
		grown := make([]T, len(dst), len(dst)+n+block)
		copy(grown, dst)
		dst = grown
	}
	out := dst[len(dst) : len(dst)+n+block]
	k := 0
	i := 0
	for ; i+block <= n; i += block {
		word := Load64(bitmap, offset+i)
		if word == 1<<block-1 {
			copy(out[k:k+block], values[i:i+block])
			k += block
			continue
		}
		// Without branches: each value is stored, and the next one over it
		// unless it counts.
		for _, v := range values[i : i+block] {
			out[k] = v
			k += int(word & 1)
			word >>= 1
		}
	}
	if i < n {
		word := Load64(bitmap, offset+i)
		for _, v := range values[i:] {
			out[k] = v
			k += int(word & 1)
			word >>= 1
		}
	}
	return dst[:len(dst)+k]
}

// CompactBits appends those bits of values to dst, whose length is n bits so far,
// whose bit in bitmap is set. Both begin at the given offset. It returns the new
// number of bits.
func CompactBits(dst []byte, n int, values, bitmap []byte, offset, count int) ([]byte, int) {
	var acc uint64
	free := uint(0) // bits in acc
	if rest := n & 7; rest != 0 {
		acc = uint64(dst[len(dst)-1])
		free = uint(rest)
		dst = dst[:len(dst)-1]
	}
	for i := 0; i < count; i += 64 {
		take := Load64(bitmap, offset+i)
		if left := count - i; left < 64 {
			take &= 1<<left - 1
		}
		v := Load64(values, offset+i)
		n += bits.OnesCount64(take)
		for take != 0 {
			at := bits.TrailingZeros64(take)
			take &= take - 1
			acc |= v >> at & 1 << free
			if free++; free == 64 {
				dst = binary.LittleEndian.AppendUint64(dst, acc)
				acc, free = 0, 0
			}
		}
	}
	for ; free > 0; free -= min(free, 8) {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst, n
}

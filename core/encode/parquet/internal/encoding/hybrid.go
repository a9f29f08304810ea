package encoding

import (
	"encoding/binary"
)

// Width returns the number of bits that hold every number up to most.
func Width(most int) int {
	n := 0
	for ; most > 0; most >>= 1 {
		n++
	}
	return n
}

// runBlock is how many numbers are looked at as one: a run must fill such a
// block to be stored as one.
const runBlock = 32

// AppendHybrid appends numbers of the given width in bits, at most 32, in the
// RLE/bit-packing hybrid, without a length before it.
func AppendHybrid[N uint8 | uint32](dst []byte, numbers []N, width int) []byte {
	for len(numbers) > 0 {
		if run := runLength(numbers); run >= runBlock || run == len(numbers) {
			dst = appendRun(dst, uint32(numbers[0]), run, width)
			numbers = numbers[run:]
			continue
		}
		// Up to the next run; whole groups of eight, so that no zeros stand in
		// between that would count as numbers.
		n := runBlock
		for n < len(numbers) && !sameBlock(numbers[n:]) {
			n += runBlock
		}
		n = min(n, len(numbers))
		dst = binary.AppendUvarint(dst, uint64((n+7)/8)<<1|1)
		dst = appendPacked(dst, numbers[:n], width)
		numbers = numbers[n:]
	}
	return dst
}

// AppendRun appends n times the same number as [AppendHybrid] does.
func AppendRun(dst []byte, number uint32, n, width int) []byte {
	if n == 0 {
		return dst
	}
	return appendRun(dst, number, n, width)
}

// AppendBitRun appends n bits of a bitmap from bit offset on as [AppendHybrid]
// would numbers of one bit.
func AppendBitRun(dst, bitmap []byte, offset, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64((n+7)/8)<<1|1)
	return AppendBits(dst, bitmap, offset, n)
}

func appendRun(dst []byte, number uint32, n, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for k := 0; k < width; k += 8 {
		dst = append(dst, byte(number>>k))
	}
	return dst
}

// runLength returns how many numbers at the beginning are the same.
func runLength[N uint8 | uint32](numbers []N) int {
	first := numbers[0]
	for i, v := range numbers {
		if v != first {
			return i
		}
	}
	return len(numbers)
}

// sameBlock reports whether the first block of numbers is a run.
func sameBlock[N uint8 | uint32](numbers []N) bool {
	block := numbers[:min(runBlock, len(numbers))]
	first := block[0]
	if block[len(block)-1] != first {
		return false
	}
	for _, v := range block {
		if v != first {
			return false
		}
	}
	return true
}

// appendPacked appends numbers one after another in width bits each, and zeros
// up to a multiple of eight numbers.
func appendPacked[N uint8 | uint32](dst []byte, numbers []N, width int) []byte {
	size := (len(numbers) + 7) / 8 * width
	const spill = 8 // a word may be stored beyond the end
	whole, out := extend(dst, size+spill)
	var acc uint64
	have, at := 0, 0
	for _, v := range numbers {
		acc |= uint64(v) << have
		if have += width; have >= 32 {
			binary.LittleEndian.PutUint32(out[at:], uint32(acc))
			at += 4
			acc >>= 32
			have -= 32
		}
	}
	for at < size {
		out[at] = byte(acc)
		at++
		acc >>= 8
	}
	return whole[:len(whole)-spill]
}

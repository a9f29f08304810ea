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
func appendPacked[N uint8 | uint32 | uint64](dst []byte, numbers []N, width int) []byte {
	groups := (len(numbers) + 7) / 8
	const spill = 16 // words are stored beyond the end
	whole, out := extend(dst, groups*width+spill)
	full := len(numbers) / 8 * 8
	switch {
	case width <= 8:
		out = packEights(out, numbers[:full], uint(width))
	case width <= 16:
		out = packSixteens(out, numbers[:full], uint(width))
	default:
		out = packLong(out, numbers[:full], width)
	}
	if rest := numbers[full:]; len(rest) > 0 {
		var last [8]N
		copy(last[:], rest)
		packLong(out, last[:], width)
	}
	return whole[:len(whole)-spill]
}

// packEights packs groups of eight numbers of at most eight bits: a group fits a
// word. It returns what is left of out.
func packEights[N uint8 | uint32 | uint64](out []byte, numbers []N, width uint) []byte {
	for ; len(numbers) >= 8; numbers = numbers[8:] {
		n := (*[8]N)(numbers)
		binary.LittleEndian.PutUint64(out, uint64(n[0])|uint64(n[1])<<width|uint64(n[2])<<(2*width)|uint64(n[3])<<(3*width)|
			uint64(n[4])<<(4*width)|uint64(n[5])<<(5*width)|uint64(n[6])<<(6*width)|uint64(n[7])<<(7*width))
		out = out[width:]
	}
	return out
}

// packSixteens does so with numbers of 9 to 16 bits: a group fits two words.
func packSixteens[N uint8 | uint32 | uint64](out []byte, numbers []N, width uint) []byte {
	for ; len(numbers) >= 8; numbers = numbers[8:] {
		n := (*[8]N)(numbers)
		low := uint64(n[0]) | uint64(n[1])<<width | uint64(n[2])<<(2*width) | uint64(n[3])<<(3*width)
		high := uint64(n[4]) | uint64(n[5])<<width | uint64(n[6])<<(2*width) | uint64(n[7])<<(3*width)
		binary.LittleEndian.PutUint64(out, low|high<<(4*width)) // a shift by 64 gives zero
		binary.LittleEndian.PutUint64(out[8:], high>>(64-4*width))
		out = out[width:]
	}
	return out
}

// packLong packs groups of eight numbers of any width.
func packLong[N uint8 | uint32 | uint64](out []byte, numbers []N, width int) []byte {
	size := len(numbers) / 8 * width
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
	return out[size:]
}

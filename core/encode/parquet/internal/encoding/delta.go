package encoding

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// The sizes of DELTA_BINARY_PACKED that all writers use.
const (
	deltaBlock = 128
	miniBlocks = 4
	miniBlock  = deltaBlock / miniBlocks
)

// AppendDelta appends integers in DELTA_BINARY_PACKED encoding. Differences wrap
// around at the width of a word, as the format wants it.
func AppendDelta[W Word](dst []byte, words []W) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, miniBlocks)
	dst = binary.AppendUvarint(dst, uint64(len(words)))
	if len(words) == 0 {
		return append(dst, 0)
	}
	dst = appendZigZag(dst, signed(words[0]))
	var deltas [deltaBlock]W
	for len(words) > 1 {
		n := min(deltaBlock, len(words)-1)
		least := smallestDelta(&deltas, words[:n+1])
		dst = appendZigZag(dst, signed(least))
		dst = appendMiniBlocks(dst, &deltas, n, least)
		words = words[n:]
	}
	return dst
}

// smallestDelta sets deltas to the differences of neighbours and returns the
// smallest one as a signed number. Places that are not used get that too.
func smallestDelta[W Word](deltas *[deltaBlock]W, words []W) W {
	n := len(words) - 1
	const half = 1 // top bit flipped, unsigned order is signed order
	top := W(half) << (8*unsafe.Sizeof(*new(W)) - 1)
	least := ^W(0)
	previous := words[0]
	for i, w := range words[1:] {
		d := w - previous
		previous = w
		deltas[i] = d
		least = min(least, d^top)
	}
	least ^= top
	for i := n; i < deltaBlock; i++ {
		deltas[i] = least
	}
	return least
}

func appendMiniBlocks[W Word](dst []byte, deltas *[deltaBlock]W, n int, least W) []byte {
	widths := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for m := 0; m*miniBlock < n; m++ {
		block := (*[miniBlock]W)(deltas[m*miniBlock:])
		var or W
		for i, d := range block {
			d -= least
			block[i] = d
			or |= d
		}
		width := bits.Len64(uint64(or))
		dst[widths+m] = byte(width)
		dst = appendMiniBlock(dst, block, width)
	}
	return dst
}

// appendMiniBlock appends 32 numbers of the given width, which make whole bytes.
func appendMiniBlock[W Word](dst []byte, block *[miniBlock]W, width int) []byte {
	if width <= 32 {
		return appendPacked(dst, block[:], width)
	}
	size := width * miniBlock / 8
	const spill = 8
	whole, out := extend(dst, size+spill)
	var acc uint64
	have, at := 0, 0
	for _, v := range block {
		v := uint64(v)
		acc |= v << have
		if have += width; have >= 64 {
			binary.LittleEndian.PutUint64(out[at:], acc)
			at += 8
			have -= 64
			acc = v >> (width - have) // a shift by 64 gives zero
		}
	}
	if have > 0 {
		binary.LittleEndian.PutUint64(out[at:], acc) // 32 numbers of an odd width end in half a word
	}
	return whole[:len(whole)-spill]
}

// signed returns a word as the signed number it stands for.
func signed[W Word](w W) int64 {
	if unsafe.Sizeof(w) == 4 {
		return int64(int32(w))
	}
	return int64(w)
}

func appendZigZag(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v<<1)^uint64(v>>63))
}

// AppendDeltaLength appends byte arrays in DELTA_LENGTH_BYTE_ARRAY encoding: all
// lengths, then all bytes. lengths is scratch.
func AppendDeltaLength(dst []byte, values []string, lengths []uint32) ([]byte, []uint32) {
	lengths = lengths[:0]
	for _, v := range values {
		lengths = append(lengths, uint32(len(v)))
	}
	dst = AppendDelta(dst, lengths)
	for _, v := range values {
		dst = append(dst, v...)
	}
	return dst, lengths
}

// AppendDeltaStrings appends byte arrays in DELTA_BYTE_ARRAY encoding: how many
// bytes each has in common with the one before it, then the rest of each in
// DELTA_LENGTH_BYTE_ARRAY encoding. prefixes and suffixes are scratch.
func AppendDeltaStrings(dst []byte, values []string, prefixes []uint32, suffixes []string) ([]byte, []uint32, []string) {
	prefixes, suffixes = prefixes[:0], suffixes[:0]
	previous := ""
	for _, v := range values {
		n := commonPrefix(previous, v)
		prefixes = append(prefixes, uint32(n))
		suffixes = append(suffixes, v[n:])
		previous = v
	}
	dst = AppendDelta(dst, prefixes)
	dst, prefixes = AppendDeltaLength(dst, suffixes, prefixes)
	return dst, prefixes, suffixes
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := load64(a[i:]) ^ load64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i < n; i++ {
		if a[i] != b[i] {
			break
		}
	}
	return i
}

// load64 returns the first eight bytes of s, least significant first.
func load64(s string) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), 8))
}

// Package bitmap reads the bits of Arrow's buffers: which values are valid, and
// booleans (https://arrow.apache.org/docs/format/Columnar.html, Validity bitmaps).
package bitmap

import "github.com/apache/arrow-go/v18/arrow/memory"

// Bits is a run of bits within a buffer.
type Bits struct {
	bytes  []byte
	offset int
}

// Of returns the bits of b, which may be nil, from the given one on.
func Of(b *memory.Buffer, offset int) Bits {
	if b == nil {
		return Bits{}
	}
	return Bits{b.Bytes()[offset/8:], offset % 8}
}

// At reports whether bit i is set.
func (m *Bits) At(i int) bool { return m.Bit(i) != 0 }

// Bit returns bit i, 0 or 1.
func (m *Bits) Bit(i int) byte {
	i += m.offset
	return m.bytes[i>>3] >> (i & 7) & 1
}

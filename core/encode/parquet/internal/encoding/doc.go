// Package encoding turns values into the bytes of Parquet's encodings, as
// https://github.com/apache/parquet-format/blob/master/Encodings.md describes
// them. Each function appends to a slice and returns it, as append does; none
// knows of pages, levels or codecs.
//
// Numbers are words of 32 or 64 bits: integers and floats as they lie in memory.
// Byte arrays are strings, whatever they hold, and may lie in memory that is not
// Go's.
package encoding

import "slices"

// Word is the bit pattern of an INT32, INT64, FLOAT or DOUBLE.
type Word interface{ uint32 | uint64 }

// extend returns b with room for n more bytes and those n bytes.
func extend(b []byte, n int) (whole, room []byte) {
	b = slices.Grow(b, n)
	whole = b[:len(b)+n]
	return whole, whole[len(b):]
}

package avro

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
)

// appender appends what a column has in a row. It keeps no state, so that many
// goroutines may use it.
type appender func(b []byte, row int) []byte

// The numbers of a union's branches, as they are written.
const (
	isNull  = 0
	isValue = 2
)

// presence says how it is told whether there is a value.
type presence struct {
	union bool        // the field is a union with null
	nulls bool        // there are nulls
	valid bitmap.Bits // if nulls
}

func presenceOf(f arrow.Field, a arrow.Array) presence {
	p := presence{union: isUnion(f)}
	if p.union && a.NullN() > 0 {
		p.nulls, p.valid = true, bitmap.Of(a.Data().Buffers()[0], a.Data().Offset())
	}
	return p
}

// of appends the branch, and a value by write.
func (p presence) of(write appender) appender {
	switch {
	case p.nulls:
		return func(b []byte, row int) []byte {
			if !p.valid.At(row) {
				return append(b, isNull)
			}
			return write(append(b, isValue), row)
		}
	case p.union:
		return func(b []byte, row int) []byte { return write(append(b, isValue), row) }
	}
	return write
}

// appenderOf returns the appender of an array whose type schemaOf has taken. Whatever
// arrow-go computes only when first asked is computed here, by one goroutine.
func appenderOf(f arrow.Field, a arrow.Array) appender {
	p := presenceOf(f, a)
	switch a := a.(type) {
	case *array.Null:
		return func(b []byte, _ int) []byte { return b }
	case *array.Boolean:
		return p.of(booleans(a))
	case *array.Int8:
		return longs(p, a.Int8Values())
	case *array.Int16:
		return longs(p, a.Int16Values())
	case *array.Int32:
		return longs(p, a.Int32Values())
	case *array.Int64:
		return longs(p, a.Int64Values())
	case *array.Uint8:
		return longs(p, a.Uint8Values())
	case *array.Uint16:
		return longs(p, a.Uint16Values())
	case *array.Uint32:
		return longs(p, a.Uint32Values())
	case *array.Date32:
		return longs(p, a.Date32Values())
	case *array.Time32:
		return longs(p, a.Time32Values())
	case *array.Time64:
		return longs(p, a.Time64Values())
	case *array.Timestamp:
		return longs(p, a.TimestampValues())
	case *array.Float16:
		return p.of(func(b []byte, row int) []byte {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(a.Value(row).Float32()))
		})
	case *array.Float32:
		return floats(p, a.Float32Values())
	case *array.Float64:
		return doubles(p, a.Float64Values())
	case *array.Decimal128:
		return p.of(decimals(a))
	case *array.FixedSizeBinary:
		return p.of(func(b []byte, row int) []byte { return append(b, a.Value(row)...) })
	case *array.Dictionary:
		return dictionaries(p, a)
	case *array.Struct:
		return p.of(structs(a))
	case *array.Map:
		return p.of(maps(a))
	case array.ListLike:
		return p.of(lists(a))
	}
	return texts(p, a)
}

func booleans(a *array.Boolean) appender {
	bits := bitmap.Of(a.Data().Buffers()[1], a.Data().Offset())
	return func(b []byte, row int) []byte {
		return append(b, bits.Bit(row))
	}
}

// appendLong appends an int or a long: in zigzag, the low seven bits first.
func appendLong(b []byte, v int64) []byte {
	u := uint64(v)<<1 ^ uint64(v>>63)
	for u >= 0x80 {
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}

// lengthOfLong is how many bytes appendLong appends.
func lengthOfLong(v int64) int {
	return (bits.Len64(uint64(v)<<1^uint64(v>>63)|1) + 6) / 7
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

func longs[T integer](p presence, v []T) appender {
	switch {
	case p.nulls:
		return func(b []byte, row int) []byte {
			if !p.valid.At(row) {
				return append(b, isNull)
			}
			return appendLong(append(b, isValue), int64(v[row]))
		}
	case p.union:
		return func(b []byte, row int) []byte { return appendLong(append(b, isValue), int64(v[row])) }
	}
	return func(b []byte, row int) []byte { return appendLong(b, int64(v[row])) }
}

func floats(p presence, v []float32) appender {
	return p.of(func(b []byte, row int) []byte {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v[row]))
	})
}

func doubles(p presence, v []float64) appender {
	switch {
	case p.nulls:
		return func(b []byte, row int) []byte {
			if !p.valid.At(row) {
				return append(b, isNull)
			}
			return appendDouble(b, v[row])
		}
	case p.union:
		return func(b []byte, row int) []byte { return appendDouble(b, v[row]) }
	}
	return func(b []byte, row int) []byte { return binary.LittleEndian.AppendUint64(b, math.Float64bits(v[row])) }
}

// appendDouble appends the branch and a double.
func appendDouble(b []byte, v float64) []byte {
	n := len(b)
	b = slices.Grow(b, 9)[:n+9]
	b[n] = isValue
	binary.LittleEndian.PutUint64(b[n+1:], math.Float64bits(v))
	return b
}

// decimals are big-endian numbers in two's complement, of as few bytes as hold them.
// polars has one byte more or less for some, and so writes 32768 as -32768.
func decimals(a *array.Decimal128) appender {
	return func(b []byte, row int) []byte {
		v := a.Value(row)
		high, low := uint64(v.HighBits()), v.LowBits()
		var digits [16]byte
		binary.BigEndian.PutUint64(digits[:8], high)
		binary.BigEndian.PutUint64(digits[8:], low)
		sign := uint64(v.HighBits() >> 63) // in every bit
		n := bits.Len64(low ^ sign)
		if high != sign {
			n = 64 + bits.Len64(high^sign)
		}
		value := digits[15-n/8:] // with room for the sign
		return append(appendLong(b, int64(len(value))), value...)
	}
}

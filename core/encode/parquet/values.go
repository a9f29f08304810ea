package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/encoding"
)

// loadValues appends those values of arr that s selects to the column.
func (w *workspace) loadValues(arr arrow.Array, s selection) error {
	c := &w.column
	var err error
	switch c.leaf.column.PhysicalType() {
	case parquet.Types.Boolean:
		a, ok := arr.(*array.Boolean)
		if !ok {
			return mismatch(arr)
		}
		w.loadBits(a, s)
	case parquet.Types.Int32, parquet.Types.Float:
		c.ints, err = w.intsOf(c.ints, arr, s)
	case parquet.Types.Int64, parquet.Types.Double:
		c.longs, err = w.longsOf(c.longs, arr, s)
	case parquet.Types.FixedLenByteArray:
		c.fixed, err = fixedOf(c.fixed, arr, s, c.leaf.column.TypeLength())
	case parquet.Types.ByteArray:
		err = c.bytes.add(arr, s)
	default:
		err = fmt.Errorf("no encoder for %s", c.leaf.column.PhysicalType())
	}
	return err
}

// loadBits appends booleans to the column's bitmap.
func (w *workspace) loadBits(a *array.Boolean, s selection) {
	c := &w.column
	n := c.loadedBits
	values, offset := a.Data().Buffers()[1].Bytes(), a.Data().Offset()
	switch {
	case s.at != nil:
		for _, i := range s.at {
			if n&7 == 0 {
				c.bits = append(c.bits, 0)
			}
			if a.Value(i) {
				c.bits[n>>3] |= 1 << (n & 7)
			}
			n++
		}
	case s.bitmap != nil:
		c.bits, n = encoding.CompactBits(c.bits, n, values, s.bitmap, s.offset, s.hi-s.lo)
	default:
		c.bits = appendBitmap(c.bits, n, values, offset+s.lo, s.hi-s.lo)
		n += s.hi - s.lo
	}
	c.loadedBits = n
}

// sameBits looks at a slice of numbers as one of another type of equal size.
func sameBits[W encoding.Word, T any](src []T) []W {
	return unsafe.Slice((*W)(unsafe.Pointer(unsafe.SliceData(src))), len(src))
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// widened appends the selected integers, with their sign, as words.
func widened[W encoding.Word, T integer](dst []W, src []T, s selection) []W {
	switch {
	case s.at != nil:
		for _, i := range s.at {
			dst = append(dst, W(src[i]))
		}
	case s.bitmap != nil:
		for _, v := range encoding.Compact(nil, src[s.lo:s.hi], s.bitmap, s.offset) {
			dst = append(dst, W(v))
		}
	default:
		for _, v := range src[s.lo:s.hi] {
			dst = append(dst, W(v))
		}
	}
	return dst
}

// each appends value(i) for each selected element i.
func each[T any](dst []T, s selection, value func(i int) T) []T {
	switch {
	case s.at != nil:
		for _, i := range s.at {
			dst = append(dst, value(i))
		}
	case s.bitmap != nil:
		for i := s.lo; i < s.hi; i++ {
			if k := s.offset + i - s.lo; s.bitmap[k>>3]>>(k&7)&1 != 0 {
				dst = append(dst, value(i))
			}
		}
	default:
		for i := s.lo; i < s.hi; i++ {
			dst = append(dst, value(i))
		}
	}
	return dst
}

// intsOf appends the values of a leaf stored as INT32 or FLOAT.
func (w *workspace) intsOf(dst []uint32, arr arrow.Array, s selection) ([]uint32, error) {
	switch a := arr.(type) {
	case *array.Int32:
		return pick(dst, sameBits[uint32](a.Int32Values()), s), nil
	case *array.Uint32:
		return pick(dst, a.Uint32Values(), s), nil
	case *array.Float32:
		return pick(dst, sameBits[uint32](a.Float32Values()), s), nil
	case *array.Int16:
		return widened(dst, a.Int16Values(), s), nil
	case *array.Uint16:
		return widened(dst, a.Uint16Values(), s), nil
	case *array.Int8:
		return widened(dst, a.Int8Values(), s), nil
	case *array.Uint8:
		return widened(dst, a.Uint8Values(), s), nil
	case *array.Date32:
		return pick(dst, sameBits[uint32](a.Date32Values()), s), nil
	case *array.Date64:
		const day = 24 * 60 * 60 * 1000
		return each(dst, s, func(i int) uint32 { return uint32(a.Value(i) / day) }), nil
	case *array.Time32:
		if a.DataType().(*arrow.Time32Type).Unit == arrow.Second {
			return each(dst, s, func(i int) uint32 { return uint32(a.Value(i) * 1000) }), nil
		}
		return pick(dst, sameBits[uint32](a.Time32Values()), s), nil
	}
	whole, err := decimalInteger(arr)
	if err != nil {
		return nil, err
	}
	return each(dst, s, func(i int) uint32 { return uint32(whole(i)) }), nil
}

// longsOf appends the values of a leaf stored as INT64 or DOUBLE.
func (w *workspace) longsOf(dst []uint64, arr arrow.Array, s selection) ([]uint64, error) {
	switch a := arr.(type) {
	case *array.Int64:
		return pick(dst, sameBits[uint64](a.Int64Values()), s), nil
	case *array.Uint64:
		return pick(dst, a.Uint64Values(), s), nil
	case *array.Float64:
		return pick(dst, sameBits[uint64](a.Float64Values()), s), nil
	case *array.Time64:
		return pick(dst, sameBits[uint64](a.Time64Values()), s), nil
	case *array.Duration:
		return pick(dst, sameBits[uint64](a.DurationValues()), s), nil
	case *array.Timestamp:
		if a.DataType().(*arrow.TimestampType).Unit == arrow.Second {
			return milliseconds(dst, a, s)
		}
		return pick(dst, sameBits[uint64](a.TimestampValues()), s), nil
	}
	whole, err := decimalInteger(arr)
	if err != nil {
		return nil, err
	}
	return each(dst, s, func(i int) uint64 { return uint64(whole(i)) }), nil
}

// milliseconds appends timestamps of seconds, a unit Parquet does not have.
func milliseconds(dst []uint64, a *array.Timestamp, s selection) ([]uint64, error) {
	s.only = false // they are changed
	from := len(dst)
	dst = pick(dst, sameBits[uint64](a.TimestampValues()), s)
	for i, v := range dst[from:] {
		v := int64(v)
		if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
			return nil, fmt.Errorf("timestamp of %d seconds does not fit Parquet's milliseconds", v)
		}
		dst[from+i] = uint64(v * 1000)
	}
	return dst, nil
}

// fixedOf appends the values of a leaf stored as FIXED_LEN_BYTE_ARRAY of the
// given width.
func fixedOf(dst []byte, arr arrow.Array, s selection, width int) ([]byte, error) {
	switch a := arr.(type) {
	case *array.FixedSizeBinary:
		var raw []byte
		if data := a.Data().Buffers()[1]; data != nil {
			raw = data.Bytes()[a.Data().Offset()*width:]
		}
		return pickFixed(dst, raw, s, width), nil
	case *array.Float16:
		return pickFixed(dst, arrow.Float16Traits.CastToBytes(a.Values()), s, width), nil
	case *array.Decimal128:
		if width > 8 && width <= 16 {
			return appendDecimals(dst, a.Values(), s, width), nil
		}
	}
	words, err := decimalWords(arr)
	if err != nil {
		return nil, err
	}
	append32 := func(i int) struct{} {
		var whole [32]byte // big endian
		for k, w := range words(i) {
			binary.BigEndian.PutUint64(whole[24-8*k:], w)
		}
		dst = append(dst, whole[32-width:]...)
		return struct{}{}
	}
	each(nil, s, append32)
	return dst, nil
}

// appendDecimals appends the last width bytes, 9 to 16, of big-endian decimals.
func appendDecimals(dst []byte, v []decimal128.Num, s selection, width int) []byte {
	left := uint(16-width) * 8
	if s.at == nil {
		dst = slices.Grow(dst, (s.hi-s.lo)*width+16)
	}
	each(nil, s, func(i int) struct{} {
		high, low := uint64(v[i].HighBits()), v[i].LowBits()
		at := len(dst)
		if cap(dst)-at < 16 {
			dst = slices.Grow(dst, 16)
		}
		out := (*[16]byte)(dst[at : at+16])
		binary.BigEndian.PutUint64(out[:], high<<left|low>>(64-left))
		binary.BigEndian.PutUint64(out[8:], low<<left)
		dst = dst[:at+width]
		return struct{}{}
	})
	return dst
}

// pickFixed is pick for elements of width bytes.
func pickFixed(dst, raw []byte, s selection, width int) []byte {
	if s.at == nil && s.bitmap == nil {
		s.lo, s.hi = s.lo*width, s.hi*width
		return pick(dst, raw, s)
	}
	each(nil, s, func(i int) struct{} {
		dst = append(dst, raw[i*width:][:width]...)
		return struct{}{}
	})
	return dst
}

// decimalInteger returns a function of the index that gives the digits of a
// decimal whose precision fits an int64.
func decimalInteger(arr arrow.Array) (func(i int) int64, error) {
	switch a := arr.(type) {
	case *array.Decimal32:
		return func(i int) int64 { return int64(a.Value(i)) }, nil
	case *array.Decimal64:
		return func(i int) int64 { return int64(a.Value(i)) }, nil
	case *array.Decimal128:
		return func(i int) int64 { return int64(a.Value(i).LowBits()) }, nil
	case *array.Decimal256:
		return func(i int) int64 { return int64(a.Value(i).Array()[0]) }, nil
	}
	return nil, mismatch(arr)
}

// decimalWords returns a function of the index that gives a decimal as 256 bits
// in two's complement, least significant word first.
func decimalWords(arr arrow.Array) (func(i int) [4]uint64, error) {
	switch a := arr.(type) {
	case *array.Decimal128:
		return func(i int) [4]uint64 {
			v := a.Value(i)
			sign := uint64(v.HighBits() >> 63)
			return [4]uint64{v.LowBits(), uint64(v.HighBits()), sign, sign}
		}, nil
	case *array.Decimal256:
		return func(i int) [4]uint64 { return a.Value(i).Array() }, nil
	}
	whole, err := decimalInteger(arr)
	if err != nil {
		return nil, err
	}
	return func(i int) [4]uint64 {
		v := whole(i)
		sign := uint64(v >> 63)
		return [4]uint64{uint64(v), sign, sign, sign}
	}, nil
}

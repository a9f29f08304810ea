package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
)

// scratch holds values on their way from an Arrow array to a column writer.
type scratch struct {
	bools  []bool
	ints   []int32
	longs  []int64
	floats []float32
	dbls   []float64
	slices []parquet.ByteArray
	fixed  []parquet.FixedLenByteArray
	bytes  []byte
}

// gather returns the values of r in dst, or in src itself if they lie there in
// order.
func gather[T any](dst *[]T, src []T, r leafRange) []T {
	if r.dense {
		return src[r.lo:r.hi]
	}
	out := (*dst)[:0]
	for _, i := range r.at {
		out = append(out, src[i])
	}
	*dst = out
	return out
}

// integer types that are stored as a wider or narrower one of the same bits.
type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func gatherAs[P, T integer](dst *[]P, src []T, r leafRange) []P {
	out := (*dst)[:0]
	if r.dense {
		for _, v := range src[r.lo:r.hi] {
			out = append(out, P(v))
		}
	} else {
		for _, i := range r.at {
			out = append(out, P(src[i]))
		}
	}
	*dst = out
	return out
}

// gatherBy is gather by a function of the index.
func gatherBy[T any](dst *[]T, r leafRange, value func(i int) T) []T {
	out := (*dst)[:0]
	if r.dense {
		for i := r.lo; i < r.hi; i++ {
			out = append(out, value(i))
		}
	} else {
		for _, i := range r.at {
			out = append(out, value(i))
		}
	}
	*dst = out
	return out
}

// sameBits looks at a slice of integers as one of another type of equal size.
func sameBits[P, T integer](src []T) []P {
	return unsafe.Slice((*P)(unsafe.Pointer(unsafe.SliceData(src))), len(src))
}

// asBools returns the values of a boolean leaf.
func (s *scratch) asBools(r leafRange) ([]bool, error) {
	a, ok := r.values.(*array.Boolean)
	if !ok {
		return nil, mismatch(r)
	}
	return gatherBy(&s.bools, r, a.Value), nil
}

// asInts returns the values of a leaf stored as INT32.
func (s *scratch) asInts(r leafRange) ([]int32, error) {
	switch a := r.values.(type) {
	case *array.Null:
		return nil, nil
	case *array.Int32:
		return gather(&s.ints, a.Int32Values(), r), nil
	case *array.Uint32:
		return gather(&s.ints, sameBits[int32](a.Uint32Values()), r), nil
	case *array.Int16:
		return gatherAs(&s.ints, a.Int16Values(), r), nil
	case *array.Uint16:
		return gatherAs(&s.ints, a.Uint16Values(), r), nil
	case *array.Int8:
		return gatherAs(&s.ints, a.Int8Values(), r), nil
	case *array.Uint8:
		return gatherAs(&s.ints, a.Uint8Values(), r), nil
	case *array.Date32:
		return gather(&s.ints, sameBits[int32](a.Date32Values()), r), nil
	case *array.Date64:
		const day = 24 * 60 * 60 * 1000
		return gatherBy(&s.ints, r, func(i int) int32 { return int32(a.Value(i) / day) }), nil
	case *array.Time32:
		if a.DataType().(*arrow.Time32Type).Unit == arrow.Second {
			return gatherBy(&s.ints, r, func(i int) int32 { return int32(a.Value(i)) * 1000 }), nil
		}
		return gather(&s.ints, sameBits[int32](a.Time32Values()), r), nil
	}
	whole, err := decimalInteger(r)
	if err != nil {
		return nil, err
	}
	return gatherBy(&s.ints, r, func(i int) int32 { return int32(whole(i)) }), nil
}

// asLongs returns the values of a leaf stored as INT64.
func (s *scratch) asLongs(r leafRange) ([]int64, error) {
	switch a := r.values.(type) {
	case *array.Int64:
		return gather(&s.longs, a.Int64Values(), r), nil
	case *array.Uint64:
		return gather(&s.longs, sameBits[int64](a.Uint64Values()), r), nil
	case *array.Time64:
		return gather(&s.longs, sameBits[int64](a.Time64Values()), r), nil
	case *array.Duration:
		return gather(&s.longs, sameBits[int64](a.DurationValues()), r), nil
	case *array.Timestamp:
		if a.DataType().(*arrow.TimestampType).Unit == arrow.Second {
			return s.milliseconds(a, r)
		}
		return gather(&s.longs, sameBits[int64](a.TimestampValues()), r), nil
	}
	whole, err := decimalInteger(r)
	if err != nil {
		return nil, err
	}
	return gatherBy(&s.longs, r, whole), nil
}

// milliseconds returns timestamps of seconds, a unit Parquet does not have.
func (s *scratch) milliseconds(a *array.Timestamp, r leafRange) ([]int64, error) {
	out := gather(&s.longs, sameBits[int64](a.TimestampValues()), r)
	if r.dense { // out is the array's own memory
		s.longs = append(s.longs[:0], out...)
		out = s.longs
	}
	for i, v := range out {
		if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
			return nil, fmt.Errorf("timestamp of %d seconds does not fit Parquet's milliseconds", v)
		}
		out[i] = v * 1000
	}
	return out, nil
}

// asFloats returns the values of a leaf stored as FLOAT.
func (s *scratch) asFloats(r leafRange) ([]float32, error) {
	a, ok := r.values.(*array.Float32)
	if !ok {
		return nil, mismatch(r)
	}
	return gather(&s.floats, a.Float32Values(), r), nil
}

// asDoubles returns the values of a leaf stored as DOUBLE.
func (s *scratch) asDoubles(r leafRange) ([]float64, error) {
	a, ok := r.values.(*array.Float64)
	if !ok {
		return nil, mismatch(r)
	}
	return gather(&s.dbls, a.Float64Values(), r), nil
}

// maxValue is the size of the longest value there can be: a page holds at least
// one whole value, and its size is an int32 (parquet.thrift, PageHeader).
const maxValue = math.MaxInt32 - 1<<20

// asSlices returns the values of a leaf stored as BYTE_ARRAY. They lie in the
// array's own memory.
func (s *scratch) asSlices(r leafRange) ([]parquet.ByteArray, error) {
	values, err := s.slicesIn(r)
	for _, v := range values {
		if len(v) > maxValue {
			return nil, fmt.Errorf("a value has %d bytes, and Parquet cannot hold more than %d", len(v), maxValue)
		}
	}
	return values, err
}

func (s *scratch) slicesIn(r leafRange) ([]parquet.ByteArray, error) {
	switch a := r.values.(type) {
	case *array.String:
		return slicesOf(s, r, a.ValueOffsets(), a.Data().Buffers()[2]), nil
	case *array.LargeString:
		return slicesOf(s, r, a.ValueOffsets(), a.Data().Buffers()[2]), nil
	case *array.Binary:
		return slicesOf(s, r, a.ValueOffsets(), a.Data().Buffers()[2]), nil
	case *array.LargeBinary:
		return slicesOf(s, r, a.ValueOffsets(), a.Data().Buffers()[2]), nil
	case *array.StringView:
		return gatherBy(&s.slices, r, func(i int) parquet.ByteArray {
			v := a.Value(i)
			return unsafe.Slice(unsafe.StringData(v), len(v))
		}), nil
	case *array.BinaryView:
		return gatherBy(&s.slices, r, func(i int) parquet.ByteArray { return a.Value(i) }), nil
	}
	return nil, mismatch(r)
}

func slicesOf[O int32 | int64](s *scratch, r leafRange, offsets []O, buffer interface{ Bytes() []byte }) []parquet.ByteArray {
	var data []byte
	if r.values.Data().Buffers()[2] != nil {
		data = buffer.Bytes()
	}
	return gatherBy(&s.slices, r, func(i int) parquet.ByteArray {
		return data[offsets[i]:offsets[i+1]:offsets[i+1]]
	})
}

// asFixed returns the values of a leaf stored as FIXED_LEN_BYTE_ARRAY of the
// given width.
func (s *scratch) asFixed(r leafRange, width int) ([]parquet.FixedLenByteArray, error) {
	switch a := r.values.(type) {
	case *array.FixedSizeBinary:
		return gatherBy(&s.fixed, r, func(i int) parquet.FixedLenByteArray { return a.Value(i) }), nil
	case *array.Float16:
		raw := arrow.Float16Traits.CastToBytes(a.Values())
		return gatherBy(&s.fixed, r, func(i int) parquet.FixedLenByteArray { return raw[2*i : 2*i+2] }), nil
	}
	words, err := decimalWords(r)
	if err != nil {
		return nil, err
	}
	n := len(r.at)
	if r.dense {
		n = r.hi - r.lo
	}
	if need := n * width; cap(s.bytes) < need {
		s.bytes = make([]byte, need)
	}
	free := s.bytes[:cap(s.bytes)]
	return gatherBy(&s.fixed, r, func(i int) parquet.FixedLenByteArray {
		var whole [32]byte // big endian
		for k, w := range words(i) {
			binary.BigEndian.PutUint64(whole[24-8*k:], w)
		}
		v := free[:width:width]
		free = free[width:]
		copy(v, whole[32-width:])
		return v
	}), nil
}

// decimalInteger returns a function of the index that gives the digits of a
// decimal whose precision fits an int64.
func decimalInteger(r leafRange) (func(i int) int64, error) {
	switch a := r.values.(type) {
	case *array.Decimal32:
		return func(i int) int64 { return int64(a.Value(i)) }, nil
	case *array.Decimal64:
		return func(i int) int64 { return int64(a.Value(i)) }, nil
	case *array.Decimal128:
		return func(i int) int64 { return int64(a.Value(i).LowBits()) }, nil
	case *array.Decimal256:
		return func(i int) int64 { return int64(a.Value(i).Array()[0]) }, nil
	}
	return nil, mismatch(r)
}

// decimalWords returns a function of the index that gives a decimal as 256 bits
// in two's complement, least significant word first.
func decimalWords(r leafRange) (func(i int) [4]uint64, error) {
	switch a := r.values.(type) {
	case *array.Decimal128:
		return func(i int) [4]uint64 {
			v := a.Value(i)
			sign := uint64(v.HighBits() >> 63)
			return [4]uint64{v.LowBits(), uint64(v.HighBits()), sign, sign}
		}, nil
	case *array.Decimal256:
		return func(i int) [4]uint64 { return a.Value(i).Array() }, nil
	}
	whole, err := decimalInteger(r)
	if err != nil {
		return nil, err
	}
	return func(i int) [4]uint64 {
		v := whole(i)
		sign := uint64(v >> 63)
		return [4]uint64{uint64(v), sign, sign, sign}
	}, nil
}

// mismatch is the error of a batch whose column is not of the schema's type.
func mismatch(r leafRange) error {
	return fmt.Errorf("the batch has type %s, which is not that of the schema", r.values.DataType())
}

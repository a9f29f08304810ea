package delta

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// word is a value of a fixed width.
type word interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// valuesOf returns the values of an array of fixed width.
func valuesOf[T word](a arrow.Array) []T {
	d := a.Data()
	buf := d.Buffers()[1]
	if buf == nil || d.Len() == 0 {
		return nil
	}
	return arrow.GetData[T](buf.Bytes())[d.Offset() : d.Offset()+d.Len()]
}

// newValues returns a buffer of n values.
func newValues[T word](n int) (*memory.Buffer, []T) {
	buf := memory.NewResizableBuffer(memory.DefaultAllocator)
	var zero T
	buf.Resize(n * int(sizeOf(zero)))
	return buf, arrow.GetData[T](buf.Bytes())
}

func sizeOf[T word](v T) uintptr {
	switch any(v).(type) {
	case int8, uint8:
		return 1
	case int16, uint16:
		return 2
	case int32, uint32, float32:
		return 4
	}
	return 8
}

// numbers converts number by number.
func numbers[From, To word](typ arrow.DataType, f func(From) To) conversion {
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		buf, out := newValues[To](a.Len())
		for i, v := range valuesOf[From](a) {
			out[i] = f(v)
		}
		return made(a, typ, buf), nil
	}}
}

// checked converts number by number where f can; what says what is wrong else.
func checked[From, To word](typ arrow.DataType, what string, f func(From) (To, bool)) conversion {
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		buf, out := newValues[To](a.Len())
		for i, v := range valuesOf[From](a) {
			w, ok := f(v)
			if !ok && a.IsValid(i) {
				buf.Release()
				return nil, &valueError{i, fmt.Sprintf("value %s %s", a.ValueStr(i), what)}
			}
			out[i] = w
		}
		return made(a, typ, buf), nil
	}}
}

// decimals converts numbers to decimals of 128 bits, given as low and high half.
func decimals[From word](precision, scale int32, f func(From) (low, high uint64)) conversion {
	typ := &arrow.Decimal128Type{Precision: precision, Scale: scale}
	return conversion{typ, func(a arrow.Array) (arrow.Array, error) {
		buf, out := newValues[uint64](2 * a.Len())
		for i, v := range valuesOf[From](a) {
			out[2*i], out[2*i+1] = f(v)
		}
		return made(a, typ, buf), nil
	}}
}

// narrow256 brings decimals of 256 bits and at most 38 digits to 128 bits.
func narrow256(a arrow.Array) (arrow.Array, error) {
	d := a.(*array.Decimal256)
	t := d.DataType().(*arrow.Decimal256Type)
	buf, out := newValues[uint64](2 * a.Len())
	for i := range a.Len() {
		w := d.Value(i).Array()
		sign := uint64(int64(w[1]) >> 63)
		if (w[2] != sign || w[3] != sign) && a.IsValid(i) {
			buf.Release()
			return nil, &valueError{i, fmt.Sprintf("value %s has more digits than the %d of its type", a.ValueStr(i), t.Precision)}
		}
		out[2*i], out[2*i+1] = w[0], w[1]
	}
	return made(a, &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}, buf), nil
}

func float16s(a arrow.Array) (arrow.Array, error) {
	buf, out := newValues[float32](a.Len())
	for i, v := range valuesOf[uint16](a) {
		out[i] = float16.FromBits(v).Float32()
	}
	return made(a, arrow.PrimitiveTypes.Float32, buf), nil
}

// days brings dates in milliseconds to days.
func days(a arrow.Array) (arrow.Array, error) {
	const day = 24 * 60 * 60 * 1000
	buf, out := newValues[int32](a.Len())
	for i, v := range valuesOf[int64](a) {
		if (v%day != 0 || v/day > math.MaxInt32 || v/day < math.MinInt32) && a.IsValid(i) {
			buf.Release()
			return nil, &valueError{i, fmt.Sprintf("%d milliseconds are no whole day, which a date is: cast the column to timestamp", v)}
		}
		out[i] = int32(v / day)
	}
	return made(a, arrow.FixedWidthTypes.Date32, buf), nil
}

// fixedBytes brings binaries of one length to such of any length.
func fixedBytes(a arrow.Array) (arrow.Array, error) {
	width := a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth
	d := a.Data()
	if int64(d.Len())*int64(width) > math.MaxInt32 {
		return nil, &valueError{-1, "a batch has more than 2 GiB of it: write smaller batches"}
	}
	buf, offsets := newValues[int32](d.Len() + 1)
	for i := range offsets {
		offsets[i] = int32(i * width)
	}
	values := memory.NewBufferBytes(nil)
	if b := d.Buffers()[1]; b != nil {
		values = memory.SliceBuffer(b, d.Offset()*width, d.Len()*width)
	}
	return made(a, arrow.BinaryTypes.Binary, buf, values), nil
}

// wholeMicros says whether all timestamps within an array are whole microseconds
// and in the range of such.
func wholeMicros(a arrow.Array) bool {
	switch a := a.(type) {
	case *array.Timestamp:
		if a.DataType().(*arrow.TimestampType).Unit != arrow.Nanosecond {
			return true
		}
		bad := false
		values := valuesOf[int64](a)
		for _, v := range values {
			bad = bad || v%1000 != 0
		}
		if !bad {
			return true
		}
		for i, v := range values { // those of nulls do not count
			if v%1000 != 0 && a.IsValid(i) {
				return false
			}
		}
		return true
	case array.ExtensionArray:
		return wholeMicros(a.Storage())
	case *array.Dictionary:
		return wholeMicros(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			if !wholeMicros(a.Field(i)) {
				return false
			}
		}
	case array.ListLike: // also a map
		return wholeMicros(a.ListValues())
	}
	return true
}

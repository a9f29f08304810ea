package pgcopy

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// integers reads integers, of a type that int64 holds.
func integers(t arrow.DataType) func(arrow.Array) func(int) int64 {
	switch t.ID() {
	case arrow.INT8:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Int8).Values()) }
	case arrow.INT16:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Int16).Values()) }
	case arrow.INT32:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Int32).Values()) }
	case arrow.INT64:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Int64).Values()) }
	case arrow.UINT8:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Uint8).Values()) }
	case arrow.UINT16:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Uint16).Values()) }
	case arrow.UINT32:
		return func(a arrow.Array) func(int) int64 { return widened(a.(*array.Uint32).Values()) }
	}
	return nil
}

func widened[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](v []T) func(int) int64 {
	return func(i int) int64 { return int64(v[i]) }
}

// floats reads floats.
func floats(t arrow.DataType) func(arrow.Array) func(int) float64 {
	switch t.ID() {
	case arrow.FLOAT16:
		return func(a arrow.Array) func(int) float64 {
			v := a.(*array.Float16).Values()
			return func(i int) float64 { return float64(v[i].Float32()) }
		}
	case arrow.FLOAT32:
		return func(a arrow.Array) func(int) float64 {
			v := a.(*array.Float32).Values()
			return func(i int) float64 { return float64(v[i]) }
		}
	case arrow.FLOAT64:
		return func(a arrow.Array) func(int) float64 {
			v := a.(*array.Float64).Values()
			return func(i int) float64 { return v[i] }
		}
	}
	return nil
}

func boolField(t arrow.DataType) maker {
	if t.ID() != arrow.BOOL {
		return nil
	}
	return func(a arrow.Array) field {
		v := a.(*array.Boolean)
		return func(b []byte, i int) ([]byte, error) {
			if v.Value(i) {
				return append(b, 0, 0, 0, 1, 1), nil
			}
			return append(b, 0, 0, 0, 1, 0), nil
		}
	}
}

func appendInt2(b []byte, v int64) []byte { return append(b, 0, 0, 0, 2, byte(v>>8), byte(v)) }
func appendInt4(b []byte, v int64) []byte {
	return append(b, 0, 0, 0, 4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
func appendInt8(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(v))
}

// sizedInt appends integers that fit a type.
func sizedInt(to Type) (low, high int64, put func([]byte, int64) []byte) {
	switch to {
	case Int2:
		return math.MinInt16, math.MaxInt16, appendInt2
	case Int4:
		return math.MinInt32, math.MaxInt32, appendInt4
	}
	return math.MinInt64, math.MaxInt64, appendInt8
}

// intField takes integers that fit, and floats, which the server rounds half to even.
func intField(t arrow.DataType, to Type, nanIsNull bool) maker {
	low, high, put := sizedInt(to)
	if t.ID() == arrow.UINT64 {
		return func(a arrow.Array) field {
			v := a.(*array.Uint64).Values()
			return func(b []byte, i int) ([]byte, error) {
				if v[i] > uint64(high) {
					return nil, errRange
				}
				return put(b, int64(v[i])), nil
			}
		}
	}
	if read := integers(t); read != nil {
		return func(a arrow.Array) field {
			if v, ok := a.(*array.Int64); ok && to == Int8 {
				values := v.Values()
				return func(b []byte, i int) ([]byte, error) { return appendInt8(b, values[i]), nil }
			}
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				v := get(i)
				if v < low || v > high {
					return nil, errRange
				}
				return put(b, v), nil
			}
		}
	}
	read := floats(t)
	if read == nil {
		return nil
	}
	return func(a arrow.Array) field {
		get := read(a)
		return func(b []byte, i int) ([]byte, error) {
			v := get(i)
			switch rounded := math.RoundToEven(v); {
			case v != v && nanIsNull:
				return null(b, i)
			case v != v:
				return nil, errNaN
			case rounded < float64(low) || rounded > float64(high) || rounded == math.MaxInt64: // 2**63 as a float
				return nil, errRange
			default:
				return put(b, int64(rounded)), nil
			}
		}
	}
}

// floatField takes floats and integers. A float64 that is too large for float4 is
// refused, as by the server.
func floatField(t arrow.DataType, to Type, nanIsNull bool) maker {
	read := floats(t)
	if read == nil {
		ints := integers(t)
		switch {
		case ints != nil:
			read = func(a arrow.Array) func(int) float64 {
				get := ints(a)
				return func(i int) float64 { return float64(get(i)) }
			}
		case t.ID() == arrow.UINT64:
			read = func(a arrow.Array) func(int) float64 {
				v := a.(*array.Uint64).Values()
				return func(i int) float64 { return float64(v[i]) }
			}
		default:
			return nil
		}
	}
	if to == Float8 {
		return func(a arrow.Array) field {
			get := read(a)
			return func(b []byte, i int) ([]byte, error) {
				v := get(i)
				if v != v && nanIsNull {
					return null(b, i)
				}
				return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), math.Float64bits(v)), nil
			}
		}
	}
	return func(a arrow.Array) field {
		get := read(a)
		return func(b []byte, i int) ([]byte, error) {
			v := get(i)
			if v != v && nanIsNull {
				return null(b, i)
			}
			f := float32(v)
			if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) || f == 0 && v != 0 {
				return nil, errRange
			}
			return binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 4), math.Float32bits(f)), nil
		}
	}
}

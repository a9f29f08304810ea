package json

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// value appends what an array has in a row. It may keep state from row to row, so
// that it belongs to one goroutine.
type value func(b []byte, row int) []byte

var null = []byte("null")

// The notation of polars, which is that of the Rust crate zmij.
var float64s, float32s = finite(number.Polars64(true)), finite(number.Polars32(true))

func finite(n number.Notation) number.Notation {
	n.NaN, n.Inf = "null", "null"
	return n
}

// keysOf is what stands before the values of an object.
func keysOf(fields []arrow.Field) [][]byte {
	keys := make([][]byte, len(fields))
	for i, f := range fields {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		keys[i] = append(appendString([]byte{before}, f.Name), ':')
	}
	return keys
}

func appendObject(b []byte, keys [][]byte, values []value, row int) []byte {
	if len(keys) == 0 {
		return append(b, "{}"...)
	}
	for i, write := range values {
		b = append(b, keys[i]...)
		b = write(b, row)
	}
	return append(b, '}')
}

// valueOf returns the value of an array whose type checkType has passed.
func valueOf(a arrow.Array) value {
	write := typed(a)
	if a.DataType().ID() == arrow.NULL || a.NullN() == 0 {
		return write
	}
	bits, offset := a.Data().Buffers()[0].Bytes(), a.Data().Offset()
	return func(b []byte, row int) []byte {
		if i := row + offset; bits[i>>3]>>(i&7)&1 == 0 {
			return append(b, null...)
		}
		return write(b, row)
	}
}

func typed(a arrow.Array) value {
	switch a := a.(type) {
	case *array.Int8:
		return signed(a.Int8Values())
	case *array.Int16:
		return signed(a.Int16Values())
	case *array.Int32:
		return signed(a.Int32Values())
	case *array.Int64:
		return signed(a.Int64Values())
	case *array.Uint8:
		return unsigned(a.Uint8Values())
	case *array.Uint16:
		return unsigned(a.Uint16Values())
	case *array.Uint32:
		return unsigned(a.Uint32Values())
	case *array.Uint64:
		return unsigned(a.Uint64Values())
	case *array.Float32:
		v := a.Float32Values()
		return func(b []byte, row int) []byte {
			if x := float64(v[row]); x-x != 0 {
				return append(b, null...)
			}
			return number.AppendFloat32(b, v[row], &float32s)
		}
	case *array.Float64:
		return doubles(a.Float64Values())
	case *array.Boolean:
		return func(b []byte, row int) []byte {
			if a.Value(row) {
				return append(b, "true"...)
			}
			return append(b, "false"...)
		}
	case *array.String:
		return func(b []byte, row int) []byte { return appendString(b, a.Value(row)) }
	case *array.LargeString:
		return func(b []byte, row int) []byte { return appendString(b, a.Value(row)) }
	case *array.StringView:
		return func(b []byte, row int) []byte { return appendString(b, a.Value(row)) }
	case *array.Date32:
		return dates(a.Date32Values())
	case *array.Time64:
		return times(a)
	case *array.Timestamp:
		return timestamps(a)
	case *array.Dictionary:
		return entries(a)
	case array.ListLike: // also of a fixed size
		return lists(a)
	case *array.Struct:
		return structs(a)
	}
	return func(b []byte, _ int) []byte { return append(b, null...) } // null type
}

func signed[T int8 | int16 | int32 | int64](v []T) value {
	return func(b []byte, row int) []byte { return number.AppendInt(b, int64(v[row])) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](v []T) value {
	return func(b []byte, row int) []byte { return number.AppendUint(b, uint64(v[row])) }
}

// sampled is how many values of a column are looked at to choose how to print it.
const sampled = 64

func doubles(v []float64) value {
	appendFloat := number.AppendFloat64
	if number.MostlyLong(v[:min(len(v), sampled)]) {
		appendFloat = number.AppendLong64
	}
	return func(b []byte, row int) []byte {
		x := v[row]
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return append(b, null...)
		}
		return appendFloat(b, x, &float64s)
	}
}

// entries is the value of a dictionary of strings, which are formatted once.
func entries(a *array.Dictionary) value {
	dictionary := a.Dictionary()
	write := valueOf(dictionary)
	var text []byte
	ends := make([]int, dictionary.Len()+1)
	for i := range dictionary.Len() {
		text = write(text, i)
		ends[i+1] = len(text)
	}
	return func(b []byte, row int) []byte {
		i := a.GetValueIndex(row)
		return append(b, text[ends[i]:ends[i+1]]...)
	}
}

func lists(a array.ListLike) value {
	write := valueOf(a.ListValues())
	return func(b []byte, row int) []byte {
		b = append(b, '[')
		from, to := a.ValueOffsets(row)
		for i := from; i < to; i++ {
			if i > from {
				b = append(b, ',')
			}
			b = write(b, int(i))
		}
		return append(b, ']')
	}
}

func structs(a *array.Struct) value {
	keys := keysOf(a.DataType().(*arrow.StructType).Fields())
	values := make([]value, a.NumField())
	for i := range values {
		values[i] = valueOf(a.Field(i))
	}
	return func(b []byte, row int) []byte { return appendObject(b, keys, values, row) }
}

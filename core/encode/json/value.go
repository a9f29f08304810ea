package json

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// value appends what a column has in a row. It may keep state from row to row, so
// that it belongs to one goroutine.
type value func(b []byte, row int) []byte

// style is what options come to: how every kind of value is written. It does not
// change while it is used.
type style struct {
	pandas    bool
	precision int // decimals of pandas' floats
	escaping  *escaping
	decimals  int // of seconds: 0, 3, 6 or 9; as many as are needed if negative
}

const null = "null"

// The notation of polars, which is that of the Rust crate zmij.
var float64s, float32s = finite(number.Polars64(true)), finite(number.Polars32(true))

func finite(n number.Notation) number.Notation {
	n.NaN, n.Inf, n.Unsigned = null, null, true
	return n
}

// valueOf returns the value of a column whose type checkType has passed.
func (s *style) valueOf(c *column) value {
	write := s.typed(c)
	if !c.nulls {
		return write
	}
	valid := c.valid
	return func(b []byte, row int) []byte {
		if !valid.At(row) {
			return append(b, null...)
		}
		return write(b, row)
	}
}

func (s *style) typed(c *column) value {
	if c.verbatim {
		return verbatim(c.array)
	}
	switch a := c.array.(type) {
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
	case *array.Float16:
		return s.halves(a)
	case *array.Float32:
		return s.singles(a.Float32Values())
	case *array.Float64:
		return s.doubles(a.Float64Values())
	case *array.Boolean:
		return func(b []byte, row int) []byte {
			if a.Value(row) {
				return append(b, "true"...)
			}
			return append(b, "false"...)
		}
	case *array.String:
		return texts(s.escaping, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.LargeString:
		return texts(s.escaping, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.StringView:
		return views(s.escaping, a)
	case *array.Date32:
		return dates(a.Date32Values())
	case *array.Time64:
		return times(a)
	case *array.Timestamp:
		return s.timestamps(a)
	case *array.Duration:
		return s.durations(a)
	case *array.Decimal128:
		return decimals(a)
	case *array.Dictionary:
		return s.entries(c, a)
	case array.ListLike:
		return s.lists(c, a)
	case *array.Struct:
		return s.structs(c, a)
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

func (s *style) doubles(v []float64) value {
	if s.pandas {
		return func(b []byte, row int) []byte { return appendDouble(b, v[row], s.precision) }
	}
	if number.MostlyLong(v[:min(len(v), sampled)]) {
		return func(b []byte, row int) []byte { return number.AppendLong64(b, v[row], &float64s) }
	}
	return func(b []byte, row int) []byte { return number.AppendFloat64(b, v[row], &float64s) }
}

func (s *style) singles(v []float32) value {
	if s.pandas {
		return func(b []byte, row int) []byte { return appendDouble(b, float64(v[row]), s.precision) }
	}
	return func(b []byte, row int) []byte { return number.AppendFloat32(b, v[row], &float32s) }
}

func (s *style) halves(a *array.Float16) value {
	v := a.Values()
	if s.pandas {
		return func(b []byte, row int) []byte {
			return appendDouble(b, number.Float16(v[row].Uint16()), s.precision)
		}
	}
	return func(b []byte, row int) []byte { // polars widens them first
		return number.AppendFloat32(b, float32(number.Float16(v[row].Uint16())), &float32s)
	}
}

// decimals is the value of a column of decimals, which polars writes as strings.
func decimals(a *array.Decimal128) value {
	scale := a.DataType().(*arrow.Decimal128Type).Scale
	return func(b []byte, row int) []byte {
		return append(append(append(b, '"'), a.Value(row).ToString(scale)...), '"')
	}
}

func (s *style) lists(c *column, a array.ListLike) value {
	write := s.valueOf(c.inner[0])
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

func (s *style) structs(c *column, a *array.Struct) value {
	fields := a.DataType().(*arrow.StructType).Fields()
	keys, values := make([][]byte, len(fields)), make([]value, len(fields))
	for i, f := range fields {
		keys[i] = append(s.escaping.appendString(nil, f.Name), ':')
		if i > 0 {
			keys[i] = append([]byte{','}, keys[i]...)
		}
		values[i] = s.valueOf(c.inner[i])
	}
	return func(b []byte, row int) []byte {
		b = append(b, '{')
		for i, write := range values {
			b = write(append(b, keys[i]...), row)
		}
		return append(b, '}')
	}
}

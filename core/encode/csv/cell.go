package csv

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// cell appends the field of one row, which is not null. It may keep state from
// row to row, so that it belongs to one goroutine.
type cell func(b []byte, row int) []byte

// checkType returns an error if columns of this type cannot be written.
func checkType(name string, t arrow.DataType) error {
	reason := "CSV holds numbers, booleans, strings, dates and timestamps; convert it to one of these first"
	switch t := t.(type) {
	case *arrow.NullType, *arrow.BooleanType,
		*arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType, *arrow.Date32Type:
		return nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return nil
		}
		reason = "timestamps with a time zone are not supported; convert it to local time without one, or to strings"
	case *arrow.DictionaryType:
		if t.ValueType.ID() != arrow.DICTIONARY {
			return checkType(name, t.ValueType)
		}
	}
	return &encode.UnsupportedError{Format: format, Column: name, Type: t.String(), Reason: reason}
}

// cell returns the cell of a column whose type checkType has passed. res is how
// finely pandas writes its timestamps.
func (s *style) cell(c *column, res resolution) cell {
	if c.verbatim {
		s = s.raw
	}
	write := s.typed(c, res)
	_, isEntry := c.array.(*array.Dictionary)
	switch {
	case isText(c.array) || isEntry || c.array.DataType().ID() == arrow.NULL:
		return write
	case s.encloses(c.array):
		return s.enclosed(write)
	case s.bare:
		return s.quoted(write)
	}
	return write
}

func isText(a arrow.Array) bool {
	switch a.(type) {
	case *array.String, *array.LargeString, *array.StringView:
		return true
	}
	return false
}

// encloses reports whether the fields of a column that holds no strings are quoted
// whatever is in them.
func (s *style) encloses(a arrow.Array) bool {
	switch {
	case s.mode == All:
		return true
	case s.mode != NonNumeric:
		return false
	}
	switch a.(type) {
	case *array.Boolean:
		return !s.pandas // to Python they are numbers
	case *array.Date32, *array.Timestamp:
		return true
	case *array.Float16, *array.Float32, *array.Float64:
		return s.pandas && s.printf != nil // which makes texts of them
	}
	return false
}

func (s *style) typed(c *column, res resolution) cell {
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
		v := a.Float64Values()
		return s.doubles(v, v[:min(len(v), sampled)])
	case *array.Boolean:
		return s.booleans(a)
	case *array.String:
		return textCell(s, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.LargeString:
		return textCell(s, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.StringView:
		return s.views(a)
	case *array.Date32:
		return s.dates(a.Date32Values())
	case *array.Timestamp:
		return s.timestamps(a, res)
	case *array.Dictionary:
		return s.entries(c, a)
	}
	return func(b []byte, _ int) []byte { return append(b, s.null...) } // null type
}

// sampled is how many values of a column are looked at to choose how to print it.
const sampled = 64

func signed[T int8 | int16 | int32 | int64](v []T) cell {
	return func(b []byte, row int) []byte { return number.AppendInt(b, int64(v[row])) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](v []T) cell {
	return func(b []byte, row int) []byte { return number.AppendUint(b, uint64(v[row])) }
}

// doubles is the cell of a column of float64. sample is some of its values.
func (s *style) doubles(v, sample []float64) cell {
	switch p := s.printf; {
	case p != nil:
		return func(b []byte, row int) []byte { return p.append(b, v[row], &s.float64) }
	case number.MostlyLong(sample):
		return func(b []byte, row int) []byte { return number.AppendLong64(b, v[row], &s.float64) }
	}
	return func(b []byte, row int) []byte { return number.AppendFloat64(b, v[row], &s.float64) }
}

func (s *style) singles(v []float32) cell {
	if p := s.printf; p != nil {
		return func(b []byte, row int) []byte { return p.append(b, float64(v[row]), &s.float32) }
	}
	return func(b []byte, row int) []byte { return number.AppendFloat32(b, v[row], &s.float32) }
}

func (s *style) halves(a *array.Float16) cell {
	v := a.Values()
	switch p := s.printf; {
	case p != nil:
		return func(b []byte, row int) []byte { return p.append(b, number.Float16(v[row].Uint16()), &s.float16) }
	case s.pandas:
		return func(b []byte, row int) []byte { return number.AppendFloat16(b, v[row].Uint16(), &s.float16) }
	}
	return func(b []byte, row int) []byte {
		return number.AppendFloat32(b, float32(number.Float16(v[row].Uint16())), &s.float16)
	}
}

// booleans is the cell of a column of booleans, whose words have at most eight bytes.
// Which of them comes next nobody can guess: no branch.
func (s *style) booleans(a *array.Boolean) cell {
	bits := bitmap.Of(a.Data().Buffers()[1], a.Data().Offset())
	var words [2]uint64
	lengths := [2]int{len(s.no), len(s.yes)}
	for i, text := range [2]string{s.no, s.yes} {
		for k, c := range []byte(text) {
			words[i] |= uint64(c) << (8 * k)
		}
	}
	return func(b []byte, row int) []byte {
		bit := bits.Bit(row)
		at := len(b)
		return binary.LittleEndian.AppendUint64(b, words[bit])[:at+lengths[bit]]
	}
}

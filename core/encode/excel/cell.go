package excel

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// cell appends the cell that a column has in a row of its batch; number are the
// digits of the row in the sheet. It belongs to one goroutine.
type cell func(b []byte, row int, number []byte) []byte

// A cell reads <c r="B2" s="3" t="..."><v>...</v></c>. Its reference up to the
// row's digits is what it opens with, the rest of the tag what it goes on with.
const (
	endValue = "</v></c>"
	endText  = "</t></is></c>"
)

// checkType returns an error if values of a type cannot be written.
func checkType(name string, t arrow.DataType) error {
	reason := "Excel has no cells of this type; make a number or a string of it"
	switch t := t.(type) {
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return nil
		}
		reason = "Excel has no time zones; convert it to local time or UTC and drop the zone"
	case *arrow.DictionaryType:
		if _, nested := t.ValueType.(*arrow.DictionaryType); !nested {
			return checkType(name, t.ValueType)
		}
	default:
		switch t.ID() {
		case arrow.NULL, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16,
			arrow.UINT32, arrow.UINT64, arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64, arrow.STRING, arrow.LARGE_STRING,
			arrow.STRING_VIEW, arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.DURATION, arrow.DECIMAL128,
			arrow.DECIMAL256:
			return nil
		}
	}
	return &encode.UnsupportedError{Format: format, Column: name, Type: t.String(), Reason: reason}
}

// task is what one goroutine formats.
type task struct {
	sheet  *Sheet
	styles []int // of formats
	base   int64 // number of the batch's first row in the frame
	err    error
}

func (t *task) fail(column string, row int, reason string, args ...any) {
	if t.err != nil {
		return
	}
	at := int64(-1)
	if row >= 0 {
		at = t.base + int64(row)
	}
	t.err = &encode.ValueError{Format: format, Column: column, Row: at, Reason: fmt.Sprintf(reason, args...)}
}

// style is the attribute of a format, as it stands behind the cell's reference.
func (t *task) style(format int) string {
	if format == 0 {
		return `"`
	}
	return `" s="` + strconv.Itoa(t.styles[format-1]) + `"`
}

// cell returns the cell of a column.
func (t *task) cell(c *column) cell {
	write := t.missing(c, c.fields[0].how.MissingFormat)
	for i := len(c.fields) - 1; i >= 0; i-- {
		f := &c.fields[i]
		if f.array.DataType().ID() == arrow.NULL {
			continue
		}
		value, otherwise := t.typed(c, f, f.array), write
		write = value
		if f.nulls {
			write = func(b []byte, row int, n []byte) []byte {
				if f.isValid(row) {
					return value(b, row, n)
				}
				return otherwise(b, row, n)
			}
		}
	}
	if c.span == nil {
		return write
	}
	shown, covered := write, t.blank(c, c.fields[0].how.MissingFormat)
	return func(b []byte, row int, n []byte) []byte {
		if c.span.IsValid(row) && c.span.Value(row) == 0 {
			return covered(b, row, n)
		}
		return shown(b, row, n)
	}
}

// missing is the cell where there is no value.
func (t *task) missing(c *column, format int) cell {
	if t.sheet.Missing != "" {
		return t.constant(c, format, t.sheet.Missing)
	}
	return t.blank(c, format)
}

// blank is an empty cell, which is there only if it has a format.
func (t *task) blank(c *column, format int) cell {
	if format == 0 {
		return func(b []byte, _ int, _ []byte) []byte { return b }
	}
	rest := t.style(format) + "/>"
	return func(b []byte, _ int, n []byte) []byte { return append(append(append(b, c.open...), n...), rest...) }
}

// constant is a cell with the same text in all rows.
func (t *task) constant(c *column, format int, text string) cell {
	rest, err := appendInline(nil, t.style(format), text)
	if err != nil {
		t.fail(c.name, -1, "%v", err)
	}
	return func(b []byte, _ int, n []byte) []byte { return append(append(append(b, c.open...), n...), rest...) }
}

// failure is a cell with an error of Excel's.
func (t *task) failure(c *column, format int, name string) cell {
	rest := t.style(format) + ` t="e"><v>` + name + endValue
	return func(b []byte, _ int, n []byte) []byte { return append(append(append(b, c.open...), n...), rest...) }
}

// appendInline appends what stands behind the reference of a cell that holds a string.
func appendInline(b []byte, style, text string) ([]byte, error) {
	b = append(append(b, style...), ` t="inlineStr"><is><t`...)
	if hasOuterSpace(text) {
		b = append(b, ` xml:space="preserve"`...)
	}
	b, err := appendText(append(b, '>'), text)
	return append(b, endText...), err
}

// typed is the cell of a field's values that are not null.
func (t *task) typed(c *column, f *field, a arrow.Array) cell {
	numeral := func(write func(b []byte, row int) []byte) cell {
		rest := t.style(f.how.Format) + "><v>"
		return func(b []byte, row int, n []byte) []byte {
			b = append(append(append(b, c.open...), n...), rest...)
			return append(write(b, row), endValue...)
		}
	}
	switch a := a.(type) {
	case *array.Int8:
		return numeral(signed(a.Int8Values()))
	case *array.Int16:
		return numeral(signed(a.Int16Values()))
	case *array.Int32:
		return numeral(signed(a.Int32Values()))
	case *array.Int64:
		return numeral(signed(a.Int64Values()))
	case *array.Uint8:
		return numeral(unsigned(a.Uint8Values()))
	case *array.Uint16:
		return numeral(unsigned(a.Uint16Values()))
	case *array.Uint32:
		return numeral(unsigned(a.Uint32Values()))
	case *array.Uint64:
		return numeral(unsigned(a.Uint64Values()))
	case *array.Float16:
		return t.floats(c, f, func(row int) float64 { return number.Float16(a.Value(row).Uint16()) }, nil)
	case *array.Float32:
		v := a.Float32Values()
		return t.floats(c, f, func(row int) float64 { return float64(v[row]) }, nil)
	case *array.Float64:
		v := a.Float64Values()
		return t.floats(c, f, func(row int) float64 { return v[row] }, v)
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return numeral(func(b []byte, row int) []byte { return append(b, a.Value(row).ToString(scale)...) })
	case *array.Decimal256:
		scale := a.DataType().(*arrow.Decimal256Type).Scale
		return numeral(func(b []byte, row int) []byte { return append(b, a.Value(row).ToString(scale)...) })
	case *array.Boolean:
		rest := t.style(f.how.Format) + ` t="b"><v>`
		return func(b []byte, row int, n []byte) []byte {
			digit := byte('0')
			if a.Value(row) {
				digit = '1'
			}
			b = append(append(append(b, c.open...), n...), rest...)
			return append(append(b, digit), endValue...)
		}
	case *array.String:
		return t.strings(c, f, a.Value)
	case *array.LargeString:
		return t.strings(c, f, a.Value)
	case *array.StringView:
		return t.strings(c, f, a.Value)
	case *array.Date32:
		v := a.Date32Values()
		return numeral(func(b []byte, row int) []byte { return number.AppendInt(b, serialOf(int64(v[row]))) })
	case *array.Timestamp:
		v, per := a.Values(), ticksPerSecond(a.DataType().(*arrow.TimestampType).Unit)
		return numeral(func(b []byte, row int) []byte { return appendFloat(b, timestampOf(int64(v[row]), per)) })
	case *array.Time32:
		v, per := a.Time32Values(), ticksPerSecond(a.DataType().(*arrow.Time32Type).Unit)
		return numeral(func(b []byte, row int) []byte { return appendFloat(b, fractionOf(int64(v[row]), per)) })
	case *array.Time64:
		v, per := a.Time64Values(), ticksPerSecond(a.DataType().(*arrow.Time64Type).Unit)
		return numeral(func(b []byte, row int) []byte { return appendFloat(b, fractionOf(int64(v[row]), per)) })
	case *array.Duration:
		v, per := a.DurationValues(), ticksPerSecond(a.DataType().(*arrow.DurationType).Unit)
		return numeral(func(b []byte, row int) []byte { return appendFloat(b, durationOf(int64(v[row]), per)) })
	case *array.Dictionary:
		return t.entries(c, f, a)
	}
	return t.missing(c, f.how.MissingFormat) // null type
}

func signed[T int8 | int16 | int32 | int64](v []T) func(b []byte, row int) []byte {
	return func(b []byte, row int) []byte { return number.AppendInt(b, int64(v[row])) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](v []T) func(b []byte, row int) []byte {
	return func(b []byte, row int) []byte { return number.AppendUint(b, uint64(v[row])) }
}

// sampled is how many values of a column are looked at to choose how to print it.
const sampled = 64

// floats is the cell of floats, of which sample are some.
func (t *task) floats(c *column, f *field, at func(row int) float64, sample []float64) cell {
	nan := t.failure(c, f.how.Format, "#NUM!")
	if t.sheet.NaNIsMissing {
		nan = t.missing(c, f.how.MissingFormat)
	}
	infinity, minus := t.failure(c, f.how.Format, "#DIV/0!"), t.failure(c, f.how.Format, "#DIV/0!")
	if s := t.sheet.Infinity; s != "" {
		infinity, minus = t.constant(c, f.how.Format, s), t.constant(c, f.how.Format, "-"+s)
	}
	write := appendFloat
	switch {
	case f.how.Decimals != nil:
		decimals := *f.how.Decimals
		write = func(b []byte, x float64) []byte { return appendRounded(b, x, decimals) }
	case number.MostlyLong(sample[:min(len(sample), sampled)]):
		write = appendLong
	}
	rest := t.style(f.how.Format) + "><v>"
	return func(b []byte, row int, n []byte) []byte {
		x := at(row)
		switch {
		case x-x == 0:
			b = append(append(append(b, c.open...), n...), rest...)
			return append(write(b, x), endValue...)
		case x != x:
			return nan(b, row, n)
		case x > 0:
			return infinity(b, row, n)
		}
		return minus(b, row, n)
	}
}

// appendFloat appends the shortest digits that read back as x, without a decimal
// point if it is whole.
func appendFloat(b []byte, x float64) []byte {
	if i := int64(x); float64(i) == x && math.Abs(x) < 1e15 {
		return number.AppendInt(b, i)
	}
	return number.AppendFloat64(b, x, &number.Python)
}

// appendLong is appendFloat, faster for numbers with many digits.
func appendLong(b []byte, x float64) []byte {
	if i := int64(x); float64(i) == x && math.Abs(x) < 1e15 {
		return number.AppendInt(b, i)
	}
	return number.AppendLong64(b, x, &number.Python)
}

// appendRounded appends x rounded to so many decimals.
func appendRounded(b []byte, x float64, decimals int) []byte {
	if math.Abs(x) >= 1<<53 { // which has none
		return appendFloat(b, x)
	}
	at := len(b)
	b = number.AppendFixed(b, x, decimals, &number.Python)
	return trimZeros(b, at)
}

// trimZeros removes zeros behind the decimal point of the number that begins at at.
func trimZeros(b []byte, at int) []byte {
	if bytes.IndexByte(b[at:], '.') < 0 {
		return b
	}
	end := len(b)
	for b[end-1] == '0' {
		end--
	}
	if b[end-1] == '.' {
		end--
	}
	return b[:end]
}

// strings is the cell of strings. An empty one is an empty cell.
func (t *task) strings(c *column, f *field, at func(row int) string) cell {
	blank := t.blank(c, f.how.Format)
	style := t.style(f.how.Format)
	rest := style + ` t="inlineStr"><is><t>`
	return func(b []byte, row int, n []byte) []byte {
		s := at(row)
		if s == "" {
			return blank(b, row, n)
		}
		if len(s) > MaxText {
			if length := utf16Length(s); length > MaxText {
				t.fail(c.name, row, "its text has %d characters, and a cell holds %d", length, MaxText)
				return b
			}
		}
		b = append(append(b, c.open...), n...)
		var err error
		if hasOuterSpace(s) {
			b, err = appendInline(b, style, s)
		} else {
			b, err = appendText(append(b, rest...), s)
			b = append(b, endText...)
		}
		if err != nil {
			t.fail(c.name, row, "%v", err)
		}
		return b
	}
}

// entries is the cell of a dictionary, whose values are formatted once for each run
// of rows.
func (t *task) entries(c *column, f *field, a *array.Dictionary) cell {
	values := a.Dictionary()
	bare := &column{name: c.name} // so that a cell is what stands behind its reference
	valid := fieldOf(values, f.how)
	bare.fields = []field{valid}
	inner := *t
	write := inner.cell(bare)
	texts := make([][]byte, values.Len())
	return func(b []byte, row int, n []byte) []byte {
		i := a.GetValueIndex(row)
		text := texts[i]
		if text == nil {
			inner.base, inner.err = t.base+int64(row-i), nil // so that the row of an error is that of the cell
			text = write(make([]byte, 0, 64), i, nil)
			if t.err == nil {
				t.err = inner.err
			}
			texts[i] = text
		}
		if len(text) == 0 {
			return b
		}
		return append(append(append(b, c.open...), n...), text...)
	}
}

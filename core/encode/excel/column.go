package excel

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
)

// column is one column of a sheet in one batch: a field, and others that stand where
// the one before has no value.
type column struct {
	name   string
	open   []byte // <c r="A
	fields []field
	span   *array.Int32 // over how many rows the cell goes, 0 if it is covered; nil if all go over one
}

// field is a field of a batch.
type field struct {
	array  arrow.Array
	how    Column
	nulls  bool
	valid  []byte
	offset int
}

// fieldOf looks at an array. Whatever arrow-go computes only when first asked is
// computed here, by one goroutine.
func fieldOf(a arrow.Array, how Column) field {
	f := field{array: a, how: how}
	if a.DataType().ID() == arrow.NULL {
		f.nulls = true
	} else if a.NullN() > 0 {
		f.nulls, f.valid, f.offset = true, a.Data().Buffers()[0].Bytes(), a.Data().Offset()
	}
	if d, ok := a.(*array.Dictionary); ok {
		d.Dictionary().NullN()
	}
	return f
}

func (f *field) isValid(i int) bool {
	i += f.offset
	return f.valid[i>>3]>>(i&7)&1 != 0
}

// columnsOf looks at the columns of a batch. row is the number of its first one in the
// frame.
func (s *Sheet) columnsOf(batch arrow.RecordBatch, row int64, temporal [3]int) ([]*column, error) {
	if err := s.checkSchema(batch.Schema()); err != nil {
		return nil, err
	}
	var columns []*column
	at := s.Column
	for i, a := range batch.Columns() {
		how := defaultColumn(a.DataType(), temporal)
		if s.Columns != nil {
			how = s.Columns[i]
		}
		switch {
		case how.Span:
			columns[len(columns)-1].span = a.(*array.Int32)
		case how.Else:
			last := columns[len(columns)-1]
			last.fields = append(last.fields, fieldOf(a, how))
		default:
			columns = append(columns, &column{
				name: batch.ColumnName(i), open: []byte(`<c r="` + columnName(at)), fields: []field{fieldOf(a, how)},
			})
			at++
		}
		dates := a
		if d, ok := a.(*array.Dictionary); ok {
			dates = d.Dictionary()
		}
		if bad := beyondCalendar(dates, 0, dates.Len()); bad >= 0 {
			number := row + int64(bad)
			if dates != a {
				number = -1
			}
			return nil, &encode.ValueError{Format: format, Column: batch.ColumnName(i), Row: number,
				Reason: fmt.Sprintf("%s is outside Excel's calendar, which goes from 1900-01-01 to 9999-12-31", dates.ValueStr(bad))}
		}
	}
	return columns, nil
}

// defaultColumn is how a field is written if nobody has said it: moments with a format
// of their own, whose numbers are given for dates, timestamps and times.
func defaultColumn(t arrow.DataType, temporal [3]int) Column {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	switch t.ID() {
	case arrow.DATE32:
		return Column{Format: temporal[0]}
	case arrow.TIMESTAMP:
		return Column{Format: temporal[1]}
	case arrow.TIME32, arrow.TIME64:
		return Column{Format: temporal[2]}
	}
	return Column{}
}

// merges returns the ranges of merged cells that begin in rows of a batch, whose first
// is at row of the sheet; at is the number of the sheet's column.
func (c *column) merges(row, at int) ([]Range, error) {
	var out []Range
	if c.span == nil {
		return nil, nil
	}
	for i := range c.span.Len() {
		n := 0
		if c.span.IsValid(i) {
			n = int(c.span.Value(i))
		}
		if n <= 1 {
			continue
		}
		if i+n > c.span.Len() {
			return nil, optionError("columns", n, "a span reaches beyond its batch of %d rows", c.span.Len())
		}
		out = append(out, Range{Row: row + i, Column: at, LastRow: row + i + n - 1, LastColumn: at})
	}
	return out, nil
}

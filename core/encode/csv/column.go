package csv

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
)

// column is one column of one batch, shared by the goroutines that format it.
type column struct {
	name  string
	array arrow.Array
	nulls bool
	valid bitmap.Bits // if nulls
	dict  *dictionary // of a dictionary column

	verbatim bool // its strings are fields
}

// columnOf looks at an array. Whatever arrow-go computes only when first asked
// is computed here, by one goroutine.
func columnOf(name string, a arrow.Array) *column {
	c := &column{name: name, array: a}
	if a.DataType().ID() != arrow.NULL && a.NullN() > 0 {
		c.nulls = true
		c.valid = bitmap.Of(a.Data().Buffers()[0], a.Data().Offset())
	}
	if d, ok := a.(*array.Dictionary); ok {
		c.dict = &dictionary{values: columnOf(name, d.Dictionary())}
	}
	return c
}

// columnsOf looks at the columns of a batch, which must have these names.
func columnsOf(names []string, batch arrow.RecordBatch, row int64) ([]*column, error) {
	if n := int(batch.NumCols()); n != len(names) {
		name := ""
		switch {
		case n < len(names):
			name = names[n]
		default:
			name = batch.ColumnName(len(names))
		}
		return nil, &encode.ValueError{Format: format, Column: name, Row: row, Reason: "this batch has not as many columns as the first; give all batches the same columns"}
	}
	columns := make([]*column, len(names))
	for i, name := range names {
		if got := batch.ColumnName(i); got != name {
			return nil, &encode.ValueError{Format: format, Column: name, Row: row, Reason: "this batch has " + got + " in its place; give all batches the same columns"}
		}
		a := batch.Column(i)
		if err := checkType(name, a.DataType()); err != nil {
			return nil, err
		}
		columns[i] = columnOf(name, a)
	}
	return columns, nil
}

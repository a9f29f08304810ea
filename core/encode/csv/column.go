package csv

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/seojaeohcode/atio/core/encode"
)

// column is one column of one batch, shared by the goroutines that format it.
type column struct {
	name  string
	array arrow.Array
	nulls bool
	valid bitmap      // if nulls
	dict  *dictionary // of a dictionary column

	verbatim bool // its strings are fields
}

// bitmap is a run of bits within a buffer.
type bitmap struct {
	bytes  []byte
	offset int
}

func bitmapOf(b *memory.Buffer, offset int) bitmap {
	if b == nil {
		return bitmap{}
	}
	return bitmap{b.Bytes()[offset/8:], offset % 8}
}

func (m *bitmap) at(i int) bool {
	i += m.offset
	return m.bytes[i>>3]>>(i&7)&1 != 0
}

// columnOf looks at an array. Whatever arrow-go computes only when first asked
// is computed here, by one goroutine.
func columnOf(name string, a arrow.Array) *column {
	c := &column{name: name, array: a}
	if a.DataType().ID() != arrow.NULL && a.NullN() > 0 {
		c.nulls = true
		c.valid = bitmapOf(a.Data().Buffers()[0], a.Data().Offset())
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

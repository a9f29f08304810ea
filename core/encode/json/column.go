package json

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
)

// column is a column of a batch, or what its lists and structs are made of. It is
// shared by the goroutines that format it.
type column struct {
	array    arrow.Array
	nulls    bool
	valid    bitmap.Bits // if nulls
	inner    []*column   // of a list one, of a struct its fields
	dict     *dictionary // of a dictionary column
	verbatim bool        // its strings are JSON
}

// columnOf looks at an array. Whatever arrow-go computes only when first asked is
// computed here, by one goroutine.
func columnOf(a arrow.Array) *column {
	c := &column{array: a}
	if a.DataType().ID() != arrow.NULL && a.NullN() > 0 {
		c.nulls, c.valid = true, bitmap.Of(a.Data().Buffers()[0], a.Data().Offset())
	}
	switch a := a.(type) {
	case *array.Dictionary:
		c.dict = &dictionary{values: columnOf(a.Dictionary())}
	case array.ListLike: // also of a fixed size
		c.inner = []*column{columnOf(a.ListValues())}
	case *array.Struct:
		for i := range a.NumField() {
			c.inner = append(c.inner, columnOf(a.Field(i)))
		}
	}
	return c
}

// columnsOf looks at the columns of a batch.
func (o *Options) columnsOf(batch arrow.RecordBatch) ([]*column, error) {
	if err := o.checkColumns(batch.Schema()); err != nil {
		return nil, err
	}
	columns := make([]*column, batch.NumCols())
	for i := range columns {
		columns[i] = columnOf(batch.Column(i))
	}
	for _, i := range o.Verbatim {
		columns[i].verbatim = true
	}
	return columns, nil
}

// checkCalendar returns an error if polars could not write one of rows lo to hi. base
// is the number of the batch's first row.
func (o *Options) checkCalendar(columns []*column, batch arrow.RecordBatch, lo, hi int, base int64) error {
	for i, c := range columns {
		if row := beyondCalendar(c.array, lo, hi); row >= 0 {
			return &encode.ValueError{Format: o.Format(), Column: batch.ColumnName(i), Row: base + int64(row),
				Reason: "its year is beyond the calendar, which has 262142 years before and after 0"}
		}
	}
	return nil
}

// dictionary holds the values of a dictionary column, and their texts once some
// goroutine needs them.
type dictionary struct {
	values *column
	once   sync.Once
	text   []byte
	ends   []int
}

// entries is the value of a dictionary column, whose values are formatted once.
func (s *style) entries(c *column, a *array.Dictionary) value {
	d := c.dict
	d.once.Do(func() {
		write, n := s.valueOf(d.values), d.values.array.Len()
		d.ends = make([]int, n+1)
		for i := range n {
			d.text = write(d.text, i)
			d.ends[i+1] = len(d.text)
		}
	})
	switch i := a.Indices().(type) {
	case *array.Int8:
		return entriesBy(d, i.Int8Values())
	case *array.Int16:
		return entriesBy(d, i.Int16Values())
	case *array.Int32:
		return entriesBy(d, i.Int32Values())
	case *array.Int64:
		return entriesBy(d, i.Int64Values())
	case *array.Uint8:
		return entriesBy(d, i.Uint8Values())
	case *array.Uint16:
		return entriesBy(d, i.Uint16Values())
	case *array.Uint32:
		return entriesBy(d, i.Uint32Values())
	}
	return entriesBy(d, a.Indices().(*array.Uint64).Uint64Values())
}

func entriesBy[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](d *dictionary, index []T) value {
	return func(b []byte, row int) []byte {
		i := int(index[row])
		return append(b, d.text[d.ends[i]:d.ends[i+1]]...)
	}
}

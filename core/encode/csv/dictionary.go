package csv

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// dictionary holds the values of a dictionary column, and their fields once some
// goroutine needs them.
type dictionary struct {
	values *column
	once   sync.Once
	fields []byte
	ends   []int
}

// format formats all values.
func (d *dictionary) format(s *style) {
	d.once.Do(func() {
		n := d.values.array.Len()
		if n == 0 {
			return // there may be no buffers
		}
		res := resolution{}
		if s.pandas {
			res = resolutionOf(d.values, 0, n)
		}
		write := s.cell(d.values, res)
		d.ends = make([]int, n+1)
		for i := range n {
			if d.values.nulls && !d.values.valid.At(i) {
				d.fields = append(d.fields, s.null...)
			} else {
				d.fields = write(d.fields, i)
			}
			d.ends[i+1] = len(d.fields)
		}
	})
}

// entries is the cell of a dictionary column.
func (s *style) entries(c *column, a *array.Dictionary) cell {
	c.dict.format(s)
	switch i := a.Indices().(type) {
	case *array.Int8:
		return entryCell(c.dict, i.Int8Values())
	case *array.Int16:
		return entryCell(c.dict, i.Int16Values())
	case *array.Int32:
		return entryCell(c.dict, i.Int32Values())
	case *array.Int64:
		return entryCell(c.dict, i.Int64Values())
	case *array.Uint8:
		return entryCell(c.dict, i.Uint8Values())
	case *array.Uint16:
		return entryCell(c.dict, i.Uint16Values())
	case *array.Uint32:
		return entryCell(c.dict, i.Uint32Values())
	}
	return entryCell(c.dict, a.Indices().(*array.Uint64).Uint64Values())
}

func entryCell[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](d *dictionary, index []T) cell {
	return func(b []byte, row int) []byte {
		i := int(index[row])
		return append(b, d.fields[d.ends[i]:d.ends[i+1]]...)
	}
}

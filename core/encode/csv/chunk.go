package csv

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
)

// chunk is a run of rows for which pandas decides how to write timestamps.
type chunk struct {
	columns []*column
	lo, hi  int
	once    sync.Once
	res     []resolution // for each column, in the pandas dialect
}

func hasTimestamps(columns []*column) bool {
	for _, c := range columns {
		if c.array.DataType().ID() == arrow.TIMESTAMP {
			return true
		}
	}
	return false
}

// format appends rows lo to hi, which are some of the chunk's. base is the number
// of the batch's first row.
func (c *chunk) format(s *style, b []byte, lo, hi int, base int64) ([]byte, error) {
	if s.pandas {
		c.once.Do(func() {
			c.res = make([]resolution, len(c.columns))
			for i, col := range c.columns {
				c.res[i] = resolutionOf(col, c.lo, c.hi)
			}
		})
	}
	fields := make([]field, len(c.columns))
	for i, col := range c.columns {
		res := resolution{}
		if s.pandas {
			res = c.res[i]
		} else if err := checkCalendar(col, lo, hi, base); err != nil {
			return nil, err
		}
		fields[i].cell = s.cell(col, res)
		if col.nulls {
			fields[i].nulls = &nulls{col.valid, s.null}
			if col.verbatim {
				fields[i].nulls.text = nil
			}
		}
	}
	separator := s.separator
	for row := lo; row < hi; row++ {
		for i := range fields {
			f := &fields[i]
			if f.nulls != nil && !f.nulls.valid.At(row) {
				b = append(b, f.nulls.text...)
			} else {
				b = f.cell(b, row)
			}
			b = append(b, separator)
		}
		b = append(b[:len(b)-1], s.lineEnd...)
	}
	return b, nil
}

// field is a column's cell with its nulls. It is small, as there may be thousands.
type field struct {
	cell  cell
	nulls *nulls // nil if there are none
}

type nulls struct {
	valid bitmap.Bits
	text  []byte
}

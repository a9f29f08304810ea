package csv

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// textCell is the cell of a string column with 32-bit or 64-bit offsets.
func textCell[T int32 | int64](s *style, offsets []T, values *memory.Buffer) cell {
	var text []byte
	if values != nil { // there is none if all strings are empty
		text = values.Bytes()
	}
	return func(b []byte, row int) []byte {
		return s.appendText(b, text[offsets[row]:offsets[row+1]])
	}
}

func (s *style) views(a *array.StringView) cell {
	return func(b []byte, row int) []byte {
		v := a.Value(row)
		return s.appendText(b, unsafe.Slice(unsafe.StringData(v), len(v)))
	}
}

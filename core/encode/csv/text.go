package csv

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
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
		from := offsets[row]
		return s.appendRange(b, text, int(from), int(offsets[row+1]-from))
	}
}

// views is the cell of a column of string views: short strings stand in the views
// themselves, behind their lengths.
func (s *style) views(a *array.StringView) cell {
	views := a.Data().Buffers()[1].Bytes()[a.Data().Offset()*arrow.ViewHeaderSizeBytes:]
	var texts [][]byte
	for _, b := range a.Data().Buffers()[2:] {
		texts = append(texts, b.Bytes())
	}
	return func(b []byte, row int) []byte {
		at := row * arrow.ViewHeaderSizeBytes
		v := views[at : at+arrow.ViewHeaderSizeBytes]
		n := int(binary.NativeEndian.Uint32(v))
		if arrow.IsViewInline(n) {
			return s.appendRange(b, v, 4, n)
		}
		text, from := binary.NativeEndian.Uint32(v[8:]), binary.NativeEndian.Uint32(v[12:])
		return s.appendRange(b, texts[text], int(from), n)
	}
}

// textLength returns about how many bytes a string of the array has; 0 if it
// holds other values.
func textLength(a arrow.Array) int {
	n := a.Len()
	if n == 0 {
		return 0
	}
	switch a := a.(type) {
	case *array.String:
		offsets := a.ValueOffsets()
		return int(offsets[n]-offsets[0]) / n
	case *array.LargeString:
		offsets := a.ValueOffsets()
		return int(offsets[n]-offsets[0]) / n
	case *array.StringView:
		sum, taken := 0, 0
		for i := 0; i < n; i += max(1, n/64) {
			sum, taken = sum+a.ValueLen(i), taken+1
		}
		return sum / taken
	case *array.Dictionary:
		return textLength(a.Dictionary())
	}
	return 0
}

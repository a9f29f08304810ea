package avro

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// texts is the appender of strings and of bytes, which are written alike: the length in
// bytes, and the bytes.
func texts(p presence, a arrow.Array) appender {
	switch a := a.(type) {
	case *array.String:
		return ranges(p, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.LargeString:
		return ranges(p, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.Binary:
		return ranges(p, a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.LargeBinary:
		return ranges(p, a.ValueOffsets(), a.Data().Buffers()[2])
	}
	return views(p, a.Data())
}

func ranges[T int32 | int64](p presence, offsets []T, values *memory.Buffer) appender {
	var text []byte
	if values != nil { // which it is if all are empty
		text = values.Bytes()
	}
	return p.of(func(b []byte, row int) []byte {
		from, to := offsets[row], offsets[row+1]
		return append(appendLong(b, int64(to-from)), text[from:to]...)
	})
}

// views are texts of which short ones stand in the views themselves, behind their
// lengths, others in a buffer that the view names.
func views(p presence, a arrow.ArrayData) appender {
	if a.Len() == 0 {
		return nil
	}
	views := a.Buffers()[1].Bytes()[a.Offset()*arrow.ViewHeaderSizeBytes:]
	var texts [][]byte
	for _, b := range a.Buffers()[2:] {
		texts = append(texts, b.Bytes())
	}
	return p.of(func(b []byte, row int) []byte {
		at := row * arrow.ViewHeaderSizeBytes
		v := views[at : at+arrow.ViewHeaderSizeBytes : at+arrow.ViewHeaderSizeBytes]
		n := int(binary.NativeEndian.Uint32(v))
		if arrow.IsViewInline(n) {
			b = append(b, byte(n<<1))
			// All of the view is copied, which is quicker than some of it.
			end := len(b) + n
			return append(slices.Grow(b, arrow.ViewHeaderSizeBytes), v[4:]...)[:end]
		}
		text, from := binary.NativeEndian.Uint32(v[8:]), binary.NativeEndian.Uint32(v[12:])
		return append(appendLong(b, int64(n)), texts[text][from:int(from)+n]...)
	})
}

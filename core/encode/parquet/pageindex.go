package parquet

import (
	"bytes"

	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// pageIndex collects the column indexes and the offset indexes of a file's column
// chunks, which stand between the last chunk and the footer: first all of the one
// kind, then all of the other.
type pageIndex struct {
	offset  int64 // of the first one in the file
	columns []serialized
	offsets []serialized
}

// serialized is an index with the place in the footer that says where it is.
type serialized struct {
	bytes  []byte
	offset **int64
	length **int32
}

// columnChunk is a ColumnChunk of arrow-go's thrift package, whose import is
// closed to others.
type columnChunk struct {
	columnIndexOffset, offsetIndexOffset **int64
	columnIndexLength, offsetIndexLength **int32
}

// add takes up the indexes of one column chunk.
func (x *pageIndex) add(at columnChunk, l *leaf, c placedChunk) {
	if l.settings.statistics {
		if index, ok := columnIndex(l, c.info); ok {
			x.columns = append(x.columns, serialized{index, at.columnIndexOffset, at.columnIndexLength})
		}
	}
	x.offsets = append(x.offsets, serialized{offsetIndex(c), at.offsetIndexOffset, at.offsetIndexLength})
}

// place appends all indexes to buf, which begins at the index's offset, and says
// in the footer where they are.
func (x *pageIndex) place(buf *bytes.Buffer) {
	for _, indexes := range [][]serialized{x.columns, x.offsets} {
		for _, s := range indexes {
			offset, length := x.offset+int64(buf.Len()), int32(len(s.bytes))
			*s.offset, *s.length = &offset, &length
			buf.Write(s.bytes)
		}
	}
}

// Boundary orders of parquet.thrift.
const (
	unordered  = 0
	increasing = 1
	decreasing = 2
)

// columnIndex returns the ColumnIndex of a chunk, false if there can be none: a
// page has no bounds though it has values, as one of nothing but NaN.
func columnIndex(l *leaf, info *chunkInfo) ([]byte, bool) {
	pages := info.pages
	if l.order == noOrder && info.nulls < info.values {
		return nil, false
	}
	for i := range pages {
		if pages[i].bounds.nan {
			return nil, false
		}
	}
	var w thrift.Writer
	w.Root(func() {
		w.List(1, thrift.Bool, len(pages))
		for i := range pages {
			w.ElemBool(!pages[i].bounds.known)
		}
		w.List(2, thrift.Binary, len(pages))
		for i := range pages {
			w.ElemBinary(pages[i].bounds.min)
		}
		w.List(3, thrift.Binary, len(pages))
		for i := range pages {
			w.ElemBinary(pages[i].bounds.max)
		}
		w.I32(4, boundaryOrder(l.order, pages))
		w.List(5, thrift.I64, len(pages))
		for i := range pages {
			w.ElemI64(pages[i].nulls)
		}
	})
	return w.Bytes, true
}

// boundaryOrder says whether minima and maxima both ascend or descend from page to
// page. Pages of nulls are left out of account.
func boundaryOrder(o order, pages []pageInfo) int32 {
	up, down := true, true
	var before *bounds
	for i := range pages {
		b := &pages[i].bounds
		if !b.known {
			continue
		}
		if before != nil {
			low, high := compare(o, before.min, b.min), compare(o, before.max, b.max)
			up = up && low <= 0 && high <= 0
			down = down && low >= 0 && high >= 0
		}
		before = b
	}
	switch {
	case up:
		return increasing
	case down:
		return decreasing
	}
	return unordered
}

// offsetIndex returns the OffsetIndex of a chunk.
func offsetIndex(c placedChunk) []byte {
	var w thrift.Writer
	w.Root(func() {
		w.List(1, thrift.Struct, len(c.info.pages))
		for i := range c.info.pages {
			p := &c.info.pages[i]
			w.Root(func() {
				w.I64(1, c.offset+p.offset)
				w.I32(2, p.size)
				w.I64(3, p.firstRow)
			})
		}
	})
	return w.Bytes
}

package parquet

import (
	"github.com/seojaeohcode/atio/core/encode/parquet/internal/thrift"
)

// indexPlace is where an index of a column chunk stands in the file; its length is
// 0 if there is none.
type indexPlace struct {
	offset int64
	length int32
}

// appendPageIndex appends the column indexes and the offset indexes of all column
// chunks, first all of the one kind, then all of the other. They stand between the
// last chunk, which ends at offset, and the footer. A chunk that has pages beginning
// within one of DELTA_BINARY_PACKED gets no column index, see [pageGrid].
func (f *footer) appendPageIndex(t *thrift.Writer, offset int64) {
	for _, g := range f.groups {
		rows, delta := g.commonRows()
		for k := range g.chunks {
			c, l := &g.chunks[k], f.schema.leaves[k]
			if l.settings.statistics && hasColumnIndex(l, c.info) && (!delta || beginAt(rows, c.info.pages)) {
				c.columnIndex = appendIndex(t, offset, func() { columnIndex(t, l, c.info.pages) })
			}
		}
	}
	for _, g := range f.groups {
		for k := range g.chunks {
			c := &g.chunks[k]
			c.offsetIndex = appendIndex(t, offset, func() { offsetIndex(t, c) })
		}
	}
}

// appendIndex appends an index to those that begin at offset.
func appendIndex(t *thrift.Writer, offset int64, content func()) indexPlace {
	before := len(t.Bytes)
	t.Root(content)
	return indexPlace{offset + int64(before), int32(len(t.Bytes) - before)}
}

// Boundary orders of parquet.thrift.
const (
	unordered  = 0
	increasing = 1
	decreasing = 2
)

// hasColumnIndex reports whether there can be a ColumnIndex of a chunk: there is none
// if a page has no bounds though it has values, as one of nothing but NaN.
func hasColumnIndex(l *leaf, info *chunkInfo) bool {
	if l.order == noOrder && info.nulls < info.values {
		return false
	}
	for i := range info.pages {
		if info.pages[i].bounds.nan {
			return false
		}
	}
	return true
}

// columnIndex writes the fields of a chunk's ColumnIndex.
func columnIndex(w *thrift.Writer, l *leaf, pages []pageInfo) {
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

// offsetIndex writes the fields of a chunk's OffsetIndex.
func offsetIndex(w *thrift.Writer, c *placedChunk) {
	w.List(1, thrift.Struct, len(c.info.pages))
	for i := range c.info.pages {
		p := &c.info.pages[i]
		w.Root(func() {
			w.I64(1, c.offset+p.offset)
			w.I32(2, p.size)
			w.I64(3, p.firstRow)
		})
	}
}

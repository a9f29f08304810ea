package parquet

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// rowGroup is the rows of one row group: pieces of batches, in order. It holds
// the batches until all its columns have been encoded.
type rowGroup struct {
	pieces []arrow.RecordBatch
	rows   int64

	encoded atomic.Int64 // leaves that have been encoded
	free    sync.Once
}

// column returns the arrays of one column.
func (g *rowGroup) column(field int) []arrow.Array {
	arrays := make([]arrow.Array, len(g.pieces))
	for i, p := range g.pieces {
		arrays[i] = p.Column(field)
	}
	return arrays
}

// weight guesses how long the column chunk of l, of so many bytes, takes: byte arrays are handled one
// by one, and then there are their bytes.
func (g *rowGroup) weight(l *leaf, size int64) int64 {
	if l.width() > 0 {
		return size
	}
	return 8*g.rows + size
}

// sizes returns about how many bytes the values of each leaf take.
func (g *rowGroup) sizes(leaves []*leaf) []int64 {
	sizes := make([]int64, len(leaves))
	for i, l := range leaves {
		for _, p := range g.pieces {
			sizes[i] += l.size(p.Column(l.field))
		}
	}
	return sizes
}

// release lets go of the batches. It may be called more than once.
func (g *rowGroup) release() {
	g.free.Do(func() {
		for _, p := range g.pieces {
			p.Release()
		}
		g.pieces = nil
	})
}

// gatherer makes row groups of a number of rows, or of bytes if they take more,
// from batches of any number of rows.
type gatherer struct {
	rows, bytes int64
	pending     *rowGroup
	taken       int64 // bytes of memory that pending takes
}

// add takes up the rows of batch and calls full with each row group that has
// become full.
func (g *gatherer) add(batch arrow.RecordBatch, full func(*rowGroup) error) error {
	each := int64(0) // bytes of a row
	if g.bytes < math.MaxInt64 && batch.NumRows() > 0 {
		each = max(1, sizeOf(batch)/batch.NumRows())
	}
	for from := int64(0); from < batch.NumRows(); {
		if g.pending == nil {
			g.pending, g.taken = &rowGroup{}, 0
		}
		n := min(g.rows-g.pending.rows, batch.NumRows()-from)
		if each > 0 {
			n = min(n, max(1, (g.bytes-g.taken)/each))
		}
		g.pending.pieces = append(g.pending.pieces, batch.NewSlice(from, from+n))
		g.pending.rows += n
		g.taken += n * each
		from += n
		if g.pending.rows == g.rows || each > 0 && g.taken+each > g.bytes {
			if err := full(g.take()); err != nil {
				return err
			}
		}
	}
	return nil
}

// take returns the rows that do not fill a row group yet, nil if there are none.
func (g *gatherer) take() *rowGroup {
	rg := g.pending
	g.pending = nil
	return rg
}

// sizeOf returns about how many bytes of memory the rows of a batch take.
func sizeOf(batch arrow.RecordBatch) int64 {
	size := int64(0)
	for _, c := range batch.Columns() {
		size += sizeOfRange(storageOf(c), 0, int64(c.Len()))
	}
	return size
}

// sizeOfRange returns about how many bytes elements [lo, hi) of arr take, those
// of a sliced array only as far as they are in the slice.
func sizeOfRange(arr arrow.Array, lo, hi int64) int64 {
	if hi <= lo {
		return 0
	}
	n := hi - lo
	switch a := arr.(type) {
	case *array.String:
		return sizeOfOffsets(a.ValueOffsets(), lo, hi)
	case *array.Binary:
		return sizeOfOffsets(a.ValueOffsets(), lo, hi)
	case *array.LargeString:
		return sizeOfOffsets(a.ValueOffsets(), lo, hi)
	case *array.LargeBinary:
		return sizeOfOffsets(a.ValueOffsets(), lo, hi)
	case array.ViewLike:
		size := 16 * n
		views := viewsOf(a)[lo:hi]
		for i := range views {
			if !views[i].IsInline() {
				size += int64(views[i].Len())
			}
		}
		return size
	case *array.Dictionary:
		return n * int64(a.Indices().DataType().(arrow.FixedWidthDataType).BitWidth()) / 8
	case *array.Struct:
		size := int64(0)
		for i := range a.NumField() {
			size += sizeOfRange(storageOf(a.Field(i)), lo, hi)
		}
		return size
	case array.ListLike:
		from, _ := a.ValueOffsets(int(lo))
		_, to := a.ValueOffsets(int(hi - 1))
		return 4*n + sizeOfRange(storageOf(a.ListValues()), from, to)
	}
	if t, ok := arr.DataType().(arrow.FixedWidthDataType); ok {
		return (n*int64(t.BitWidth()) + 7) / 8
	}
	return n
}

func sizeOfOffsets[O int32 | int64](offsets []O, lo, hi int64) int64 {
	return 4*(hi-lo) + int64(offsets[hi]-offsets[lo])
}

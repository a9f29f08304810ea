package parquet

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
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

// release lets go of the batches. It may be called more than once.
func (g *rowGroup) release() {
	g.free.Do(func() {
		for _, p := range g.pieces {
			p.Release()
		}
		g.pieces = nil
	})
}

// gatherer makes row groups of a fixed number of rows from batches of any
// number of rows.
type gatherer struct {
	size    int64
	pending *rowGroup
}

// add takes up the rows of batch and calls full with each row group that has
// become full.
func (g *gatherer) add(batch arrow.RecordBatch, full func(*rowGroup) error) error {
	for from := int64(0); from < batch.NumRows(); {
		if g.pending == nil {
			g.pending = &rowGroup{}
		}
		n := min(g.size-g.pending.rows, batch.NumRows()-from)
		g.pending.pieces = append(g.pending.pieces, batch.NewSlice(from, from+n))
		g.pending.rows += n
		from += n
		if g.pending.rows == g.size {
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
